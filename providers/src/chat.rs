//! A conversation that remembers what was said.

use std::ops::ControlFlow;

use crate::error::Error;
use crate::provider::Provider;
use crate::types::{Content, Data, GenerateContentRequest, GenerateContentResponse, Part};

/// A conversation with a model, over any [`Provider`].
///
/// Each turn sends the whole history, and what the model answers is added to it as it came: thought signatures and function calls too.
/// A turn that fails leaves the history as it was, so that it can be tried again.
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// use plimsoll_providers::{Chat, Error, Provider};
///
/// # async fn example(provider: impl Provider) -> Result<(), Error> {
/// let mut chat = Chat::new(&provider).with_system("Answer like a harbour pilot.");
/// println!("{}", chat.send("What is a Plimsoll line?").await?.text());
/// let on_event = |event: &_| {
///     let event: &plimsoll_providers::GenerateContentResponse = event;
///     print!("{}", event.text());
///     ControlFlow::Continue(())
/// };
/// chat.send_stream("And who was he?", on_event).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Chat<'p, P> {
    provider: &'p P,
    request: GenerateContentRequest,
}

impl<'p, P: Provider> Chat<'p, P> {
    /// A conversation in which nothing was said yet.
    pub fn new(provider: &'p P) -> Self {
        Self::with_request(provider, GenerateContentRequest::default())
    }

    /// A conversation that goes on from `request`: its model, tools and settings go into every turn, and its contents are the history.
    pub fn with_request(provider: &'p P, request: GenerateContentRequest) -> Self {
        Self { provider, request }
    }

    /// The same, with what the model should keep to throughout.
    #[must_use]
    pub fn with_system(mut self, text: impl Into<String>) -> Self {
        self.request.system_instruction = Some(Content::system(text));
        self
    }

    /// What was said so far, in turns.
    pub fn history(&self) -> &[Content] {
        &self.request.contents
    }

    /// Takes out what was said, for instance to keep it.
    pub fn into_history(self) -> Vec<Content> {
        self.request.contents
    }

    /// Says something and waits for the answer.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; the history is then as it was.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<GenerateContentResponse, Error> {
        let mut turn = Turn::begin(&mut self.request, message.into());
        let answer = self.provider.generate(turn.request).await?;
        turn.add(&answer);
        turn.end();
        Ok(answer)
    }

    /// Says something and hands on each event of the answer as it arrives.
    ///
    /// Where `on_event` breaks, what came so far is the answer: it is what was seen.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; the history is then as it was.
    pub async fn send_stream<F>(&mut self, message: impl Into<Message>, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut turn = Turn::begin(&mut self.request, message.into());
        let mut answer = Vec::new();
        let gather = |event: &GenerateContentResponse| {
            merge(&mut answer, event);
            on_event(event)
        };
        self.provider.stream(turn.request, gather).await?;
        turn.answer = answer;
        turn.end();
        Ok(())
    }
}

/// What is said in one turn: a text, parts, or a whole content.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(Content);

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self(Content::user([Part::text(text)]))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self(Content::user([Part::text(text)]))
    }
}

impl From<Vec<Part>> for Message {
    fn from(parts: Vec<Part>) -> Self {
        Self(Content::user(parts))
    }
}

impl From<Content> for Message {
    fn from(content: Content) -> Self {
        Self(content)
    }
}

/// A turn at hand. Dropped before its end, by an error or by whoever cancels, it takes back what was said.
struct Turn<'r> {
    request: &'r mut GenerateContentRequest,
    answer: Vec<Part>,
    ended: bool,
}

impl<'r> Turn<'r> {
    fn begin(request: &'r mut GenerateContentRequest, message: Message) -> Self {
        request.contents.push(message.0);
        Self { request, answer: Vec::new(), ended: false }
    }

    fn add(&mut self, answer: &GenerateContentResponse) {
        self.answer.extend(parts(answer).cloned());
    }

    fn end(mut self) {
        // A blocked prompt has no answer; it is not asked again with the next one.
        if !self.answer.is_empty() {
            self.request.contents.push(Content::model(std::mem::take(&mut self.answer)));
            self.ended = true;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.request.contents.pop();
        }
    }
}

fn parts(answer: &GenerateContentResponse) -> impl Iterator<Item = &Part> {
    let content = answer.candidates.first().and_then(|candidate| candidate.content.as_ref());
    content.into_iter().flat_map(|content| &content.parts)
}

/// Adds an event's parts. Texts that follow each other become one, unless one of them carries something that belongs to it alone.
fn merge(answer: &mut Vec<Part>, event: &GenerateContentResponse) {
    let plain = |part: &Part| part.thought_signature.is_none() && part.extra.is_empty();
    for part in parts(event) {
        match (answer.last_mut(), &part.data) {
            (Some(last), Data::Text(more)) if plain(last) && plain(part) && last.is_thought() == part.is_thought() => {
                match &mut last.data {
                    Data::Text(text) => text.push_str(more),
                    _ => answer.push(part.clone()),
                }
            }
            _ => answer.push(part.clone()),
        }
    }
}
