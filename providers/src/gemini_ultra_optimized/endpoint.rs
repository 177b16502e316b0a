//! Addresses, by the techniques that concern them.

use std::fmt;
use std::str;
use std::sync::OnceLock;

use reqwest::Url;
use smallvec::SmallVec;

use crate::config::Config;
use crate::error::Error;
use crate::net::{Address, Method};
use crate::technique::{Technique, Techniques};

/// The addresses of the API's methods, the default model's kept once they were made.
#[derive(Debug)]
pub(super) struct Endpoints {
    config: Config,
    techniques: Techniques,
    generate: OnceLock<Url>,
    stream: OnceLock<Url>,
    stream_array: OnceLock<Url>,
}

impl Endpoints {
    pub(super) fn new(config: Config, techniques: Techniques) -> Self {
        Self { config, techniques, generate: OnceLock::new(), stream: OnceLock::new(), stream_array: OnceLock::new() }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn url(&self, model: Option<&str>, method: Method) -> Result<Url, Error> {
        if model.is_some() || !self.techniques.contains(Technique::OnceLockModels) {
            return self.compose(model, method);
        }
        let kept = match method {
            Method::Generate => &self.generate,
            Method::Stream => &self.stream,
            Method::StreamArray => &self.stream_array,
        };
        if let Some(url) = kept.get() {
            return Ok(url.clone());
        }
        let url = self.compose(None, method)?;
        Ok(kept.get_or_init(|| url).clone())
    }

    fn compose(&self, model: Option<&str>, method: Method) -> Result<Url, Error> {
        let address = Address::new(&self.config, model, method)?;
        if self.techniques.contains(Technique::SmallVecUrl) {
            let mut text = StackText::default();
            // Writing to memory does not fail.
            let _ = address.write(&mut text);
            Address::parse(text.as_str())
        } else {
            Address::parse(&address.text())
        }
    }
}

/// Text on the stack; addresses of the public API have about 110 bytes.
#[derive(Default)]
struct StackText(SmallVec<[u8; 192]>);

impl StackText {
    fn as_str(&self) -> &str {
        // Only whole strings are written.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Write for StackText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::technique::Level;

    const BOTH: Techniques = Techniques::NONE.with(Technique::OnceLockModels).with(Technique::SmallVecUrl);

    #[test]
    fn every_combination_gives_the_same_address() {
        for techniques in
            [Techniques::NONE, BOTH, BOTH.without(Technique::SmallVecUrl), BOTH.without(Technique::OnceLockModels)]
        {
            let endpoints = Endpoints::new(Config::default(), techniques);
            for _ in 0..2 {
                let url = endpoints.url(None, Method::Stream).unwrap();
                assert!(
                    url.as_str().ends_with("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
                    "{url}"
                );
                let url = endpoints.url(Some("other"), Method::Generate).unwrap();
                assert!(url.as_str().ends_with("/v1beta/models/other:generateContent"), "{url}");
            }
        }
    }

    #[test]
    fn only_the_default_models_address_is_kept_and_only_with_the_technique() {
        let keeping = Endpoints::new(Config::default(), Techniques::all(Level::Ultra));
        keeping.url(Some("other"), Method::Generate).unwrap();
        assert!(keeping.generate.get().is_none());
        keeping.url(None, Method::Generate).unwrap();
        assert!(keeping.generate.get().is_some() && keeping.stream.get().is_none());
        let without = Endpoints::new(Config::default(), Techniques::NONE);
        without.url(None, Method::Generate).unwrap();
        assert!(without.generate.get().is_none());
    }

    #[test]
    fn an_address_longer_than_the_stacks_room_is_whole() {
        let config = Config { base_url: Some(format!("http://localhost/{}", "p".repeat(500))), ..Config::default() };
        let url = Endpoints::new(config, BOTH).url(None, Method::Generate).unwrap();
        assert!(url.as_str().len() > 500 && url.as_str().ends_with(":generateContent"));
    }
}
