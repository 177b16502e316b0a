//! `plimsoll report VERDICT`: the verdict of a gate, rendered again by whoever trusts himself more than the one who measured.

use plimsoll_reports::gate::Verdict;
use plimsoll_reports::gate::show::{self, Context};

use super::Args;
use crate::cli::{Failure, Outcome, colours, print};

/// The forms of a verdict.
const FORMS: [&str; 6] = ["comment", "summary", "terminal", "annotations", "junit", "json"];

/// Renders it to standard output.
pub(super) fn run(bytes: &[u8], args: &Args) -> Outcome {
    let file = args.record.display();
    let form = match args.format.as_slice() {
        [] => "terminal",
        [form] if FORMS.contains(&form.as_str()) => form,
        given => {
            return Err(Failure::usage(format!(
                "{file} is a verdict, and --format {} none of its forms; choose one of: {}",
                given.join(","),
                FORMS.join(", ")
            )));
        }
    };
    if args.out.is_some() {
        return Err(Failure::usage(format!("{file} is a verdict: its forms go to standard output, without --out")));
    }
    let verdict = show::read(bytes).map_err(|error| Failure::usage(format!("{file}: {error}")))?;
    if let Some(wanted) = args.of.as_deref().filter(|wanted| verdict.head.git.as_deref() != Some(wanted)) {
        let found = verdict.head.git.as_deref().unwrap_or("none");
        return Err(Failure::usage(format!("{file} is of commit {found}, and not of {wanted}")));
    }
    let context = Context { command: command(&verdict), source: args.source.url.as_ref().map(ToString::to_string) };
    print(&match form {
        "comment" => show::comment(&verdict, &context, args.earlier),
        "summary" => show::step_summary(&verdict, &context),
        "annotations" => show::annotations(&verdict),
        "junit" => show::junit(&verdict),
        "json" => show::json(&verdict),
        _ => show::terminal(&verdict, &context, crate::cli::run::width(), colours(), false),
    })
}

/// What comes to this verdict; of the base only what cannot be anything but a commit.
fn command(verdict: &Verdict) -> String {
    let base = verdict.base.git.as_deref().filter(|git| !git.is_empty() && git.bytes().all(|b| b.is_ascii_hexdigit()));
    base.map_or_else(|| "plimsoll gate".to_owned(), |git| format!("plimsoll gate --base {git}"))
}
