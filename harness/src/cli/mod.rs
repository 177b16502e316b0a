//! The command line: what can be said, and one file per verb.

mod baseline;
mod clean;
mod compare;
mod completions;
mod doctor;
mod explain;
mod find;
mod gate;
mod init;
mod line;
mod list;
mod mock;
mod record;
mod report;
mod run;
mod schema;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{ColorChoice, Parser, Subcommand};

use crate::config::{ConfigError, Project};

const ABOUT: &str = "Measures what memory a program takes, each sample in a fresh process, and says which code took it";

const AFTER: &str = "\
Exit status: 0 pass · 1 regression or budget broken · 2 usage or configuration · 3 no valid measurement.

Environment, besides what options name:
  PLIMSOLL_LOG            what happens inside: debug, plimsoll=trace
  PLIMSOLL_MOCK_KEY       key for the mock [default: another one in each run]
  PLIMSOLL_COUNT_LIBRARY  libplimsoll_count.so [default: beside plimsoll]
  GEMINI_API_KEY          key for the live service

Start here:
  plimsoll list                what can be measured on this machine
  plimsoll run --suite quick   measure it, in two minutes, and write a report
  plimsoll report target/plimsoll/latest --format markdown
  plimsoll gate                whether this checkout takes more than main does";

/// What stands last in the help of every command.
const EVERYWHERE: &str = "Options of every command";

/// The whole command line. The help's paragraphs have no line ends of their own: clap breaks them where the terminal ends.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, about = ABOUT, after_help = AFTER, propagate_version = true)]
pub struct Cli {
    /// Configuration file [default: plimsoll.toml in this folder or the nearest above it]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "PLIMSOLL_CONFIG")]
    config: Option<PathBuf>,
    /// Colours: `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Measure a suite and write its report
    Run(Box<run::Args>),
    /// Say how many requests in flight a given memory holds, and prove it by running them
    Line(line::Args),
    /// Say whether a change takes more memory than what was before, and which code of it
    Gate(gate::Args),
    /// Write a report from a record
    Report(report::Args),
    /// Set two records side by side, figure by figure
    Compare(compare::Args),
    /// Keep records by name, for the gate to compare with
    Baseline(baseline::Args),
    /// Check every subject's answers, without measuring
    Verify(verify::Args),
    /// Show what there is: subjects and their probes, scenarios, suites, cells
    List(list::Args),
    /// Say what a name means: a metric, a figure, a word of a verdict; or all that is known of a cell
    Explain(explain::Args),
    /// Serve the mock of the Gemini API alone, to develop against
    Mock(mock::Args),
    /// Look at this machine: what could spoil a measurement, and how small a change it can show
    Doctor(doctor::Args),
    /// Keep what the live service answers as traffic that the mock can serve
    Record(record::Args),
    /// Delete what old runs and the gate left on disk
    Clean(clean::Args),
    /// Write the plimsoll.toml that a project begins with
    Init(init::Args),
    /// Print a JSON Schema: of a record, a sample, a verdict, or plimsoll.toml
    Schema(schema::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// An end that is not success: what to say and which status to exit with.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Wrong usage or configuration.
    pub(crate) fn usage(message: impl ToString) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// No valid measurement.
    pub(crate) fn invalid(message: impl ToString) -> Self {
        Self { code: 3, message: message.to_string() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

type Outcome = Result<u8, Failure>;

/// Does what the command line says.
pub fn main(cli: Cli) -> ExitCode {
    match cli.color {
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        ColorChoice::Auto => {}
    }
    log();
    let config = cli.config;
    let outcome = match cli.verb {
        Verb::Run(args) => project(config).and_then(|p| run::run(&p, &args)),
        Verb::Line(args) => project(config).and_then(|p| line::run(&p, &args)),
        Verb::Gate(args) => project(config).and_then(|p| gate::run(&p, &args)),
        Verb::Report(args) => report::run(config, args),
        Verb::Compare(args) => compare::run(config, &args),
        Verb::Baseline(args) => project(config).and_then(|p| baseline::run(&p, args)),
        Verb::Clean(args) => project(config).and_then(|p| clean::run(&p, &args)),
        Verb::Verify(args) => project(config).and_then(|p| verify::run(&p, args)),
        Verb::List(args) => project(config).and_then(|p| list::run(&p, args)),
        Verb::Explain(args) => explain::run(config, &args),
        Verb::Mock(args) => mock::run(args),
        Verb::Doctor(args) => project(config).and_then(|p| doctor::run(&p, args)),
        Verb::Record(args) => record::run(args),
        Verb::Init(args) => init::run(config, &args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Completions(args) => completions::run(&args),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            let mut err = anstream::stderr();
            use std::io::Write;
            let _ = writeln!(err, "\u{1b}[1;31merror:\u{1b}[0m {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// What libraries have to say, for whoever asks: PLIMSOLL_LOG=plimsoll=debug.
fn log() {
    let Ok(words) = std::env::var("PLIMSOLL_LOG") else { return };
    match words.parse::<tracing_subscriber::EnvFilter>() {
        Ok(filter) => tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init(),
        Err(error) => {
            say(&format!("PLIMSOLL_LOG={words} says nothing: {error}; write it as `debug`, or `plimsoll=debug`"))
        }
    }
}

fn project(config: Option<PathBuf>) -> Result<Project, Failure> {
    let cwd = std::env::current_dir().map_err(|e| Failure::usage(format!("cannot tell the working directory: {e}")))?;
    Ok(Project::load(config.as_deref(), &cwd)?)
}

/// Writes to standard output, with colours only where they are wanted. A closed pipe is no error: the reader has seen enough.
fn print(text: &str) -> Outcome {
    use std::io::Write;
    let mut out = anstream::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(0),
    }
}

/// Says something beside the data: on standard error.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Whether colours are wanted on standard output.
fn colours() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on, Ctrl-C and SIGTERM are noted instead of ending the program at once; [`interrupted`] tells.
fn note_interrupts() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(async {
                use tokio::signal::unix::{SignalKind, signal};
                if let Ok(mut terminate) = signal(SignalKind::terminate()) {
                    tokio::select! {
                        _ = tokio::signal::ctrl_c() => {}
                        _ = terminate.recv() => {}
                    }
                    INTERRUPTED.store(true, Ordering::Relaxed);
                }
            });
        }
    });
}

fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
