//! Recorded bodies out of a traffic folder, served byte for byte. The folder names its files in `MANIFEST.tsv`.
//!
//! In a script a file is called `traffic~FOLDER~FILE`: its path with `~` for `/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{Body, HTML, JSON, Reply, SSE};

/// What a script calls a recorded body begins with this.
const PREFIX: &str = "traffic~";

/// Whether `name` has the form of a recorded body's name; whether there is such a file only the folder knows.
pub fn is_name(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b)))
}

/// What a script calls the file at `path` of the manifest.
pub fn name_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('/', "~"))
}

/// The response bodies of a traffic folder.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    bodies: BTreeMap<String, Recorded>,
}

/// A recorded body.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What the manifest says that it is, e.g. `generate_text`.
    pub kind: String,
    /// Its path in the folder.
    pub file: String,
    /// What the mock serves.
    pub reply: Reply,
}

impl Folder {
    /// Reads every response body that the manifest in `folder` names. Rows of kind `request` are what clients sent; they are
    /// not served.
    pub fn load(folder: &Path) -> Result<Self, TrafficError> {
        let manifest = folder.join("MANIFEST.tsv");
        let table = std::fs::read_to_string(&manifest)
            .map_err(|source| TrafficError::Read { path: manifest.clone(), source })?;
        let mut lines = table.lines().enumerate();
        let columns = Columns::find(lines.next().map_or("", |(_, head)| head), &manifest)?;
        let mut bodies = BTreeMap::new();
        for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let row = columns.row(line).ok_or_else(|| TrafficError::Row { path: manifest.clone(), line: index + 1 })?;
            if row.kind == "request" {
                continue;
            }
            let reply = read(folder, &row)?;
            let (kind, file) = (row.kind.to_owned(), row.file.to_owned());
            bodies.insert(reply.name.clone(), Recorded { kind, file, reply });
        }
        Ok(Self { bodies })
    }

    /// The recorded body called `name`.
    pub fn reply(&self, name: &str) -> Option<&Reply> {
        self.bodies.get(name).map(|body| &body.reply)
    }

    /// All recorded bodies, sorted by name.
    pub fn bodies(&self) -> impl Iterator<Item = &Recorded> {
        self.bodies.values()
    }
}

/// Why a traffic folder cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrafficError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; --traffic wants a folder with a MANIFEST.tsv and the files it names", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The manifest lacks a column.
    #[error("{}: the first line has no column `{column}`", path.display())]
    Column {
        /// The manifest.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// A row of the manifest is short, or its status is no number.
    #[error("{}, line {line}: wants a file, a kind and a status, separated by tabs; the file inside the folder", path.display())]
    Row {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

struct Columns {
    file: usize,
    kind: usize,
    status: usize,
}

struct Row<'a> {
    file: &'a str,
    kind: &'a str,
    status: u16,
}

impl Columns {
    fn find(head: &str, manifest: &Path) -> Result<Self, TrafficError> {
        let place = |column: &'static str| {
            head.split('\t')
                .position(|name| name == column)
                .ok_or_else(|| TrafficError::Column { path: manifest.to_owned(), column })
        };
        Ok(Self { file: place("file")?, kind: place("kind")?, status: place("status")? })
    }

    fn row<'a>(&self, line: &'a str) -> Option<Row<'a>> {
        let cells: Vec<&str> = line.split('\t').collect();
        let file = *cells.get(self.file)?;
        // A manifest may come from elsewhere: it names files under its own folder and no others.
        let inside = Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let status = cells.get(self.status)?.parse().ok().filter(|code| (200..600).contains(code))?;
        inside.then_some(Row { file, kind: cells.get(self.kind)?, status })
    }
}

fn read(folder: &Path, row: &Row<'_>) -> Result<Reply, TrafficError> {
    let path = folder.join(row.file);
    let bytes = std::fs::read(&path).map_err(|source| TrafficError::Read { path, source })?;
    let extension = Path::new(row.file).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let (content_type, bytes) = match extension {
        "sse" => (SSE, Bytes::from(bytes)),
        "jsonl" => (SSE, framed_lines(&bytes)),
        "html" => (HTML, Bytes::from(bytes)),
        // The vendor's own stream files are named .txt; what they hold says what they are.
        _ if bytes.starts_with(b"data:") => (SSE, Bytes::from(bytes)),
        _ => (JSON, Bytes::from(bytes)),
    };
    Ok(Reply { name: name_of(row.file), status: row.status, body: Body::Raw { content_type, bytes } })
}

/// The framing that the recorder took off one payload per line, put back.
fn framed_lines(lines: &[u8]) -> Bytes {
    let mut body = Vec::with_capacity(lines.len() * 2);
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        body.extend_from_slice(b"data: ");
        body.extend_from_slice(line);
        body.extend_from_slice(b"\r\n\r\n");
    }
    body.into()
}
