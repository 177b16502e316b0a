//! `plimsoll gate`

mod selftest;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_reports::gate as pure;
use plimsoll_reports::gate::show::{self, Context};
use plimsoll_reports::gate::{Base as How, Notice, NoticeKind, Rule, Settings, Verdict, waivers};
use plimsoll_reports::record::{Cell, Record, Tool};

use super::report::SourceArgs;
use super::{Failure, Outcome, colours, interrupted, note_interrupts, print, say};
use crate::config::Project;
use crate::event::Progress;
use crate::gate::base::{self, Base, short};
use crate::gate::cells::{self, Planned};
use crate::gate::contest::{self, Against, Judged};
use crate::gate::git::Git;
use crate::gate::measure::Measuring;
use crate::gate::side::{Side, SideError};
use crate::gate::{idle, outputs, rules, sides};
use crate::run::live::Access;
use crate::run::{self, Order, Target, environment, store};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The base is a commit, the record of an earlier run, or a baseline by its name. A commit is checked out and built beside the head, and both are \
measured in turns; a record can only be held against exact figures. Rules, budgets and waivers are the base's.

Without --base it is where HEAD parted from origin/main, or from main; if HEAD has no change of its own, its parent.

Exit status: 0 pass · 1 something grew, or a budget is broken · 2 usage or configuration · 3 no valid measurement.

Examples:
  plimsoll gate
  plimsoll gate --base HEAD~3 --only ultra/chat
  plimsoll gate --base target/plimsoll/20270131-120000-0123
  plimsoll gate --budgets     the head alone, against its budgets
  plimsoll gate --self-test   that it finds what it must, and nothing else")]
pub(super) struct Args {
    /// What to compare with: a commit, a record, or a baseline's name
    #[arg(long, value_name = "REF|RECORD|NAME")]
    base: Option<String>,
    /// Only cells whose name has these parts, as `-E` of `run` takes them
    #[arg(long, value_name = "CELL")]
    only: Option<String>,
    /// Hold the head against its budgets, and nothing else
    #[arg(long, conflicts_with = "base")]
    budgets: bool,
    /// Hold the gate against regressions that it must find, and none that it must not
    #[arg(long, conflicts_with_all = ["base", "budgets"])]
    self_test: bool,
    /// End with 3 where something could not be decided
    #[arg(long)]
    strict: bool,
    /// Folder for the verdict, the records and the report [default: target/plimsoll/<run id>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seed of the order of samples [default: by chance; recorded]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long a subject may take for one command, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    /// Show every figure, not only those that changed
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) fn run(project: &Project, args: &Args) -> Outcome {
    let order = order(args, cells::suite(&project.config))?;
    if args.self_test {
        return selftest::run(project, args, &order);
    }
    if args.budgets {
        return budgets(project, args, &order);
    }
    match base::find(project, args.base.as_deref()).map_err(Failure::usage)? {
        Base::Commit { sha, how } => commit(project, args, &order, &sha, how),
        Base::Record(path) => record(project, args, &order, &path),
    }
}

/// Both sides built, and measured in turns.
fn commit(project: &Project, args: &Args, order: &Order, sha: &str, how: Option<String>) -> Outcome {
    let git = Git::of(&project.root).map_err(Failure::usage)?;
    how.iter().for_each(|how| say(&format!("{how}: {}", short(sha))));
    let ruled = rules::read(project, Some(&git), Some(sha))?;
    let mut settings = settings(project, args, ruled.settings);
    not_expired(project, &settings)?;
    let planned = cells::of_commit(project, ruled.base.as_ref(), &settings.rules, args.only.as_deref())?;
    some(&planned, project, args)?;
    let subjects = subjects(&planned);
    let sides = sides::make(project, &git, sha, ruled.base.as_ref(), &subjects, &say).map_err(unmade)?;
    settings.advisory.clone_from(&sides.advisory);
    settings.lockfiles = lockfiles(&git, sha, project);
    let notes = ruled.note.into_iter().chain(sides.notes).collect();
    let against = Against::Side(Box::new(sides.base));
    let context = context(args, &format!("plimsoll gate --base {}", short(sha)));
    Gating { project, args, order, settings, notes, context }.judge(against, sides.head, &planned)
}

