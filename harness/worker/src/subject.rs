//! What a subject brings: a client, and the two things to do with it.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::{Env, Failure, Request, Sink};

/// A client to be measured. [`subject!`](crate::subject) makes one of closures; [`Parts`] does without the macro.
pub trait Subject: Copy + Send + Sync + 'static {
    /// The client, shared by all requests in flight.
    type Client: Send + Sync + 'static;

    /// Makes the client; sends nothing yet.
    fn client(self, env: Env) -> impl Future<Output = Result<Self::Client, Failure>>;

    /// Asks once and reads the answer whole.
    fn chat(
        self,
        client: Arc<Self::Client>,
        request: Request,
        sink: Sink,
    ) -> impl Future<Output = Result<(), Failure>> + Send + 'static;

    /// Asks once and takes the answer's text as it comes.
    fn stream(
        self,
        client: Arc<Self::Client>,
        request: Request,
        sink: Sink,
    ) -> impl Future<Output = Result<(), Failure>> + Send + 'static;
}

/// A subject made of functions, put together in the order client, chat, stream.
pub struct Parts<C, New, Chat, Stream> {
    new: New,
    chat: Chat,
    stream: Stream,
    client: PhantomData<fn() -> C>,
}

impl<C, New> Parts<C, New, (), ()> {
    /// How the client is made.
    pub fn client<Made, E>(new: New) -> Self
    where
        New: Fn(Env) -> Made,
        Made: Future<Output = Result<C, E>>,
    {
        Self { new, chat: (), stream: (), client: PhantomData }
    }

    /// How to ask: the answer's text goes to the sink.
    pub fn chat<Chat, Asked, E>(self, chat: Chat) -> Parts<C, New, Chat, ()>
    where
        Chat: Fn(Arc<C>, Request, Sink) -> Asked,
        Asked: Future<Output = Result<(), E>> + Send + 'static,
    {
        Parts { new: self.new, chat, stream: (), client: PhantomData }
    }
}

impl<C, New, Chat> Parts<C, New, Chat, ()> {
    /// How to stream: each piece of text goes to the sink as it comes.
    pub fn stream<Stream, Asked, E>(self, stream: Stream) -> Parts<C, New, Chat, Stream>
    where
        Stream: Fn(Arc<C>, Request, Sink) -> Asked,
        Asked: Future<Output = Result<(), E>> + Send + 'static,
    {
        Parts { new: self.new, chat: self.chat, stream, client: PhantomData }
    }
}

impl<C, New: Clone, Chat: Clone, Stream: Clone> Clone for Parts<C, New, Chat, Stream> {
    fn clone(&self) -> Self {
        let Self { new, chat, stream, client } = self;
        Self { new: new.clone(), chat: chat.clone(), stream: stream.clone(), client: *client }
    }
}

impl<C, New: Copy, Chat: Copy, Stream: Copy> Copy for Parts<C, New, Chat, Stream> {}

impl<C, New, Chat, Stream, Made, Asked, Streamed, E1, E2, E3> Subject for Parts<C, New, Chat, Stream>
where
    C: Send + Sync + 'static,
    New: Fn(Env) -> Made + Copy + Send + Sync + 'static,
    Made: Future<Output = Result<C, E1>> + 'static,
    Chat: Fn(Arc<C>, Request, Sink) -> Asked + Copy + Send + Sync + 'static,
    Asked: Future<Output = Result<(), E2>> + Send + 'static,
    Stream: Fn(Arc<C>, Request, Sink) -> Streamed + Copy + Send + Sync + 'static,
    Streamed: Future<Output = Result<(), E3>> + Send + 'static,
    E1: Into<Failure> + 'static,
    E2: Into<Failure> + 'static,
    E3: Into<Failure> + 'static,
{
    type Client = C;

    async fn client(self, env: Env) -> Result<C, Failure> {
        (self.new)(env).await.map_err(Into::into)
    }

    async fn chat(self, client: Arc<C>, request: Request, sink: Sink) -> Result<(), Failure> {
        (self.chat)(client, request, sink).await.map_err(Into::into)
    }

    async fn stream(self, client: Arc<C>, request: Request, sink: Sink) -> Result<(), Failure> {
        (self.stream)(client, request, sink).await.map_err(Into::into)
    }
}
