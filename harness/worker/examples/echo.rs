//! The subject of the crate's documentation, word for word, on a provider that needs no network: it answers with the prompt.

use std::convert::Infallible;

struct MyProvider;

struct Answer {
    text: String,
}

impl MyProvider {
    fn new(_base_url: String, _key: String, _ca: String) -> Result<Self, Infallible> {
        Ok(Self)
    }

    async fn generate(&self, prompt: impl AsRef<str>) -> Result<Answer, Infallible> {
        Ok(Answer { text: prompt.as_ref().to_owned() })
    }

    async fn stream(&self, prompt: impl AsRef<str>, mut on_text: impl FnMut(&str)) -> Result<(), Infallible> {
        prompt.as_ref().split_inclusive(' ').for_each(&mut on_text);
        Ok(())
    }
}

plimsoll_worker::subject! {               // src/bin/plimsoll_subject.rs; one such 3-line bin per allocator wanted
  client: |env| async move { MyProvider::new(env.base_url, env.key, env.ca) },
  chat:   |c, req| async move { c.generate(req).await.map(|r| r.text) },
  stream: |c, req, on_text| async move { c.stream(req, on_text).await },
}
