//! From the symbols of a stack to the frames that say something: what every stack has is left out, and a closure is told of its function.

use plimsoll_reports::record::Frame;

/// The frames of a stack, from the function that asked for memory outwards.
///
/// - The allocator's glue is left out: dhat, the unwinder, and what the standard library does between a caller's `Vec::push` and it. Of that,
///   the function that was called is kept.
/// - A closure, and the body of an `async fn`, is told of the `fn` around it; where that function comes next, the two are one frame.
/// - What starts every stack is left out: the runtime, the threads, the worker, `main`. Where a stack has nothing else, it ends with the worker.
pub fn stack(mut frames: Vec<Frame>) -> Vec<Frame> {
    let asked = frames.iter().position(|frame| !is_glue(frame)).unwrap_or(frames.len());
    let called = frames[asked..].iter().position(|frame| !is_std(frame)).unwrap_or(0);
    frames.drain(..asked + called.saturating_sub(1));
    let mut folded: Vec<Frame> = Vec::with_capacity(frames.len());
    let mut inside = false;
    for mut frame in frames {
        let name = enclosing(&frame.function);
        let is_closure = name.len() < frame.function.len();
        frame.function.truncate(name.len());
        match folded.last_mut() {
            // The function around a closure says where it was, not what it did: the inner line is kept.
            Some(last) if inside && last.function == frame.function && last.file == frame.file => {
                last.inlined = frame.inlined;
            }
            _ => folded.push(frame),
        }
        inside = is_closure;
    }
    let end = folded.iter().rposition(|frame| !starts_stacks(frame)).map(|last| last + 1);
    let end = end.or_else(|| folded.iter().position(|frame| is_crate(frame, WORKER)).map(|first| first + 1));
    folded.truncate(end.unwrap_or(folded.len()));
    folded
}

/// What is linked into every program that is measured by dhat.
const WORKER: &str = "plimsoll-worker";

/// The `fn` that a closure, or what stands for one, is written in: `a::b` of `a::b::{{closure}}::{{closure}}`, of `a::b::{closure#0}`.
fn enclosing(function: &str) -> &str {
    let mut name = function;
    while let Some((outer, last)) = name.rsplit_once("::") {
        let is_closure =
            last == "{{closure}}" || last == "{{vtable.shim}}" || (last.starts_with("{closure") && last.ends_with('}'));
        if !is_closure {
            break;
        }
        name = outer;
    }
    name
}

fn is_crate(frame: &Frame, krate: &str) -> bool {
    frame.krate.as_deref() == Some(krate)
}

fn is_std(frame: &Frame) -> bool {
    is_crate(frame, "std")
}

/// What lies between dhat and whoever called the standard library.
fn is_glue(frame: &Frame) -> bool {
    let symbol = ["__rust_", "__rustc", "__rg_", "__rdl_"].iter().any(|prefix| frame.function.starts_with(prefix));
    // A wrapper around the allocator, whoever's it is, asks for nobody; nor do the methods that it does not write itself, as `alloc_zeroed`.
    let wrapper = ["::GlobalAlloc>::", "::GlobalAlloc::"].iter().any(|method| frame.function.contains(method));
    symbol || wrapper || is_crate(frame, "dhat") || is_crate(frame, "backtrace")
}

/// What stands at the outer end of the stacks of every program.
fn starts_stacks(frame: &Frame) -> bool {
    match frame.krate.as_deref() {
        // A function of the program that nothing is known of: `_start`.
        None => frame.file.is_none(),
        Some(krate) => ["std", "tokio", WORKER].contains(&krate) || is_library(krate),
    }
}