/// The checkout as it is, against a record.
fn record(project: &Project, args: &Args, order: &Order, path: &Path) -> Outcome {
    let mut base = store::read(path).map_err(Failure::usage)?;
    let git = Git::of(&project.root).ok();
    let ruled = rules::read(project, git.as_ref(), base.tool.git.as_deref())?;
    let mut settings = settings(project, args, ruled.settings);
    settings.base = How::Recorded;
    not_expired(project, &settings)?;
    let planned = cells::of_record(project, &base, &settings.rules, args.only.as_deref())?;
    some(&planned, project, args)?;
    cells::comparable(&mut base, &planned);
    alike(project, order, &base, &planned)?;
    let head = in_place(project, &planned)?;
    let notes = ruled.note.into_iter().collect();
    let context = context(args, &format!("plimsoll gate --base {}", path.display()));
    let against = Against::Record(Box::new(base));
    Gating { project, args, order, settings, notes, context }.judge(against, head, &planned)
}

/// The checkout as it is, against its own budgets.
fn budgets(project: &Project, args: &Args, order: &Order) -> Outcome {
    let rules = rules::read(project, None, None)?.settings;
    if rules.rules.budgets.is_empty() {
        return Err(Failure::usage(format!(
            "{}: there is no [[budget]] to hold anything against; write one, or leave out --budgets",
            project.path().display()
        )));
    }
    let settings = settings(project, args, rules);
    not_expired(project, &settings)?;
    let mut planned = cells::of_commit(project, None, &settings.rules, args.only.as_deref())?;
    planned.retain(|planned| {
        settings.rules.budgets.iter().any(|budget| plimsoll_reports::cell::is_meant(&budget.cell, &planned.cell))
    });
    some(&planned, project, args)?;
    // The head alone.
    planned.iter_mut().for_each(|planned| planned.samples.truncate(1));
    let head = in_place(project, &planned)?;
    let context = context(args, "plimsoll gate --budgets");
    Gating { project, args, order, settings, notes: Vec::new(), context }.hold(head, &planned)
}

/// All that is left to do when it is clear what is compared with what.
struct Gating<'a> {
    project: &'a Project,
    args: &'a Args,
    order: &'a Order,
    settings: Settings,
    notes: Vec<String>,
    context: Context,
}

impl Gating<'_> {
    fn judge(self, against: Against, head: Side, planned: &[Planned]) -> Outcome {
        let dir = dir(self.project, self.args, self.order);
        // Not before: a build ends at once, and one that was ended must not be taken for one that fails.
        note_interrupts();
        let mut progress = Progress::new(std::io::stderr().is_terminal());
        let mut measuring =
            Measuring { order: self.order, dir: &dir, interrupted: &interrupted, reporter: &mut progress };
        let judged = contest::judge(&mut measuring, against, vec![head], planned, &self.settings).map_err(failure)?;
        // One head, one verdict.
        let Some(Judged { mut verdict, head, .. }) = judged.into_iter().next() else { return Ok(3) };
        self.tell(&mut verdict, &head, planned, &dir)
    }

    fn hold(self, head: Side, planned: &[Planned]) -> Outcome {
        let dir = dir(self.project, self.args, self.order);
        note_interrupts();
        let mut progress = Progress::new(std::io::stderr().is_terminal());
        let mut measuring =
            Measuring { order: self.order, dir: &dir, interrupted: &interrupted, reporter: &mut progress };
        let record = measuring.round("", &[head], planned).map_err(failure)?.into_iter().next();
        let Some(record) = record else { return Ok(3) };
        let mut settings = self.settings.clone();
        settings.rules.family.clear();
        // Against itself nothing can grow: what is left is the budgets.
        let mut itself = record.clone();
        itself.tool.dirty = false;
        let mut verdict = pure::decide(&itself, &record, &settings, pure::Stage::First);
        verdict.rows.retain(|row| row.rule == Rule::Budget);
        self.tell(&mut verdict, &record, planned, &dir)
    }

    /// Writes and shows the verdict; gives what to end with.
    fn tell(&self, verdict: &mut Verdict, head: &Record, planned: &[Planned], dir: &Path) -> Outcome {
        let other = |text: &String| Notice { kind: NoticeKind::Other, text: text.clone() };
        verdict.notices.extend(self.notes.iter().map(other));
        // Where only some cells are judged, what is of the others is not of nothing.
        if self.args.only.is_none() && !self.args.budgets && self.settings.base == How::Measured {
            let cells: Vec<&Cell> = planned.iter().map(|planned| &planned.cell).collect();
            let idle = idle::told(&self.settings, &cells, verdict);
            verdict.notices.extend(idle.iter().map(other));
        }
        verdict.notices.sort_by_key(|notice| notice.kind);
        super::run::report(head, &dir.join("head"), &self.order.key, self.args.source.url.as_ref())?;
        outputs::write(dir, verdict, &self.context).map_err(Failure::invalid)?;
        outputs::summarise(verdict, &self.context).map_err(Failure::invalid)?;
        print(&show::terminal(verdict, &self.context, super::run::width(), colours(), self.args.all))?;
        if outputs::is_github() {
            print(&show::annotations(verdict))?;
        }
        print(&format!("\nVerdict: {0}/{1}\nReport: {0}/head/index.html\n", dir.display(), outputs::COMMENT))?;
        Ok(verdict.exit_code())
    }
}

