//! Lists, page by page.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::describe;
use crate::error::Error;
use crate::provider::Provider;
use crate::types::{
    CachedContent, File, ListCachedContentsResponse, ListFilesResponse, ListModelsResponse, ListRequest, Model,
};

/// A page of a list.
pub trait Listing: DeserializeOwned + Send {
    /// What is listed.
    type Item: Send;

    /// The path of the list.
    const COLLECTION: &'static str;

    /// What errors call it.
    const EXPECTED: &'static str;

    /// The entries, and what leads to the next page.
    fn into_parts(self) -> (Vec<Self::Item>, Option<String>);
}

impl Listing for ListModelsResponse {
    type Item = Model;
    const COLLECTION: &'static str = "models";
    const EXPECTED: &'static str = "a list of models";

    fn into_parts(self) -> (Vec<Model>, Option<String>) {
        (self.models, self.next_page_token)
    }
}

impl Listing for ListCachedContentsResponse {
    type Item = CachedContent;
    const COLLECTION: &'static str = "cachedContents";
    const EXPECTED: &'static str = "a list of cached contents";

    fn into_parts(self) -> (Vec<CachedContent>, Option<String>) {
        (self.cached_contents, self.next_page_token)
    }
}

impl Listing for ListFilesResponse {
    type Item = File;
    const COLLECTION: &'static str = "files";
    const EXPECTED: &'static str = "a list of files";

    fn into_parts(self) -> (Vec<File>, Option<String>) {
        (self.files, self.next_page_token)
    }
}

/// Reads a list page by page: only one page is held at a time.
pub struct Pager<'p, P, L> {
    provider: &'p P,
    /// `None` after the last page.
    next: Option<ListRequest>,
    listing: PhantomData<fn() -> L>,
}

impl<'p, P: Provider, L: Listing> Pager<'p, P, L> {
    pub(crate) fn new(provider: &'p P, page_size: Option<u32>) -> Self {
        let first = ListRequest { page_size, page_token: None };
        Self { provider, next: Some(first), listing: PhantomData }
    }

    /// The next page's entries, which may be none; `None` after the last page.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; the page can then be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<L::Item>>, Error> {
        let Some(request) = &self.next else { return Ok(None) };
        let (items, token) = self.provider.ask(describe::list::<L>(request)).await?.into_parts();
        let token = token.filter(|token| !token.is_empty());
        if token.is_some() && token == request.page_token {
            return Err(Error::answer(L::EXPECTED, "its next page is the page itself"));
        }
        self.next = token.map(|token| ListRequest { page_size: request.page_size, page_token: Some(token) });
        Ok(Some(items))
    }

    /// The entries of all pages that are left.
    ///
    /// # Errors
    ///
    /// As [`next_page`](Self::next_page).
    pub async fn all(mut self) -> Result<Vec<L::Item>, Error> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }
}

impl<P, L> fmt::Debug for Pager<'_, P, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager").field("next", &self.next).finish_non_exhaustive()
    }
}
