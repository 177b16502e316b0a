//! Levels with something around them that takes more memory, each time by a known amount: what `plimsoll gate --self-test` must find.
//!
//! The programs are those of the levels, each with one client more around its own. What that does besides asking is said by the program's
//! argument ([`Habit`]), so that one build is both sides: the base with `nothing`, the head with a regression. Each regression is a function of its own,
//! by whose name it must be blamed.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;

use plimsoll_providers::{GenerateContentRequest, Provider};
use plimsoll_subjects::ask;
use plimsoll_worker::{Env, Failure, Request};

/// What is done with each request besides asking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Nothing.
    Nothing,
    /// [`allocates_once_more`].
    Allocation,
    /// [`leaks`].
    Leak,
    /// [`clones_the_body`].
    Clone,
    /// [`makes_room`] for twice as much.
    Buffer,
    /// [`builds_a_client`].
    Client,
    /// [`holds`] so many bytes from the beginning: for what resident memory shows, and the self-test does not.
    Resident(usize),
}

impl Habit {
    /// The one that an argument means: `leak`, `resident=065536`.
    fn of(argument: Option<&str>) -> Option<Self> {
        Some(match argument? {
            "nothing" => Self::Nothing,
            "allocation" => Self::Allocation,
            "leak" => Self::Leak,
            "clone" => Self::Clone,
            "buffer" => Self::Buffer,
            "client" => Self::Client,
            other => Self::Resident(other.strip_prefix("resident=")?.parse().ok()?),
        })
    }
}

/// Bytes of the buffer that every request has.
const ROOM: usize = 4096;
/// Bytes that a request leaks.
const LEAK: usize = 64;

type Making<P> = Pin<Box<dyn Future<Output = Result<P, Failure>> + Send>>;

/// A level's client with something around it.
pub struct Wrapped<P> {
    inner: Arc<P>,
    habit: Habit,
    env: Env,
    make: fn(Env) -> Making<P>,
    body: Vec<u8>,
}

impl<P: Provider> Wrapped<P> {
    async fn new(env: Env, make: fn(Env) -> Making<P>) -> Result<Self, Failure> {
        let argument = std::env::args().nth(1);
        let habit = Habit::of(argument.as_deref());
        let habit = habit.ok_or_else(|| Failure::unsupported(format!("the regression {argument:?}")))?;
        if let Habit::Resident(bytes) = habit {
            holds(bytes);
        }
        let body = serde_json::to_vec(&GenerateContentRequest::user_text(env.prompt.as_str()));
        let body = body.map_err(Failure::other)?;
        Ok(Self { inner: Arc::new(make(env.clone()).await?), habit, env, make, body })
    }

    /// What a request takes beyond the level's own; gives what is held until it is answered.
    async fn before(&self) -> Result<Vec<u8>, Failure> {
        let room = makes_room(if self.habit == Habit::Buffer { 2 * ROOM } else { ROOM });
        match self.habit {
            Habit::Nothing | Habit::Buffer | Habit::Resident(_) => {}
            Habit::Allocation => allocates_once_more(),
            Habit::Leak => leaks(),
            Habit::Clone => clones_the_body(&self.body),
            Habit::Client => builds_a_client(&self.env, self.make).await?,
        }
        Ok(room)
    }
}

/// The buffer of a request, zeroed: that comes to the allocator by a way of its own.
#[inline(never)]
fn makes_room(bytes: usize) -> Vec<u8> {
    black_box(vec![0; bytes])
}

/// One allocation more.
#[inline(never)]
fn allocates_once_more() {
    drop(black_box(Box::new(0_u64)));
}

/// What nobody gives back.
#[inline(never)]
fn leaks() {
    std::mem::forget(black_box(Vec::<u8>::with_capacity(LEAK)));
}

/// Memory that is written to and kept as long as the process lives.
#[inline(never)]
fn holds(bytes: usize) {
    std::mem::forget(black_box(vec![1_u8; bytes]));
}

/// A copy that nobody needs.
#[inline(never)]
fn clones_the_body(body: &[u8]) {
    drop(black_box(body.to_vec()));
}

/// A client for this request, and none of its connections.
#[inline(never)]
async fn builds_a_client<P>(env: &Env, make: fn(Env) -> Making<P>) -> Result<(), Failure> {
    drop(black_box(make(env.clone()).await?));
    Ok(())
}

/// Asks once and reads the answer whole.
///
/// # Errors
/// As the level's.
pub async fn chat<P: Provider>(
    client: Arc<Wrapped<P>>,
    request: Request,
    on_text: impl Fn(&str) + Send,
) -> Result<(), Failure> {
    let room = client.before().await?;
    let answer = ask::chat(Arc::clone(&client.inner), request, on_text).await;
    drop(room);
    answer
}

/// Asks once and takes each event as it comes.
///
/// # Errors
/// As the level's.
pub async fn stream<P: Provider>(
    client: Arc<Wrapped<P>>,
    request: Request,
    on_text: impl Fn(&str) + Send,
) -> Result<(), Failure> {
    let room = client.before().await?;
    let answer = ask::stream(Arc::clone(&client.inner), request, on_text).await;
    drop(room);
    answer
}

/// A module for a level, as `subject!` takes it.
macro_rules! wrapped {
    ($(#[$about:meta])* $level:ident) => {
        $(#[$about])*
        pub mod $level {
            use plimsoll_providers::Provider;
            use plimsoll_worker::{Env, Failure};

            pub use super::{chat, stream};

            /// Makes the client.
            ///
            /// # Errors
            /// As the level's; and for an argument that is no regression.
            pub async fn client(env: Env) -> Result<super::Wrapped<impl Provider>, Failure> {
                super::Wrapped::new(env, |env| Box::pin(plimsoll_subjects::$level::client(env))).await
            }
        }
    };
}

wrapped! {
    /// Around `original`.
    original
}
wrapped! {
    /// Around `ultra`.
    ultra
}
wrapped! {
    /// Around `bare`.
    bare
}
