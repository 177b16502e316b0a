//! `subject!`: a whole program in three lines.

/// The program of a subject: its allocator and its `main`.
///
/// - `name:` (default: the package's name) and `allocator:` (`system`, the default; `jemalloc` and `dhat` with the feature of that name).
/// - `client: |env|` a future of `Result<Client, E>`; `env` is an [`Env`](crate::Env). It must send nothing.
/// - `chat: |c, req|` a future of `Result<T, E>` with the answer's text; or `chat: |c, req, on_text|`, a future of `Result<(), E>` which
///   calls `on_text(&str)` with the text's pieces in order, for clients whose answers are no single string.
/// - `stream: |c, req, on_text|` likewise, each piece as it comes.
///
/// `c` is an `Arc` of the client, `req` a [`Request`](crate::Request), `on_text` a function that can be cloned and sent. An `E` is
/// anything that can be displayed, or a [`Failure`](crate::Failure) which also says the kind. Futures are `Send`.
///
/// - `before:` (before the client) an expression that is the very first statement of `main`, ahead of the greeting: for a client whose library
///   must come first, as one that starts this program again for other work. What it does in the measured process is in no growth.
///
/// For more than one program of a subject, put the three functions `client(env)`, `chat(c, req, on_text)` and `stream(c, req, on_text)`
/// in a module and name it instead: `subject! { name: "mine", allocator: jemalloc, module: my_crate::subject }`.
#[macro_export]
macro_rules! subject {
    (
        $(name: $name:expr,)?
        $(allocator: $allocator:ident,)?
        $(before: $before:expr,)?
        module: $($module:ident)::+ $(,)?
    ) => {
        $crate::subject! {
            $(name: $name,)?
            $(allocator: $allocator,)?
            $(before: $before,)?
            client: |env| $($module)::+::client(env),
            chat: |c, req, on_text| $($module)::+::chat(c, req, on_text),
            stream: |c, req, on_text| $($module)::+::stream(c, req, on_text),
        }
    };
    (
        $(name: $name:expr,)?
        $(allocator: $allocator:ident,)?
        $(before: $before:expr,)?
        client: |$env:pat_param| $client:expr,
        chat: |$($chat_arg:pat_param),+| $chat:expr,
        stream: |$($stream_arg:pat_param),+| $stream:expr $(,)?
    ) => {
        $crate::__global_allocator!($($allocator)?);

        fn main() {
            $($before;)?
            $crate::run::<$crate::__allocator!($($allocator)?), _>(
                $crate::about!($($name)?),
                $crate::Parts::client(|$env| $client)
                    .chat($crate::__exchange!(|$($chat_arg),+| $chat))
                    .stream($crate::__exchange!(|$($stream_arg),+| $stream)),
            )
        }
    };
}

/// Who the subject is: a name (default: the package's), its package's version, and whether it is a debug build.
#[macro_export]
macro_rules! about {
    () => {
        $crate::about!(env!("CARGO_PKG_NAME"))
    };
    ($name:expr) => {
        $crate::About { name: $name, version: env!("CARGO_PKG_VERSION"), debug: cfg!(debug_assertions) }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __exchange {
    (|$c:pat_param, $req:pat_param| $answer:expr) => {
        |$c, $req, sink: $crate::Sink| sink.whole($answer)
    };
    (|$c:pat_param, $req:pat_param, $on_text:pat_param| $answer:expr) => {
        |$c, $req, sink: $crate::Sink| {
            let $on_text = sink.on_text();
            $answer
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __allocator {
    () => {
        $crate::allocator::System
    };
    (system) => {
        $crate::allocator::System
    };
    (jemalloc) => {
        $crate::allocator::Jemalloc
    };
    (dhat) => {
        $crate::allocator::Dhat
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __global_allocator {
    () => {
        $crate::__global_allocator!(system);
    };
    (system) => {
        #[global_allocator]
        static GLOBAL: $crate::allocator::GlobalSystem = $crate::allocator::GLOBAL_SYSTEM;
    };
    (jemalloc) => {
        #[global_allocator]
        static GLOBAL: $crate::allocator::GlobalJemalloc = $crate::allocator::GLOBAL_JEMALLOC;
    };
    (dhat) => {
        #[global_allocator]
        static GLOBAL: $crate::allocator::GlobalDhat = $crate::allocator::GlobalDhat;
    };
}
