//! A verdict as people and programs read it: each form a function from the verdict to text. Each escapes what stands in the verdict for itself.
//!
//! - `culprits`: the functions behind the failing rows, each once.
//! - `terminal`: what ends `plimsoll gate`.
//! - `markdown`: the pull request's comment, and a job's summary.
//! - `annotations`: GitHub's workflow commands.
//! - `junit`: JUnit XML. `json`: everything, with a schema; `read`: back from it.

mod annotations;
mod culprits;
mod json;
mod junit;
mod markdown;
mod read;
mod terminal;

pub use annotations::annotations;
pub use json::{SCHEMA, json, schema};
pub(crate) use junit::escaped;
pub use junit::junit;
pub use markdown::{LIMIT, TAG, comment, step_summary};
pub use read::{MOST, VerdictError, is_verdict, read};
pub use terminal::terminal;

use jiff::civil::Date;
use jiff::tz::Offset;

use super::blame::{Part, same_crate};
use super::lock::CrateChange;
use super::verdict::{Row, Rule, Side, Smallest, State, Verdict};
use crate::cell::name;
use crate::units::Quantity;

/// What stands in an address before the commit whose files are read, and what before one that is looked at: GitHub's and GitLab's, Gitea's,
/// Bitbucket's.
const FORGES: [(&str, &str); 3] = [("/blob/", "/commit/"), ("/src/commit/", "/commit/"), ("/src/", "/commits/")];

/// What an output is told besides the verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The command that came to this verdict, without `--only`: `plimsoll gate --base 0123abc`.
    pub command: String,
    /// Where the head's sources can be read (`--source-url`): a folder that files are appended to with `#L` and a line, or a pattern with `{file}` and
    /// `{line}`; `{sha}` stands for the head's commit. Anything but `https://` and `http://` links nowhere.
    pub source: Option<String>,
}

impl Context {
    /// The exact commands that judge one cell again. What comes from a record is in them only if a shell sees nothing but a word in it.
    fn reproduce(&self, verdict: &Verdict, row: &Row) -> String {
        // No checkout brings uncommitted changes back.
        let head = commit(&verdict.head).filter(|_| !verdict.head.dirty);
        let checkout = head.map(|git| format!("git checkout {}\n", short(git))).unwrap_or_default();
        let only = word(&name(&row.cell)).map(|cell| format!(" --only {cell}")).unwrap_or_default();
        format!("{checkout}{}{only}\n", self.command)
    }

    /// The head's sources.
    fn source(&self, verdict: &Verdict) -> Option<String> {
        let source = self.source.as_deref().filter(|s| s.starts_with("https://") || s.starts_with("http://"))?;
        Some(source.replace("{sha}", commit(&verdict.head).unwrap_or("HEAD")))
    }

    /// The address of a side's commit, in the repository whose files the sources are.
    fn link_to_commit(&self, verdict: &Verdict, side: &Side) -> Option<String> {
        let (git, head, source) = (commit(side)?, commit(&verdict.head)?, self.source(verdict)?);
        FORGES.iter().find_map(|(files, commits)| {
            let (repository, _) = source.split_once(&format!("{files}{head}"))?;
            Some(format!("{repository}{commits}{git}"))
        })
    }

    /// The address of a line of the head.
    fn link(&self, verdict: &Verdict, file: &str, line: Option<u32>) -> Option<String> {
        let source = self.source(verdict)?;
        // Sources outside of the project have no place in its repository.
        if !in_project(file) {
            return None;
        }
        let (file, line) = (encoded(file), line.map(|line| line.to_string()));
        if source.contains("{file}") {
            return Some(source.replace("{file}", &file).replace("{line}", line.as_deref().unwrap_or("1")));
        }
        let anchor = line.map(|line| format!("#L{line}")).unwrap_or_default();
        Some(format!("{}/{file}{anchor}", source.trim_end_matches('/')))
    }
}

/// A side's commit, if it looks like one: what else stands there has no place in a command or a path.
fn commit(side: &Side) -> Option<&str> {
    side.git.as_deref().filter(|git| !git.is_empty() && git.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The beginning of a commit, as people quote it.
fn short(git: &str) -> &str {
    git.get(..12).unwrap_or(git)
}

/// What to call a side: its commit, shortened, or what stands there instead of one.
fn named(side: &Side) -> &str {
    commit(side).map(short).or(side.git.as_deref()).unwrap_or("no commit")
}

/// The runs that the sides are of: one, where they were measured together.
fn runs(verdict: &Verdict) -> Vec<&str> {
    let mut runs = vec![verdict.base.run.as_str(), verdict.head.run.as_str()];
    runs.dedup();
    runs
}

/// A text that is one word to a shell, and harmless wherever it is pasted.
fn word(text: &str) -> Option<&str> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '=' | '+' | ',');
    (!text.is_empty() && text.chars().all(harmless)).then_some(text)
}

/// A word of a figure's name: harmless, and if there is an `@` in it, it is that of a checkpoint.
fn is_plain(part: &str) -> bool {
    match part.split_once('@') {
        Some((name, number)) => {
            word(name).is_some() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        }
        None => word(part).is_some(),
    }
}

/// Whether a path is of the project's own folder.
fn in_project(file: &str) -> bool {
    !file.starts_with(['/', '~', '<']) && !file.split('/').any(|part| part == "..")
}

/// A path as a URL may hold it.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The figure's name, or what the row is about.
fn what(row: &Row) -> String {
    row.figure.as_ref().map_or_else(|| "the whole cell".to_owned(), ToString::to_string)
}

