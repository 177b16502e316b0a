//! `files`: what was uploaded.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::Value;

use super::clock::{Clock, micros, nanos};
use super::page::Page;
use super::refusal::Refusal;
use super::{Answered, MOST, drawn, nothing, ok};
use crate::corpus::hex;
use crate::mock::request::Request;

/// How long a file is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(48);

/// The files, by number in the order they were made. Their bytes are not kept.
#[derive(Debug, Default)]
pub(super) struct Files {
    made: u64,
    kept: BTreeMap<u64, File>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    mime_type: String,
    /// A string, as protobuf's JSON has 64 bits.
    size_bytes: String,
    create_time: String,
    update_time: String,
    expiration_time: String,
    /// The digest in hexadecimal, and that in base64: so it was observed.
    sha256_hash: String,
    uri: String,
    state: &'static str,
    source: &'static str,
}

/// What is known of a file when all of it came.
#[derive(Debug)]
pub(super) struct Uploaded<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) display_name: Option<&'a str>,
    pub(super) mime_type: &'a str,
    pub(super) length: u64,
    pub(super) sha256: &'a [u8],
    /// Scheme, host and script of the request, before the version.
    pub(super) base: &'a str,
}

impl Files {
    /// Whether one more file, of that name, may be made.
    pub(super) fn can_make(&self, name: Option<&str>) -> Result<(), Refusal> {
        if self.kept.len() >= MOST {
            return Err(Refusal::full("files"));
        }
        let Some(name) = name else { return Ok(()) };
        let id = name.strip_prefix("files/").unwrap_or(name);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || id.len() > 40 || !id.bytes().all(plain) || id.starts_with('-') || id.ends_with('-') {
            return Err(Refusal::invalid(format!(
                "Invalid file name {name}: up to 40 lower-case letters, digits and dashes, with no dash at an end"
            )));
        }
        match self.find(id) {
            Ok(_) => Err(Refusal::exists(format!("File {id} already exists."))),
            Err(_) => Ok(()),
        }
    }

    /// A file that is being worked on: the first look at it says so, and from the second on it can be used.
    pub(super) fn make(&mut self, uploaded: &Uploaded<'_>, clock: &mut Clock) -> Result<File, Refusal> {
        self.can_make(uploaded.name)?;
        let now = clock.tick();
        self.made += 1;
        let id = uploaded.name.map_or_else(
            || drawn("file", self.made, 12),
            |name| name.strip_prefix("files/").unwrap_or(name).to_owned(),
        );
        let file = File {
            name: format!("files/{id}"),
            display_name: uploaded.display_name.map(str::to_owned),
            mime_type: uploaded.mime_type.to_owned(),
            size_bytes: uploaded.length.to_string(),
            create_time: micros(now),
            update_time: micros(now),
            expiration_time: nanos(now.checked_add(KEPT).unwrap_or(now)),
            sha256_hash: STANDARD.encode(hex(uploaded.sha256)),
            uri: format!("{}/v1beta/files/{id}", uploaded.base),
            state: PROCESSING,
            source: "UPLOADED",
        };
        Ok(self.kept.entry(self.made).or_insert(file).clone())
    }

    pub(super) fn list(&self, request: &Request) -> Answered {
        let page = Page::of(request, "files", 10, 100)?;
        let (files, next_page_token) = page.cut(self.kept.iter().map(|(number, file)| (*number, file)));
        ok(&List { files, next_page_token })
    }

    pub(super) fn get(&mut self, id: &str) -> Answered {
        let number = self.find(id)?;
        let file = self.kept.get_mut(&number).ok_or_else(|| unknown(id))?;
        let said = file.clone();
        file.state = ACTIVE;
        ok(&said)
    }

    pub(super) fn delete(&mut self, id: &str) -> Answered {
        let number = self.find(id)?;
        self.kept.remove(&number);
        Ok(nothing())
    }

    fn find(&self, id: &str) -> Result<u64, Refusal> {
        let named = |file: &File| file.name.strip_prefix("files/") == Some(id);
        self.kept.iter().find(|(_, file)| named(file)).map(|(number, _)| *number).ok_or_else(|| unknown(id))
    }
}

/// What a field of the file's description says.
pub(super) fn described<'a>(body: &'a Value, field: &str) -> Option<&'a str> {
    body.get("file")?.get(field)?.as_str()
}

const PROCESSING: &str = "PROCESSING";
const ACTIVE: &str = "ACTIVE";

fn unknown(id: &str) -> Refusal {
    Refusal::no_permission(format!("You do not have permission to access the File {id} or it may not exist."))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<&'a File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}
