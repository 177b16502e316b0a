//! To whom memory is charged: the root of a stack.
//!
//! A stack belongs to the first function on it, from the one that asked outwards, that is the project's own. Where it has none (a task in
//! the background, a thread of the runtime) it goes to a root that is named after what is on it, by [`NAMED`]: nothing is guessed, and what the
//! table does not know is `other`.

use crate::record::Frame;

/// To whom a stack's memory is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root<'a> {
    /// A function of the project's own.
    Own(&'a Frame),
    /// What [`NAMED`] calls it.
    Named(&'static str),
    /// Neither.
    Other,
}

/// The name of what no rule knows.
pub const OTHER: &str = "other";
/// The name of what the C library was asked for by others than Rust's allocator.
pub const C: &str = "C";

/// The worker that is linked into every program that dhat measures; its functions are nobody's own.
pub(crate) const WORKER: &str = "plimsoll-worker";

/// A named root: its name, and the crates of which one must be on the stack, with words of which the function's name must then have one.
type Named = (&'static str, &'static [&'static str], &'static [&'static str]);

/// The named roots. The first that fits is taken: what is more special comes before what it happens in.
pub const NAMED: &[Named] = &[
    ("TLS handshake", &["tokio-rustls"], &["handshake", "Handshake"]),
    ("TLS handshake", &["rustls"], &["::hs::"]),
    ("hyper connection task", &["hyper", "hyper-util"], &[]),
    ("h2 connection task", &["h2"], &[]),
    ("TLS connection", &["rustls", "tokio-rustls", "rustls-webpki", "aws-lc-rs", "ring"], &[]),
    ("tokio runtime", &["tokio", "mio"], &[]),
    ("Plimsoll’s worker", &[WORKER], &[]),
    ("Rust’s runtime", &["std"], &[]),
];

/// Whether a function is the project's own: it lies in the project, and is not the worker's.
#[must_use]
pub fn is_own(frame: &Frame) -> bool {
    frame.own && frame.krate.as_deref() != Some(WORKER)
}

/// The frame whose code asked: the innermost that does not merely pass the request on, as the standard library's do, or the innermost of all.
#[must_use]
pub fn asker<'a>(stack: &[&'a Frame]) -> Option<&'a Frame> {
    stack.iter().find(|frame| frame.krate.as_deref() != Some("std")).or(stack.first()).copied()
}

impl<'a> Root<'a> {
    /// The root of a stack, and the place of the frame that decided it.
    pub fn of(stack: impl Iterator<Item = &'a Frame> + Clone) -> (Self, Option<usize>) {
        Self::by(stack, is_own)
    }

    /// The same, where others say what is the project's own.
    pub fn by(
        stack: impl Iterator<Item = &'a Frame> + Clone,
        is_own: impl Fn(&Frame) -> bool,
    ) -> (Self, Option<usize>) {
        if let Some((at, frame)) = stack.clone().enumerate().find(|(_, frame)| is_own(frame)) {
            return (Self::Own(frame), Some(at));
        }
        // The standard library passes on what others ask for: it is a root only where nobody else is on the stack.
        let is_std = |frame: &Frame| frame.krate.as_deref().is_none_or(|krate| krate == "std");
        let of_std = stack.clone().all(is_std);
        for (name, crates, words) in NAMED.iter().filter(|(_, crates, _)| of_std || *crates != ["std"]) {
            let fits = |frame: &Frame| {
                let of_crate = frame.krate.as_deref().is_some_and(|krate| crates.contains(&krate));
                of_crate && (words.is_empty() || words.iter().any(|word| frame.function.contains(word)))
            };
            if let Some(at) = stack.clone().position(fits) {
                return (Self::Named(name), Some(at));
            }
        }
        (Self::Other, None)
    }

    /// Its name: the function's, or the named root's.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self {
            Self::Own(frame) => &frame.function,
            Self::Named(name) => name,
            Self::Other => OTHER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(krate: &str, function: &str) -> Frame {
        let own = ["mine", WORKER].contains(&krate);
        Frame { function: function.into(), krate: (!krate.is_empty()).then(|| krate.into()), own, ..Frame::default() }
    }

    #[test]
    fn a_stack_belongs_to_its_first_own_function_else_to_a_named_root() {
        for (stack, name, at) in [
            (vec![("serde_json", "parse"), ("mine", "inner"), ("mine", "outer")], "inner", Some(1)),
            (vec![("rustls", "rustls::client::hs::start_handshake"), ("mine", "ask")], "ask", Some(1)),
            (
                vec![("std", "vec"), ("rustls", "rustls::client::hs::emit"), ("hyper-util", "connect")],
                "TLS handshake",
                Some(1),
            ),
            (
                vec![("rustls", "rustls::conn::read"), ("hyper", "poll"), ("tokio", "poll")],
                "hyper connection task",
                Some(1),
            ),
            (vec![("h2", "poll"), ("hyper", "poll")], "hyper connection task", Some(1)),
            (vec![("h2", "poll"), ("tokio", "poll")], "h2 connection task", Some(0)),
            (vec![("ring", "seal"), ("tokio", "poll")], "TLS connection", Some(0)),
            (vec![("std", "spawn"), ("tokio", "build"), (WORKER, "run")], "tokio runtime", Some(1)),
            (vec![(WORKER, "sum"), ("mine", "ask")], "ask", Some(1)),
            (vec![("std", "to_owned"), (WORKER, "read")], "Plimsoll’s worker", Some(1)),
            (vec![("std", "args")], "Rust’s runtime", Some(0)),
            (vec![("std", "vec"), ("left-pad", "pad"), ("std", "main")], OTHER, None),
            (vec![("left-pad", "pad")], OTHER, None),
            (vec![("", "_start")], OTHER, None),
            (vec![], OTHER, None),
        ] {
            let frames: Vec<Frame> = stack.iter().map(|(krate, function)| frame(krate, function)).collect();
            let (root, place) = Root::of(frames.iter());
            assert_eq!((root.name(), place), (name, at), "{stack:?}");
        }
    }
}
