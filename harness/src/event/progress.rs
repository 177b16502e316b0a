//! Progress for people: a bar on a terminal, a line now and then elsewhere.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_reports::record::{Cell, Status};

use super::{Event, Reporter, human};
use crate::plan::scenario;

/// How often a line is written where standard error is not a terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Shows progress on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    said: Instant,
    done: usize,
    samples: usize,
    /// Cells whose trouble has been told: each is told once.
    troubled: BTreeSet<(Cell, String)>,
}

impl Progress {
    /// A bar if `terminal`, else lines.
    pub fn new(terminal: bool) -> Self {
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:24.cyan/dim} {pos}/{len}  {wide_msg}") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        Self { bar, said: Instant::now(), done: 0, samples: 0, troubled: BTreeSet::new() }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| write_line(line)),
            None => write_line(line),
        }
    }
}

impl Reporter for Progress {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::RunStarted { samples, done, predicted_s, .. } => {
                (self.samples, self.done) = (*samples, *done);
                let about = human(Duration::from_secs_f64(*predicted_s));
                let resumed = if *done > 0 { format!(", {done} of them measured already") } else { String::new() };
                self.say(&format!("Measuring {samples} samples{resumed}, each in a fresh process: about {about}."));
                if let Some(bar) = &self.bar {
                    bar.set_length(*samples as u64);
                    bar.set_position(*done as u64);
                }
            }
            Event::PlanGrew { samples } => {
                self.samples = *samples;
                if let Some(bar) = &self.bar {
                    bar.set_length(*samples as u64);
                }
            }
            Event::SampleStarted { cell, index, left_s, .. } => {
                let left = human(Duration::from_secs_f64(*left_s));
                let what = format!("{} {} {} #{}", cell.subject, cell.scenario, cell.probe, index + 1);
                match &self.bar {
                    Some(bar) => bar.set_message(format!("{what}  ({left} left)")),
                    None if self.said.elapsed() >= EVERY => {
                        self.said = Instant::now();
                        self.say(&format!("{}/{}  {what}  ({left} left)", self.done, self.samples));
                    }
                    None => {}
                }
            }
            Event::SampleFinished { cell, status, error, .. } => {
                self.done += 1;
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
                if let Some(error) = error
                    && *status != Status::Unavailable
                    // More than fits is run to see that it does not.
                    && cell.scenario != scenario::LINE
                    && self.troubled.insert((Cell { factors: Default::default(), ..cell.clone() }, error.clone()))
                {
                    self.say(&format!("{} {} {}: {error}", cell.subject, cell.scenario, cell.probe));
                }
            }
            Event::RunFinished { ok, not_ok, took_s } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
                let took = human(Duration::from_secs_f64(*took_s));
                let rest = if *not_ok > 0 { format!(", {not_ok} not") } else { String::new() };
                self.say(&format!("Measured in {took}: {ok} samples ok{rest}."));
            }
        }
    }
}

/// Talk goes to standard error, data to standard output. A closed pipe ends nothing.
fn write_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