/// A library's file name stands for a crate where it is not the program's own code.
fn is_library(krate: &str) -> bool {
    krate.ends_with(".so") || krate.contains(".so.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(krate: &str, function: &str) -> Frame {
        let krate = (!krate.is_empty()).then(|| krate.to_owned());
        Frame {
            function: function.into(),
            file: krate.as_ref().map(|_| "src/lib.rs".into()),
            krate,
            ..Frame::default()
        }
    }

    fn names(frames: &[(&str, &str)]) -> Vec<String> {
        stack(frames.iter().map(|(krate, function)| frame(krate, function)).collect())
            .into_iter()
            .map(|f| f.function)
            .collect()
    }

    const GLUE: [(&str, &str); 6] = [
        ("backtrace", "backtrace::trace"),
        ("dhat", "dhat::new_backtrace_inner"),
        ("dhat", "<dhat::Alloc as core::alloc::global::GlobalAlloc>::alloc"),
        ("std", "alloc::alloc::alloc"),
        ("std", "alloc::raw_vec::RawVecInner<A>::finish_grow"),
        ("std", "alloc::vec::Vec<T,A>::push"),
    ];
    const START: [(&str, &str); 7] = [
        ("std", "std::thread::local::LocalKey<T>::with"),
        ("tokio", "tokio::runtime::scheduler::current_thread::CoreGuard::block_on"),
        ("plimsoll-worker", "plimsoll_worker::session::run"),
        ("plimsoll-worker", "subject::main"),
        ("std", "std::rt::lang_start"),
        ("libc.so.6", "libc.so.6"),
        ("", "_start"),
    ];

    fn whole(middle: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        GLUE.iter().chain(middle).chain(&START).copied().collect()
    }

    #[test]
    fn what_every_stack_has_is_left_out_and_the_call_of_the_standard_library_is_kept() {
        let middle = [
            ("std", "alloc::boxed::Box<T>::new"),
            ("hyper", "hyper::dispatch"),
            ("std", "core::iter::map"),
            ("mine", "mine::ask"),
        ];
        assert_eq!(
            names(&whole(&middle)),
            ["alloc::boxed::Box<T>::new", "hyper::dispatch", "core::iter::map", "mine::ask"]
        );
        assert_eq!(names(&whole(&[("mine", "mine::ask")])), ["alloc::vec::Vec<T,A>::push", "mine::ask"]);
        // Somebody's wrapper around dhat is as little a caller as dhat is.
        let mut wrapped = GLUE[..3].to_vec();
        wrapped.push(("plimsoll-worker", "<plimsoll_worker::Counted as core::alloc::global::GlobalAlloc>::alloc"));
        wrapped.extend([GLUE[3], ("mine", "mine::ask"), START[4]]);
        assert_eq!(names(&wrapped), ["alloc::alloc::alloc", "mine::ask"]);
        // Zeroed memory comes by a method that dhat leaves to the trait, and by a symbol that is told of the program which chose the allocator.
        let mut zeroed = GLUE[..3].to_vec();
        zeroed.push(("std", "core::alloc::global::GlobalAlloc::alloc_zeroed"));
        zeroed.push(("plimsoll-worker", "__rustc::__rust_alloc_zeroed"));
        zeroed.extend([("std", "alloc::vec::from_elem"), ("mine", "mine::ask"), START[4]]);
        assert_eq!(names(&zeroed), ["alloc::vec::from_elem", "mine::ask"]);
        // dhat's own wrapper can be inlined into one that the standard library does not stand between.
        let direct = [GLUE[0], GLUE[2], ("mine", "mine::ask"), START[4]];
        assert_eq!(names(&direct), ["mine::ask"]);
    }

    #[test]
    fn a_stack_of_nothing_but_what_every_stack_has_ends_with_the_worker() {
        assert_eq!(
            names(&whole(&[("tokio", "tokio::runtime::Builder::build")])),
            [
                "alloc::vec::Vec<T,A>::push",
                "tokio::runtime::Builder::build",
                "std::thread::local::LocalKey<T>::with",
                "tokio::runtime::scheduler::current_thread::CoreGuard::block_on",
                "plimsoll_worker::session::run"
            ]
        );
        assert_eq!(names(&GLUE[..3]), Vec::<String>::new());
        assert_eq!(names(&[("", "_start")]), ["_start"]);
        assert_eq!(names(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_closure_is_told_of_its_function_and_is_one_frame_with_it() {
        for (inner, outer, folded) in [
            ("mine::ask::{{closure}}", "mine::ask", vec!["mine::ask"]),
            ("mine::ask::{{closure}}::{{closure}}", "mine::ask::{{closure}}", vec!["mine::ask"]),
            ("mine::ask::{closure#0}::{closure#1}", "mine::ask", vec!["mine::ask"]),
            ("<mine::A as mine::P>::ask::{{closure}}", "mine::other", vec!["<mine::A as mine::P>::ask", "mine::other"]),
            // A function that calls itself is two frames.
            ("mine::ask", "mine::ask", vec!["mine::ask", "mine::ask"]),
            ("{{closure}}", "mine::ask", vec!["{{closure}}", "mine::ask"]),
        ] {
            assert_eq!(names(&[("mine", inner), ("mine", outer)]), folded);
        }
        let at = |line, function: &str| Frame { line: Some(line), inlined: line == 7, ..frame("mine", function) };
        let folded = stack(vec![at(7, "mine::ask::{{closure}}"), at(3, "mine::ask")]);
        assert_eq!(folded, [Frame { inlined: false, ..at(7, "mine::ask") }]);
    }
}
