//! Both sides of a commit and the checkout: one instrument for both, as far as that builds.

use plimsoll_reports::record::Tool;

use super::base::short;
use super::git::Git;
use super::side::{Side, SideError, Slots, Wanted, key};
use crate::config::{Config, Project};

/// The two sides, built.
#[derive(Debug)]
pub struct Sides {
    /// The base.
    pub base: Side,
    /// The head.
    pub head: Side,
    /// What a reader must be told of them, a sentence each.
    pub notes: Vec<String>,
    /// Why the result is not to be enforced, if so.
    pub advisory: Option<String>,
}

/// A way to make the base's side.
struct Attempt {
    tree: String,
    /// Paths that are the base's; `None` if all is.
    paths: Option<Vec<String>>,
}

/// Checks out and builds the head as it is, and the base.
///
/// The base's side has the base's `[gate] measured` paths in the head's tree. Where that does not build, the last of these paths is taken from the head
/// too, and so on; at last the base's own checkout, whose subjects are then another instrument.
///
/// # Errors
/// When a side does not build in any of these ways.
pub fn make(
    project: &Project,
    git: &Git,
    base: &str,
    at_base: Option<&Config>,
    subjects: &[String],
    say: &dyn Fn(&str),
) -> Result<Sides, SideError> {
    let slots = Slots::open(project)?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let tool = Tool { version: version.clone(), git: git.commit("HEAD"), dirty: git.is_dirty() };
    let tree = git.tree_of_checkout()?;
    let config = &project.config;
    let head = slots.side(git, Wanted { name: "head", tree: &tree, config, subjects, tool: &tool }, &[])?;
    let tool = Tool { version, git: Some(base.to_owned()), dirty: false };
    // By the base's file, like every rule: a head that takes a path out would have its own on both sides.
    let measured = at_base.unwrap_or(config).gate.as_ref().map(|gate| gate.measured.clone()).unwrap_or_default();
    let base_tree = git.ask(["rev-parse", &format!("{base}^{{tree}}")])?;
    let mut attempts: Vec<Attempt> = Vec::new();
    for count in (1..=measured.len()).rev() {
        let tree = git.tree_with(&tree, base, &measured[..count])?;
        // A path that is the same on both sides makes no difference.
        if attempts.last().is_none_or(|last| last.tree != tree) {
            attempts.push(Attempt { tree, paths: Some(measured[..count].to_vec()) });
        }
    }
    attempts.push(Attempt { tree: base_tree, paths: None });
    let mut failed: Vec<String> = Vec::new();
    let mut trouble = None;
    for attempt in attempts {
        let config = match (&attempt.paths, at_base) {
            (None, Some(config)) => config,
            _ => config,
        };
        let wanted = Wanted { name: "base", tree: &attempt.tree, config, subjects, tool: &tool };
        if slots.is_known_not_to_build(git, &wanted) {
            failed.push(key(&wanted, git));
            continue;
        }
        match slots.side(git, wanted, &failed) {
            Ok(base_side) => {
                let told = told(git, base, &tree, &measured, &attempt);
                return Ok(Sides { base: base_side, head, notes: told.0, advisory: told.1 });
            }
            Err(error @ SideError::Build { .. }) => {
                say(&format!("{error}; {}", next(&attempt)));
                failed.push(key(&wanted, git));
                trouble = Some(error);
            }
            Err(other) => return Err(other),
        }
    }
    Err(trouble.unwrap_or(SideError::Build {
        side: "base",
        subject: subjects.first().cloned().unwrap_or_default(),
        said: "it did not before".to_owned(),
    }))
}

/// What is tried next.
fn next(attempt: &Attempt) -> &'static str {
    match &attempt.paths {
        Some(paths) if paths.len() > 1 => "trying again with less of the base",
        Some(_) => "trying the base's own subjects",
        None => "nothing else is left to try",
    }
}

/// What is not as it should be with a base that was made so.
fn told(
    git: &Git,
    base: &str,
    head_tree: &str,
    measured: &[String],
    attempt: &Attempt,
) -> (Vec<String>, Option<String>) {
    let Some(paths) = &attempt.paths else {
        let advisory = (!measured.is_empty()).then(|| {
            "the base does not build with the head's harness and subjects: its own were used, and so two instruments are compared".to_owned()
        });
        return (Vec::new(), advisory);
    };
    let mut notes = Vec::new();
    let left_out: Vec<String> = measured[paths.len()..]
        .iter()
        .filter(|path| git.tree_with(head_tree, base, std::slice::from_ref(path)).is_ok_and(|tree| tree != head_tree))
        .cloned()
        .collect();
    if !left_out.is_empty() {
        notes.push(format!(
            "{} of the base does not build with the head: the head's is used on both sides, and a change in it shows in no figure",
            left_out.join(" and ")
        ));
    }
    let instrument = git.differing(base, head_tree, measured);
    if !instrument.is_empty() {
        notes.push(format!(
            "the instrument differs from that of {} in {}: both sides are measured with the head's",
            short(base),
            instrument.join(", ")
        ));
    }
    (notes, None)
}
