//! The endpoints: method, path, query and body, and the type of the answer.

use http::Method;

use super::name::{resource, with_query};
use super::pager::Listing;
use super::{Endpoint, model_path};
use crate::call::Call;
use crate::error::Error;
use crate::types::{
    BatchEmbedContentsRequest, BatchEmbedContentsResponse, CachedContent, CountTokensRequest, CountTokensResponse,
    EmbedContentRequest, EmbedContentResponse, File, ListRequest, Model,
};

type Described<T> = Result<Endpoint<T>, Error>;

pub(crate) fn count_tokens(request: &CountTokensRequest, default_model: &str) -> Described<CountTokensResponse> {
    let path = on_model(request.model.as_deref().unwrap_or(default_model), ":countTokens")?;
    let call = Call::json(Method::POST, path, &request.body(default_model))?.repeatable();
    Ok(Endpoint::json(call, "a countTokens answer"))
}

pub(crate) fn embed(request: &EmbedContentRequest) -> Described<EmbedContentResponse> {
    let call = Call::json(Method::POST, on_model(&request.model, ":embedContent")?, request)?.repeatable();
    Ok(Endpoint::json(call, "an embedContent answer"))
}

pub(crate) fn batch_embed(request: &BatchEmbedContentsRequest) -> Described<BatchEmbedContentsResponse> {
    let Some(first) = request.requests.first() else {
        return Err(Error::config("a batch of no contents: embed at least one"));
    };
    let call = Call::json(Method::POST, on_model(&first.model, ":batchEmbedContents")?, request)?.repeatable();
    Ok(Endpoint::json(call, "a batchEmbedContents answer"))
}

pub(crate) fn model(name: &str) -> Described<Model> {
    let call = Call::new(Method::GET, on_model(name, "")?);
    Ok(Endpoint::json(call, "a model"))
}

pub(crate) fn list<L: Listing>(request: &ListRequest) -> Described<L> {
    let size = request.page_size.map(|size| size.to_string());
    let size = size.as_deref().map(|size| ("pageSize", size));
    let token = request.page_token.as_deref().map(|token| ("pageToken", token));
    let call = Call::new(Method::GET, with_query(L::COLLECTION, size.into_iter().chain(token)));
    Ok(Endpoint::json(call, L::EXPECTED))
}

pub(crate) fn cached_content(name: &str) -> Described<CachedContent> {
    Ok(Endpoint::json(Call::new(Method::GET, resource("cachedContents", name)?), "a cached content"))
}

pub(crate) fn create_cached_content(content: &CachedContent) -> Described<CachedContent> {
    let call = Call::json(Method::POST, "cachedContents", content)?;
    Ok(Endpoint::json(call, "a cached content"))
}

pub(crate) fn update_cached_content(
    name: &str,
    content: &CachedContent,
    update_mask: &[&str],
) -> Described<CachedContent> {
    let path = resource("cachedContents", name)?;
    let mask = update_mask.join(",");
    let path = with_query(&path, (!mask.is_empty()).then_some(("updateMask", &*mask)));
    Ok(Endpoint::json(Call::json(Method::PATCH, path, content)?, "a cached content"))
}

pub(crate) fn delete_cached_content(name: &str) -> Described<()> {
    Ok(Endpoint::nothing(Call::new(Method::DELETE, resource("cachedContents", name)?), "an empty answer"))
}

pub(crate) fn file(name: &str) -> Described<File> {
    Ok(Endpoint::json(Call::new(Method::GET, resource("files", name)?), "a file"))
}

pub(crate) fn delete_file(name: &str) -> Described<()> {
    Ok(Endpoint::nothing(Call::new(Method::DELETE, resource("files", name)?), "an empty answer"))
}

fn on_model(model: &str, action: &str) -> Result<String, Error> {
    let (collection, name) = model_path(model)?;
    Ok([collection, name, action].concat())
}
