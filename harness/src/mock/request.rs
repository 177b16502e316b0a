//! A request as the mock needs it, whichever protocol brought it.

use http::{HeaderMap, Method};

use super::control::key_digest;
use super::script::{Script, ScriptError};
use super::service::Route;
use super::service::intake::Taken;
use super::state::State;
use crate::corpus::Call;

/// What was asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The path behind the script, without a query.
    pub(super) path: String,
    /// The script as the client spelled it; `None` for the default one.
    pub(super) spelled: Option<String>,
    pub(super) script: Result<Script, ScriptError>,
    /// How an answer is asked for; `None` for a path that does not generate.
    pub(super) call: Option<Call>,
    /// The endpoint, where it is not one that generates.
    pub(super) route: Option<Route>,
    /// Scheme, host and script: what stood before the path, for addresses that lead back here.
    pub(super) base: String,
    /// Over HTTP/2.
    pub(super) http2: bool,
    /// What was kept of the body.
    pub(super) taken: Taken,
    /// The query, decoded, without a key.
    parameters: Vec<(String, String)>,
    /// The headers of an upload, by what follows `x-goog-upload-`.
    upload: Vec<(String, String)>,
    /// The key's digest. The key itself goes no further than this.
    pub(super) key: Option<String>,
    pub(super) key_in_url: bool,
    pub(super) takes_gzip: bool,
    /// The client wants the connection closed after the answer.
    pub(super) wants_close: bool,
}

impl Request {
    /// Reads `target` (path and query) and the headers that matter.
    pub(super) fn new(method: Method, target: &str, headers: &HeaderMap, default: &Script) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (spelled, rest) = split_script(path);
        let (before, path) = path.split_at(path.len() - rest.len());
        let script = spelled.as_deref().map_or_else(|| Ok(default.clone()), str::parse);
        let mut parameters: Vec<_> = query.split('&').filter_map(parameter).collect();
        let key = parameters.iter().position(|(name, _)| name == "key").map(|at| parameters.swap_remove(at).1);
        let sse = parameters.iter().any(|(name, value)| name == "alt" && value == "sse");
        let call = match path.rsplit_once(':') {
            Some((_, "generateContent")) => Some(Call::Unary),
            Some((_, "streamGenerateContent")) if sse => Some(Call::Sse),
            Some((_, "streamGenerateContent")) => Some(Call::Array),
            _ => None,
        };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let key_in_url = key.is_some();
        let upload = headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().strip_prefix("x-goog-upload-")?.to_owned(), value.to_str().ok()?.to_owned()))
        });
        let mut request = Self {
            method,
            path: path.to_owned(),
            spelled,
            script,
            call,
            route: None,
            base: format!("http://{}{before}", header("host").unwrap_or("localhost")),
            http2: false,
            taken: Taken::Dropped,
            parameters,
            upload: upload.collect(),
            key: header("x-goog-api-key").or(key.as_deref()).filter(|key| !key.is_empty()).map(key_digest),
            key_in_url,
            takes_gzip: header("accept-encoding").is_some_and(offers_gzip),
            wants_close: header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
        };
        request.route = Route::of(&request);
        if request.route.as_ref().is_some_and(Route::takes_bearer) {
            let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            request.key = request.key.or(bearer.filter(|key| !key.is_empty()).map(key_digest));
        }
        request
    }

    /// The same over TLS.
    pub(super) fn over_tls(mut self) -> Self {
        self.base = self.base.replacen("http://", "https://", 1);
        self
    }

    /// The same by the script that the control socket named, if it named one.
    pub(super) fn served_by(mut self, state: &State) -> Self {
        if let Some(script) = state.serving() {
            self.script = Ok(script);
        }
        self
    }

    /// The same over HTTP/2, which says the host in a place of its own.
    pub(super) fn over_http2(mut self, authority: &str) -> Self {
        self.http2 = true;
        self.base = self.base.replacen("localhost", authority, 1);
        self
    }

    /// The first value of a field of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The value of the header `x-goog-upload-NAME`.
    pub(super) fn upload_header(&self, name: &str) -> Option<&str> {
        self.upload.iter().find(|(header, _)| header == name).map(|(_, value)| value.trim())
    }

    /// What `x-goog-upload-command` commands.
    pub(super) fn upload_commands(&self) -> impl Iterator<Item = &str> {
        self.upload_header("command")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|command| !command.is_empty())
    }
}

/// A field of a query, decoded.
fn parameter(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=')?;
    Some((name.to_owned(), percent_decoded(&value.replace('+', " "))))
}

/// The script of `/s/<script>/…`, decoded, and the path behind it.
fn split_script(path: &str) -> (Option<String>, &str) {
    match path.strip_prefix("/s/") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (Some(percent_decoded(&rest[..end])), &rest[end..])
        }
        None => (None, path),
    }
}

/// Decodes `%XX`; a `%` that begins no such pair stays, so that `cut=50%` may be written as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let decoded = pair.filter(|pair| byte == b'%' && pair.bytes().all(|b| b.is_ascii_hexdigit()));
        match decoded.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(value) => {
                bytes.push(value);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn offers_gzip(value: &str) -> bool {
    value.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && weight.trim() != "q=0"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str) -> Request {
        Request::new(Method::POST, target, &HeaderMap::new(), &Script::default())
    }

    #[test]
    fn the_script_is_taken_off_the_path() {
        let asked = request("/s/stream+cut=50%/v1beta/models/m:streamGenerateContent?alt=sse");
        assert_eq!(asked.script.unwrap().to_string(), "stream+cut=50%");
        assert_eq!(asked.path, "/v1beta/models/m:streamGenerateContent");
        assert_eq!(asked.call, Some(Call::Sse));
    }

    #[test]
    fn percent_signs_may_be_coded_or_not() {
        assert_eq!(percent_decoded("stream+cut=50%25"), "stream+cut=50%");
        assert_eq!(percent_decoded("stream+cut=50%-fin"), "stream+cut=50%-fin");
        assert_eq!(percent_decoded("a%2"), "a%2");
        assert_eq!(percent_decoded("é%é"), "é%é");
    }

    #[test]
    fn without_a_script_the_default_holds() {
        let asked = request("/v1beta/models/m:generateContent");
        assert_eq!((asked.script, asked.call), (Ok(Script::default()), Some(Call::Unary)));
        assert_eq!(request("/v1beta/models").call, None);
    }

    #[test]
    fn a_query_is_decoded_and_the_way_back_has_the_script() {
        let asked = Request::new(
            Method::GET,
            "/s/chat+close/v1beta/files?pageToken=3%2Fab%3D%3D&pageSize=2",
            &HeaderMap::new(),
            &Script::default(),
        );
        assert_eq!((asked.parameter("pageToken"), asked.parameter("pageSize")), (Some("3/ab=="), Some("2")));
        assert_eq!(asked.route, Some(Route::FileList));
        assert_eq!(asked.over_tls().over_http2("there:1").base, "https://there:1/s/chat+close");
    }

    #[test]
    fn a_key_is_kept_as_its_digest_only() {
        let asked = request("/v1beta/models/m:generateContent?key=canary");
        assert!(asked.key_in_url);
        assert_eq!(asked.key, Some(key_digest("canary")));
        assert!(!format!("{asked:?}").contains("canary"));
    }
}