fn dir(project: &Project, args: &Args, order: &Order) -> PathBuf {
    let id = run::run_id(jiff::Timestamp::now(), order.seed);
    args.out.clone().unwrap_or_else(|| project.root.join("target/plimsoll").join(id))
}

fn settings(project: &Project, args: &Args, settings: Settings) -> Settings {
    Settings { only: args.only.clone(), strict: args.strict, own: project.config.own_crates(), ..settings }
}

/// Rules that cannot be applied are told before anything is built or measured.
fn not_expired(project: &Project, settings: &Settings) -> Result<(), Failure> {
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    let expired = waivers::expired(&settings.rules, settings.proposed.as_ref(), today);
    let Some(waiver) = expired.first() else { return Ok(()) };
    Err(Failure::usage(format!(
        "{}: the waiver of {:?} expired on {}: mend what it covers and take it out, or have {} set another day",
        project.path().display(),
        waiver.cell,
        waiver.expires,
        waiver.owner
    )))
}

fn some(planned: &[Planned], project: &Project, args: &Args) -> Result<(), Failure> {
    if !planned.is_empty() {
        return Ok(());
    }
    let suite = cells::suite(&project.config);
    let only = args.only.as_ref().map(|only| format!(" that --only {only} means")).unwrap_or_default();
    Err(Failure::usage(format!(
        "no cell of suite {suite:?} is left{only}; `plimsoll list cells --suite {suite}` shows them"
    )))
}

fn subjects(planned: &[Planned]) -> Vec<String> {
    let mut all: Vec<String> = planned.iter().map(|planned| planned.cell.subject.clone()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The checkout itself as a side, built where it lies.
fn in_place(project: &Project, planned: &[Planned]) -> Result<Side, Failure> {
    let cells =
        planned.iter().map(|planned| plimsoll_reports::record::PlannedCell { cell: planned.cell.clone(), samples: 0 });
    let selection = crate::plan::Selection { cells: cells.collect(), ..Default::default() };
    super::run::build(project, &selection)?;
    let Tool { version, git, dirty } = environment::tool(&project.root);
    Ok(Side { name: "head", project: project.clone(), tool: Tool { version, git, dirty } })
}

/// Whether a record was measured where and as the head is going to be: told before anything is measured.
fn alike(project: &Project, order: &Order, base: &Record, planned: &[Planned]) -> Result<(), Failure> {
    let mut project = project.clone();
    project.config.suite.insert(order.suite.clone(), cells::as_suite(planned));
    let selection = crate::plan::Selection {
        cells: planned
            .iter()
            .map(|p| plimsoll_reports::record::PlannedCell { cell: p.cell.clone(), samples: 0 })
            .collect(),
        ..Default::default()
    };
    let (_, trust) = run::trust_bundle();
    let head = run::blank_record(&project, &selection, order, trust);
    let barring = pure::sides::differences(base, &head, How::Recorded).into_iter().find(|difference| difference.bars);
    barring.map_or(Ok(()), |difference| {
        Err(Failure::invalid(format!(
            "the base's record cannot be compared with what is measured here: {difference}; take a record of this environment, or a commit"
        )))
    })
}

fn lockfiles(git: &Git, base: &str, project: &Project) -> Option<(String, String)> {
    let head = std::fs::read_to_string(project.root.join("Cargo.lock")).ok()?;
    Some((git.file(base, "Cargo.lock")?, head))
}

fn context(args: &Args, command: &str) -> Context {
    let named = args.source.url.as_ref().map(ToString::to_string);
    Context { command: command.to_owned(), source: named.or_else(outputs::github_source) }
}

fn order(args: &Args, suite: String) -> Result<Order, Failure> {
    Ok(Order {
        suite,
        seed: args.seed.unwrap_or_else(rand::random),
        key: super::run::key(&Target::Mock)?,
        target: Target::Mock,
        fault: None,
        traffic: None,
        access: Access::default(),
        timeout: Duration::from_secs(args.timeout.max(1)),
    })
}

fn unmade(error: SideError) -> Failure {
    match error {
        SideError::Build { .. } => Failure::invalid(error),
        _ => Failure::usage(error),
    }
}

fn failure(error: run::RunError) -> Failure {
    match error {
        run::RunError::Interrupted(dir) => Failure::invalid(format!(
            "interrupted; what was measured is kept in {}, and both sides stay built: run the same command again",
            dir.parent().unwrap_or(&dir).display()
        )),
        other => super::run::failure(other),
    }
}
