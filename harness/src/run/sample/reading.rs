//! A checkpoint: the subject, and all that work for it, read while they stand still.

use std::time::Duration;

use plimsoll_reports::record::{Checkpoint, Memory, Process as ProcessRow};

use super::{Subjected, Taking, Trouble};
use crate::config::Probe;
use crate::probe::proc::Watched;
use crate::probe::{Metrics, count, family, memory};
use crate::process::group::Group;
use crate::process::protocol::{self, Pairs};
use crate::run::launch;

/// How long a subject may take to come to rest when its answer is out, before it is read all the same.
const REST: Duration = Duration::from_millis(250);

/// How often a ledger is read of a subject that does not stand still.
const TRIES: u32 = 5;

impl Taking<'_> {
    pub(super) fn checkpoint(
        &mut self,
        it: &Subjected,
        name: &str,
        requests: u64,
        pairs: &Pairs,
    ) -> Result<(), Trouble> {
        self.rest(it);
        let mut metrics: Metrics = protocol::metrics(pairs)?;
        let mut memory = None;
        match self.probe {
            Probe::Rss => {
                metrics.extend(it.watched.metrics().map_err(Trouble::failed)?);
                metrics.extend(it.group.iter().flat_map(Group::metrics));
            }
            Probe::Count => metrics.extend(counts(it)?),
            Probe::Ledger => {
                let (read, lies) = self.account(it)?;
                metrics.extend(read);
                memory = Some(lies);
            }
            Probe::Jemalloc | Probe::Dhat => {
                let wanted = if self.probe == Probe::Jemalloc { "jemalloc.allocated" } else { "dhat.total" };
                if !metrics.contains_key(wanted) {
                    return Err(Trouble::failed(format!(
                        "its answer lacks `{wanted}=`; build this binary with plimsoll-worker's feature for {}",
                        self.probe
                    )));
                }
            }
        }
        self.sample.checkpoints.push(Checkpoint {
            name: name.to_owned(),
            requests,
            at_ms: it.process.age_ms(),
            metrics,
            processes: self.beside(it)?,
            sites: Vec::new(),
            memory,
        });
        Ok(())
    }

    /// What the subject has in memory, and where. It takes several readings, which belong together only if nothing moved between the first and the
    /// last: else they are taken again, a few times.
    fn account(&self, it: &Subjected) -> Result<(Metrics, Memory), Trouble> {
        let known = self.known();
        let mut tries = 0;
        loop {
            tries += 1;
            let mut metrics = it.watched.metrics().map_err(Trouble::failed)?;
            metrics.extend(counts(it)?);
            let memory = memory::read(it.process.id(), &known).map_err(Trouble::failed)?;
            let after = it.watched.metrics().map_err(Trouble::failed)?;
            let still = after["proc.rss"] == metrics["proc.rss"]
                && counts(it)?.get("heap.allocs") == metrics.get("heap.allocs");
            if still || tries == TRIES {
                let held = memory::socket_memory(it.process.id()).and_then(|bytes| i64::try_from(bytes).ok());
                metrics.extend(held.map(|bytes| ("proc.sockets".to_owned(), bytes)));
                return Ok((metrics, memory));
            }
            self.rest(it);
        }
    }

    /// What tells Plimsoll's own files from the subject's.
    fn known(&self) -> memory::Known {
        let shared = self.bench.shared;
        memory::Known {
            jemalloc: launch::allocator(&self.sample.cell).is_jemalloc(),
            instrument: vec![shared.count_library.clone(), shared.count_file.clone()],
            roots: shared.ca.clone(),
        }
    }

    /// The processes beside the subject, as its probe reads them.
    fn beside(&self, it: &Subjected) -> Result<Vec<ProcessRow>, Trouble> {
        let subject = it.process.id();
        let mut rows = Vec::new();
        let row = |role: &str, metrics| ProcessRow { role: role.to_owned(), metrics };
        match (self.probe, &it.counters) {
            (Probe::Rss | Probe::Ledger, _) => {
                for helper in family::descendants(subject) {
                    // One that ends just now takes no memory any more.
                    let Ok(metrics) = Watched::new(helper).and_then(|helper| helper.metrics()) else { continue };
                    rows.push(row("helper", metrics));
                }
            }
            (Probe::Count, Some(counters)) => {
                let living = family::descendants(subject);
                for (helper, mut metrics) in counters.helpers(subject).map_err(Trouble::failed)? {
                    let lives = living.contains(&helper);
                    metrics.retain(|name, _| lives || !count::LEVELS.contains(&&**name));
                    rows.push(row(if lives { "helper" } else { "ended" }, metrics));
                }
            }
            _ => {}
        }
        if let Some(proxy) = &it.proxy {
            rows.extend(proxy.row(self.probe).map_err(Trouble::failed)?);
        }
        Ok(rows)
    }

    /// Waits until all that work for the subject are at rest, too: what they still do they do for it.
    fn rest(&self, it: &Subjected) {
        it.watched.rest(REST);
        if let Some(proxy) = &it.proxy {
            proxy.rest(REST);
        }
        for helper in family::descendants(it.process.id()).into_iter().filter_map(|helper| Watched::new(helper).ok()) {
            helper.rest(REST);
        }
    }
}

/// The counts of the subject.
fn counts(it: &Subjected) -> Result<Metrics, Trouble> {
    let Some(counters) = &it.counters else { return Ok(Metrics::new()) };
    counters.subject(it.process.id()).map_err(Trouble::failed)?.ok_or_else(|| {
        Trouble::unavailable(
            "it did not load libplimsoll_count.so: it is statically linked, or not a program for this C library; \
             measure it with `rss`",
        )
    })
}
