//! A watch on the memory of this process: how much it grew, and what to do when that is too much. Needs the feature `monitor`.
//!
//! ```
//! use plimsoll_providers::monitor::MemoryMonitor;
//!
//! # fn main() -> Result<(), plimsoll_providers::Error> {
//! let monitor = MemoryMonitor::new(8 << 20)?.on_growth(|memory| eprintln!("grown by {} bytes", memory.growth()));
//! let memory = monitor.sample()?;
//! assert!(memory.resident > 0);
//! println!("{}", monitor.open_metrics()?);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::error::Error;

type OnGrowth = Box<dyn Fn(Memory) + Send + Sync>;

/// How much memory this process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The resident set now, in bytes.
    pub resident: u64,
    /// The resident set when the monitor was made, in bytes.
    pub baseline: u64,
    /// The largest resident set that was sampled, in bytes.
    pub peak: u64,
}

impl Memory {
    /// How much it grew since the monitor was made, in bytes; 0 where it shrank.
    pub const fn growth(&self) -> u64 {
        self.resident.saturating_sub(self.baseline)
    }
}

/// Watches how the resident set of this process grows.
///
/// Growth over the threshold is told once, by the callback and a `tracing` event, and again after it was below in between: a level that
/// stays high is one alarm, not one for every sample.
pub struct MemoryMonitor {
    threshold: u64,
    on_growth: Option<OnGrowth>,
    watch: Mutex<Watch>,
}

/// What changes from sample to sample.
struct Watch {
    system: System,
    pid: Pid,
    baseline: u64,
    peak: u64,
    over: bool,
}

impl MemoryMonitor {
    /// A monitor for growth over `threshold` bytes from now on. Make it where the program is as large as it should be: after the first
    /// requests, not before.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where the system does not say how much memory a process has.
    pub fn new(threshold: u64) -> Result<Self, Error> {
        let unknown = |what| Error::config(format!("this system does not tell {what}: leave the monitor out"));
        let pid = sysinfo::get_current_pid().map_err(|_| unknown("the id of this process"))?;
        let system = System::new().map_err(|_| unknown("the memory of a process"))?;
        let mut watch = Watch { system, pid, baseline: 0, peak: 0, over: false };
        watch.baseline = watch.resident()?;
        watch.peak = watch.baseline;
        Ok(Self { threshold, on_growth: None, watch: Mutex::new(watch) })
    }

    /// The same, with something to do when growth goes over the threshold.
    #[must_use]
    pub fn on_growth(self, act: impl Fn(Memory) + Send + Sync + 'static) -> Self {
        Self { on_growth: Some(Box::new(act)), ..self }
    }

    /// Reads how much memory there is now, and tells when it grew over the threshold.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where the system no longer says.
    pub fn sample(&self) -> Result<Memory, Error> {
        let (memory, crossed) = {
            let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            let resident = watch.resident()?;
            watch.note(resident, self.threshold)
        };
        // The lock is free by now: the callback may sample too.
        if crossed {
            let (growth, threshold, resident) = (memory.growth(), self.threshold, memory.resident);
            tracing::warn!(growth, threshold, resident, "memory grew over the threshold");
            if let Some(act) = &self.on_growth {
                act(memory);
            }
        }
        Ok(memory)
    }

    /// Samples every `period` until it is dropped, or until the system no longer says how much memory there is.
    ///
    /// # Errors
    ///
    /// As [`sample`](Self::sample).
    pub async fn run(&self, period: Duration) -> Result<std::convert::Infallible, Error> {
        let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
        loop {
            ticks.tick().await;
            self.sample()?;
        }
    }

    /// A sample in the text form of OpenMetrics, to be served at `/metrics`.
    ///
    /// # Errors
    ///
    /// As [`sample`](Self::sample).
    pub fn open_metrics(&self) -> Result<String, Error> {
        let memory = self.sample()?;
        let gauges = [
            ("resident", "The resident set now.", memory.resident),
            ("baseline", "The resident set when the monitor was made.", memory.baseline),
            ("peak", "The largest resident set that was sampled.", memory.peak),
            ("growth", "How much the resident set grew.", memory.growth()),
            ("growth_threshold", "The growth from which on is warned.", self.threshold),
        ];
        let lines = gauges.map(|(name, help, value)| {
            let name = format!("plimsoll_memory_{name}_bytes");
            format!("# TYPE {name} gauge\n# UNIT {name} bytes\n# HELP {name} {help}\n{name} {value}\n")
        });
        Ok(lines.concat() + "# EOF\n")
    }
}

impl fmt::Debug for MemoryMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryMonitor").field("threshold", &self.threshold).finish_non_exhaustive()
    }
}

impl Watch {
    fn resident(&mut self) -> Result<u64, Error> {
        let what = ProcessRefreshKind::nothing().with_memory();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), false, what);
        let memory = self.system.process(self.pid).map(sysinfo::Process::memory).filter(|bytes| *bytes > 0);
        memory.ok_or_else(|| Error::config("this system does not tell the memory of a process: leave the monitor out"))
    }

    /// Takes a sample in; whether it is the first one over the threshold.
    fn note(&mut self, resident: u64, threshold: u64) -> (Memory, bool) {
        self.peak = self.peak.max(resident);
        let memory = Memory { resident, baseline: self.baseline, peak: self.peak };
        let over = memory.growth() > threshold;
        let crossed = over && !self.over;
        self.over = over;
        (memory, crossed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn growth_over_the_threshold_is_told_once_each_time() {
        let mut watch =
            Watch { system: System::new().unwrap(), pid: Pid::from_u32(1), baseline: 100, peak: 100, over: false };
        let crossed: Vec<_> = [100, 110, 111, 200, 90, 111].map(|resident| watch.note(resident, 10).1).into();
        assert_eq!(crossed, [false, false, true, false, false, true]);
        assert_eq!(watch.note(50, 10).0, Memory { resident: 50, baseline: 100, peak: 200 });
        assert_eq!(Memory { resident: 50, baseline: 100, peak: 200 }.growth(), 0);
    }

    #[test]
    fn memory_that_is_touched_is_growth() {
        let told = Arc::new(AtomicUsize::new(0));
        let monitor = MemoryMonitor::new(32 << 20).unwrap().on_growth({
            let told = told.clone();
            move |memory| {
                assert!(memory.growth() > 32 << 20);
                told.fetch_add(1, Ordering::Relaxed);
            }
        });
        let before = monitor.sample().unwrap();
        let held = vec![1_u8; 128 << 20];
        let after = monitor.sample().unwrap();
        assert!(after.resident > before.resident + (64 << 20), "{before:?} {after:?}");
        monitor.sample().unwrap();
        assert_eq!(told.load(Ordering::Relaxed), 1);
        assert!(held.iter().all(|byte| *byte == 1));
    }

    #[test]
    fn metrics_are_in_the_form_of_open_metrics() {
        let text = MemoryMonitor::new(7).unwrap().open_metrics().unwrap();
        assert!(text.ends_with("# EOF\n"));
        assert!(text.contains("# TYPE plimsoll_memory_resident_bytes gauge\n"), "{text}");
        assert!(text.contains("\nplimsoll_memory_growth_threshold_bytes 7\n"), "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let values: Vec<u64> = lines.map(|line| line.split_once(' ').unwrap().1.parse().unwrap()).collect();
        assert_eq!(values.len(), 5);
    }
}
