//! Which endpoint a method and a path are.

use http::Method;

use crate::mock::request::Request;

/// An endpoint that [`super::Service`] answers. Names are without their collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) enum Route {
    /// Generating, in another API's form.
    Completions,
    CountTokens,
    Embed(String),
    BatchEmbed(String),
    Models,
    Model(String),
    CreateCached,
    CachedList,
    Cached(String),
    UpdateCached(String),
    DeleteCached(String),
    FileList,
    File(String),
    DeleteFile(String),
    StartUpload,
    /// A session of an upload, by its id.
    Upload(String),
}

impl Route {
    /// The endpoint that `request` asks; `None` for generating and for what the service does not have.
    pub(in crate::mock) fn of(request: &Request) -> Option<Self> {
        let mut segments = request.path.strip_prefix('/')?.split('/');
        let mut first = segments.next()?;
        let uploads = first == "upload";
        if uploads {
            first = segments.next()?;
        }
        if !matches!(first, "v1" | "v1beta" | "v1alpha") {
            return None;
        }
        let (collection, name) = (segments.next()?, segments.next());
        if collection == "openai" {
            let rest = [name, segments.next(), segments.next()];
            let asked = rest == [Some("chat"), Some("completions"), None] && request.method == Method::POST && !uploads;
            return asked.then_some(Self::Completions);
        }
        if segments.next().is_some() || name == Some("") {
            return None;
        }
        if uploads {
            return (collection == "files" && name.is_none() && request.method == Method::POST).then(|| {
                request.parameter("upload_id").map_or(Self::StartUpload, |session| Self::Upload(session.to_owned()))
            });
        }
        let owned = name.map(str::to_owned);
        match (collection, request.method.as_str(), owned) {
            ("models", "POST", Some(name)) => {
                let (model, action) = name.split_once(':')?;
                match action {
                    "countTokens" => Some(Self::CountTokens),
                    "embedContent" => Some(Self::Embed(model.to_owned())),
                    "batchEmbedContents" => Some(Self::BatchEmbed(model.to_owned())),
                    _ => None,
                }
            }
            ("models", "GET", None) => Some(Self::Models),
            ("models", "GET", Some(name)) if !name.contains(':') => Some(Self::Model(name)),
            ("cachedContents", "POST", None) => Some(Self::CreateCached),
            ("cachedContents", "GET", None) => Some(Self::CachedList),
            ("cachedContents", "GET", Some(name)) => Some(Self::Cached(name)),
            ("cachedContents", "PATCH", Some(name)) => Some(Self::UpdateCached(name)),
            ("cachedContents", "DELETE", Some(name)) => Some(Self::DeleteCached(name)),
            ("files", "GET", None) => Some(Self::FileList),
            ("files", "GET", Some(name)) => Some(Self::File(name)),
            ("files", "DELETE", Some(name)) => Some(Self::DeleteFile(name)),
            _ => None,
        }
    }

    /// Whether the key comes as a bearer token, as it does in that other API.
    pub(in crate::mock) fn takes_bearer(&self) -> bool {
        matches!(self, Self::Completions)
    }

    /// Whether the request needs no key: whoever knows a session's id was given it.
    pub(in crate::mock) fn is_open(&self) -> bool {
        matches!(self, Self::Upload(_))
    }
}
