//! `models`.

use serde::Serialize;

use super::page::Page;
use super::refusal::Refusal;
use super::{Answered, ok};
use crate::corpus::models::{MODELS, Model};
use crate::mock::request::Request;

pub(super) fn list(request: &Request) -> Answered {
    let page = Page::of(request, "models", 50, 1_000)?;
    let (models, next_page_token) = page.cut((1..).zip(MODELS));
    ok(&List { models, next_page_token })
}

pub(super) fn one(name: &str) -> Answered {
    let model = MODELS.iter().find(|model| model.name.strip_prefix("models/") == Some(name));
    ok(model.ok_or_else(|| {
        Refusal::not_found(format!(
            "Model is not found: models/{name} for api version v1beta. Call ListModels to see the list of available models and their \
             supported methods."
        ))
    })?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    models: Vec<&'static Model>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}
