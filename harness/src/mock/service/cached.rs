//! `cachedContents`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::clock::{Clock, micros, nanos, span};
use super::page::Page;
use super::refusal::Refusal;
use super::{Answered, MOST, drawn, nothing, ok, tokens};
use crate::mock::request::Request;

/// How long content is kept where nobody says.
const USUAL: SignedDuration = SignedDuration::from_hours(1);

/// What is kept, by number in the order it was made. Of the contents only their count of tokens is.
#[derive(Debug, Default)]
pub(super) struct CachedContents {
    made: u64,
    kept: BTreeMap<u64, CachedContent>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CachedContent {
    name: String,
    model: String,
    create_time: String,
    update_time: String,
    expire_time: String,
    display_name: String,
    usage_metadata: Usage,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    total_token_count: u64,
}

impl CachedContents {
    pub(super) fn create(&mut self, body: &Value, clock: &mut Clock) -> Answered {
        let model = body.get("model").and_then(Value::as_str).filter(|model| model.starts_with("models/"));
        let model =
            model.ok_or_else(|| Refusal::invalid("* CreateCachedContentRequest.model: a model is wanted, models/…"))?;
        let filled = |name: &str| body.get(name).and_then(Value::as_array).is_some_and(|entries| !entries.is_empty());
        if !["contents", "tools"].into_iter().any(filled) && body.get("systemInstruction").is_none() {
            return Err(Refusal::invalid("* CreateCachedContentRequest: there is no content to keep"));
        }
        if self.kept.len() >= MOST {
            return Err(Refusal::full("cached contents"));
        }
        let ends = Ends::of(body)?;
        let now = clock.tick();
        let told: BTreeMap<&str, &Value> = ["contents", "systemInstruction", "tools"]
            .into_iter()
            .filter_map(|name| Some((name, body.get(name)?)))
            .collect();
        self.made += 1;
        let content = CachedContent {
            name: format!("cachedContents/{}", drawn("cached content", self.made, 40)),
            model: model.to_owned(),
            create_time: micros(now),
            update_time: micros(now),
            expire_time: ends.unwrap_or(Ends::In(USUAL)).from(now)?,
            display_name: body.get("displayName").and_then(Value::as_str).unwrap_or_default().to_owned(),
            usage_metadata: Usage {
                total_token_count: told.values().flat_map(|value| tokens::of(value)).map(|(_, count)| count).sum(),
            },
        };
        ok(self.kept.entry(self.made).or_insert(content))
    }

    pub(super) fn list(&self, request: &Request) -> Answered {
        let page = Page::of(request, "cachedContents", 100, 1_000)?;
        let (cached_contents, next_page_token) = page.cut(self.kept.iter().map(|(number, content)| (*number, content)));
        ok(&List { cached_contents, next_page_token })
    }

    pub(super) fn get(&self, name: &str) -> Answered {
        ok(&self.kept[&self.find(name)?])
    }

    /// Only how long it is kept can be changed. A mask names what of the body counts; without one all that is in it does.
    pub(super) fn update(&mut self, name: &str, request: &Request, body: &Value, clock: &mut Clock) -> Answered {
        let number = self.find(name)?;
        let mask: Vec<&str> =
            request.parameter("updateMask").unwrap_or_default().split(',').filter(|path| !path.is_empty()).collect();
        if let Some(path) = mask.iter().find(|path| !matches!(**path, "ttl" | "expireTime" | "expire_time")) {
            return Err(Refusal::invalid(format!(
                "* UpdateCachedContentRequest.update_mask: {path} cannot be changed, only ttl and expire_time"
            )));
        }
        let counts =
            |name: &str| mask.is_empty() || mask.iter().any(|path| path.replace("expire_time", "expireTime") == name);
        let changed: serde_json::Map<String, Value> = ["ttl", "expireTime"]
            .into_iter()
            .filter(|name| counts(name))
            .filter_map(|name| Some((name.to_owned(), body.get(name)?.clone())))
            .collect();
        let ends = Ends::of(&Value::Object(changed))?
            .ok_or_else(|| Refusal::invalid("* UpdateCachedContentRequest: there is nothing to change"))?;
        let now = clock.tick();
        let expire_time = ends.from(now)?;
        let content = self.kept.get_mut(&number).ok_or_else(unknown)?;
        content.expire_time = expire_time;
        content.update_time = micros(now);
        ok(content)
    }

    pub(super) fn delete(&mut self, name: &str) -> Answered {
        let number = self.find(name)?;
        self.kept.remove(&number);
        Ok(nothing())
    }

    fn find(&self, name: &str) -> Result<u64, Refusal> {
        let named = |content: &CachedContent| content.name.strip_prefix("cachedContents/") == Some(name);
        self.kept.iter().find(|(_, content)| named(content)).map(|(number, _)| *number).ok_or_else(unknown)
    }
}

fn unknown() -> Refusal {
    Refusal::no_permission("CachedContent not found (or permission denied)")
}

/// When it is let go.
enum Ends {
    In(SignedDuration),
    At(Timestamp),
}

impl Ends {
    fn of(body: &Value) -> Result<Option<Self>, Refusal> {
        let text = |name: &str| body.get(name).filter(|value| !value.is_null());
        let bad = |name: &str| Refusal::invalid(format!("Invalid value at 'cached_content.{name}'"));
        match (text("ttl"), text("expireTime")) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Refusal::invalid("oneof field 'expiration' is already set: ttl or expire_time")),
            (Some(ttl), None) => ttl.as_str().and_then(span).map(|span| Some(Self::In(span))).ok_or_else(|| bad("ttl")),
            (None, Some(time)) => {
                let time = time.as_str().and_then(|text| text.parse().ok());
                time.map(|time| Some(Self::At(time))).ok_or_else(|| bad("expire_time"))
            }
        }
    }

    fn from(self, now: Timestamp) -> Result<String, Refusal> {
        let end = match self {
            Self::In(span) => now.checked_add(span).map_err(|_| Refusal::invalid("ttl is too long"))?,
            Self::At(end) => end,
        };
        if end <= now {
            return Err(Refusal::invalid("expire_time must be in the future"));
        }
        Ok(nanos(end))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cached_contents: Vec<&'a CachedContent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}
