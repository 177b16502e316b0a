//! Where requests go.

use std::fmt::Write;

use crate::config::Config;
use crate::endpoint::model_path;
use crate::error::Error;
use crate::options::StreamForm;

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Generate,
    Stream,
    StreamArray,
}

impl Method {
    /// The method that streams in this form.
    pub(crate) const fn stream(form: StreamForm) -> Self {
        match form {
            StreamForm::Sse => Self::Stream,
            StreamForm::Array => Self::StreamArray,
        }
    }

    /// What follows the model's name in the address.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Generate => ":generateContent",
            Self::StreamArray => ":streamGenerateContent",
            Self::Stream => ":streamGenerateContent?alt=sse",
        }
    }
}

/// An address before it is written: only borrowed parts, so that the writer chooses where it is written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address<'a> {
    base: &'a str,
    version: &'a str,
    collection: &'static str,
    model: &'a str,
    method: Method,
}

impl<'a> Address<'a> {
    /// The address of `method` on `model`, or on the default model.
    pub(crate) fn new(config: &'a Config, model: Option<&'a str>, method: Method) -> Result<Self, Error> {
        let model = model.unwrap_or(&config.default_model);
        let (collection, name) = model_path(model)?;
        Ok(Self { base: config.base(), version: &config.api_version, collection, model: name, method })
    }

    /// Writes the address.
    pub(crate) fn write(&self, to: &mut impl Write) -> std::fmt::Result {
        let Self { base, version, collection, model, method } = self;
        write!(to, "{base}/{version}/{collection}{model}{}", method.suffix())
    }

    /// The address in one allocation of its length.
    pub(crate) fn text(&self) -> String {
        let Self { base, version, collection, model, method } = self;
        [base, "/", version, "/", collection, model, method.suffix()].concat()
    }

    /// The address as reqwest wants it.
    pub(crate) fn parse(text: &str) -> Result<reqwest::Url, Error> {
        reqwest::Url::parse(text).map_err(|error| Error::config(format!("base_url and model make no URL: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(base: Option<&str>, model: Option<&str>, method: Method) -> Result<String, Error> {
        let config = Config { base_url: base.map(str::to_owned), ..Config::default() };
        let (address, mut text) = (Address::new(&config, model, method)?, String::new());
        address.write(&mut text).unwrap();
        assert_eq!(address.text(), text);
        Ok(text)
    }

    #[test]
    fn addresses_follow_the_base_with_its_prefix() {
        let public = written(None, None, Method::Generate).unwrap();
        assert_eq!(public, "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent");
        let prefixed = written(Some("http://localhost:1/s/chat/"), None, Method::Stream).unwrap();
        assert_eq!(prefixed, "http://localhost:1/s/chat/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    }

    #[test]
    fn a_model_may_name_its_collection() {
        for (model, path) in
            [("m-1.5_x@1", "models/m-1.5_x@1:"), ("models/m", "/models/m:"), ("tunedModels/m", "v1beta/tunedModels/m:")]
        {
            let text = written(None, Some(model), Method::Generate).unwrap();
            assert!(text.contains(path), "{text}");
        }
    }

    #[test]
    fn a_model_cannot_lead_elsewhere() {
        for model in [
            "",
            ".",
            "..",
            "models/",
            "models/..",
            "a/b",
            "models/a/b",
            "a?key=1",
            "a#b",
            "a b",
            "a:countTokens",
            "a%2fb",
            "é",
        ] {
            let error = written(None, Some(model), Method::Generate).unwrap_err().to_string();
            assert!(error.contains("is no model's name"), "{model:?}: {error}");
        }
    }
}