/// `119 → 120`; in full where the difference would not show.
fn change(row: &Row) -> String {
    if row.rule == Rule::Budget {
        return row.head.map_or_else(|| "—".to_owned(), |head| head.to_string());
    }
    let shown = |text: fn(Quantity) -> String| {
        let side = |side: Option<Quantity>| side.map_or_else(|| "—".to_owned(), text);
        (side(row.base), side(row.head))
    };
    let (mut base, mut head) = shown(|side| side.to_string());
    // What is told as so many bytes does not show in figures that are told in KiB, nor what is told in KiB in some of MiB.
    let hides = |more: Quantity| more.value() != 0.0 && (base == head || more.to_string() == more.in_full());
    if row.difference.is_some_and(hides) {
        (base, head) = shown(Quantity::in_full);
    }
    format!("{base} → {head}")
}

/// `+1`, `+64.0 KiB (60.0 KiB to 68.0 KiB)`.
fn difference(row: &Row) -> String {
    let Some(difference) = row.difference else { return "—".to_owned() };
    match &row.interval {
        Some((low, high)) => format!("{} ({} to {})", difference.signed(), low.signed(), high.signed()),
        None => difference.signed(),
    }
}

/// `+32.0 KiB`, `none` for an exact figure without a floor, `8.00 MiB in all` for a budget.
fn limit(row: &Row) -> String {
    match (row.rule, row.limit) {
        (_, None) => "—".to_owned(),
        (Rule::Budget, Some(max)) => format!("{max} in all"),
        (_, Some(floor)) if floor.value() == 0.0 => "no increase".to_owned(),
        (_, Some(floor)) => floor.signed(),
    }
}

fn smallest(row: &Row) -> String {
    match row.smallest {
        None => "—".to_owned(),
        Some(Smallest::Nothing) => "none: too few pairs".to_owned(),
        Some(Smallest::Over(floor)) if floor.value() == 0.0 => "any".to_owned(),
        Some(Smallest::Over(floor)) => format!("any over {floor}"),
        Some(Smallest::About(change)) => change.signed(),
    }
}

/// Why a row is in its state, in words, where the figures beside it do not say.
fn why(row: &Row) -> Option<String> {
    Some(match row.state {
        State::TooFew => format!("{} processes of a side: too few to judge", row.processes),
        State::Waived => {
            let waived = row.waived.as_ref()?;
            format!("waived until {}: {} ({})", waived.expires, waived.reason, waived.owner)
        }
        State::Fails | State::Improved | State::Pass => return None,
        other => other.meaning().to_owned(),
    })
}

/// `100 % of it by call site (dhat): +1 of +1`, `100 % of it as of steady@128 by mapping: …`.
fn coverage(row: &Row) -> Option<String> {
    let blame = row.blame.as_ref()?;
    let share = crate::units::percent(blame.coverage);
    let as_of = blame.as_of.as_ref().map(|point| format!("as of {point} ")).unwrap_or_default();
    Some(format!("{share} of it {as_of}{}: {} of {}", blame.by, blame.explained.signed(), blame.counted.signed()))
}

/// `providers/src/x.rs:12`.
fn place(part: &Part) -> Option<String> {
    let file = part.file.as_ref()?;
    Some(part.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}")))
}

/// `1.0.0 → 1.1.0`.
fn versions(change: &CrateChange) -> String {
    let side = |versions: &[String]| if versions.is_empty() { "—".to_owned() } else { versions.join(", ") };
    format!("{} → {}", side(&change.base), side(&change.head))
}

/// What a crate asks for with each request, before and after, where the profiles differ in it.
fn bytes(verdict: &Verdict, change: &CrateChange) -> String {
    let row = verdict.crates.iter().find(|row| same_crate(&row.krate, &change.name));
    let none = if verdict.profiled > 0 { "no difference" } else { "not profiled" };
    row.map_or_else(|| none.to_owned(), |row| moved(row.base, row.head))
}

/// `364 B → 396 B (+32 B)`.
fn moved(base: Quantity, head: Quantity) -> String {
    let more = head.minus(base).map(|more| format!(" ({})", more.signed())).unwrap_or_default();
    format!("{base} → {head}{more}")
}

/// What to write into `plimsoll.toml` to let that row pass, and no other, for a month. Waivers are read from the base, so it has to be there first.
fn waiver(verdict: &Verdict, row: &Row) -> String {
    let day: Date = Offset::UTC.to_datetime(verdict.head.started).date();
    let month = jiff::Span::new().days(30);
    let expires = day.checked_add(month).unwrap_or(day);
    let cell = name(&row.cell);
    let cell = word(&cell).unwrap_or("…");
    // Without a metric it would be for all of the cell.
    let metric = row.figure.as_ref().map(ToString::to_string).map_or_else(String::new, |figure| {
        let figure = if figure.split(' ').all(is_plain) { &figure } else { "…" };
        format!("metric = \"{figure}\"\n")
    });
    format!("[[waiver]]\ncell = \"{cell}\"\n{metric}reason = \"…\"\nowner = \"…\"\nexpires = {expires}\n")
}

/// The rows that have to be waived or mended.
fn failing(verdict: &Verdict) -> impl Iterator<Item = &Row> {
    verdict.in_state(State::fails)
}

/// The rows that are told without asking, the worst first.
fn told(verdict: &Verdict) -> Vec<&Row> {
    let mut rows: Vec<&Row> = verdict.in_state(State::is_told).collect();
    rows.sort_by_key(|row| row.state);
    rows
}

/// The rule of the noisy family, if there is one.
fn family(verdict: &Verdict) -> Option<String> {
    let family = &verdict.family;
    (family.size > 0).then(|| format!(
        "Noisy figures: one family of {}, {} pairs, Holm at {}; what is found is confirmed by as many fresh pairs. The smallest change is the one that \
         would be caught in 90 of 100 runs, the confirmation included.",
        family.size, family.pairs, family.alpha
    ))
}
