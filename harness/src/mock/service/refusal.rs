//! Refusals in the service's form.

use serde_json::json;

use crate::corpus::json;
use crate::mock::answer::Answer;

/// Why something was not done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: u16,
    status: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { code: 400, status: "INVALID_ARGUMENT", message: message.into() }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { code: 404, status: "NOT_FOUND", message: message.into() }
    }

    /// The service does not tell those who may not see a thing from those who ask for one that is not there.
    pub(super) fn no_permission(message: impl Into<String>) -> Self {
        Self { code: 403, status: "PERMISSION_DENIED", message: message.into() }
    }

    pub(super) fn exists(message: impl Into<String>) -> Self {
        Self { code: 409, status: "ALREADY_EXISTS", message: message.into() }
    }

    pub(super) fn full(what: &str) -> Self {
        let message = format!("plimsoll mock: it keeps {} {what}; delete some, or reset it", super::MOST);
        Self { code: 429, status: "RESOURCE_EXHAUSTED", message }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, status, message } = refusal;
        let error = json!({ "error": { "code": code, "message": message, "status": status } });
        Self::json(code, json::indented(&error))
    }
}
