//! The start of a sample: what it needs is there, its processes run, nothing has been said yet.

use std::path::PathBuf;

use plimsoll_reports::line::LIMIT;
use plimsoll_reports::record::Status;

use super::{Subjected, Taking, Trouble};
use crate::config::{Probe, Subject};
use crate::probe::count::Counters;
use crate::probe::proc::Watched;
use crate::process::group::Group;
use crate::process::{Launch, Process, exec};
use crate::run::launch::{self, Missing};
use crate::run::proxy::{self, Proxy};

/// Files that a subject needs besides its connections: its own, its runtime's, its libraries'.
const SPARE_FILES: u64 = 64;

impl Taking<'_> {
    pub(super) fn start(&mut self, subject: &Subject) -> Result<Subjected, Trouble> {
        let bench = self.bench;
        self.room()?;
        let (program, arguments) = self.locate(subject, &subject.command)?;
        let prefix = bench.mock.map_or_else(String::new, |_| format!("/s/{}", self.script(self.scenario.script)));
        let dhat_file = self.profile_file();
        let mut env =
            launch::environment(subject, &self.sample.cell, self.probe, &prefix, bench.shared, dhat_file.as_deref());
        let counters = if self.probe.counts() {
            Some(Counters::create(&bench.shared.count_file).map_err(Trouble::failed)?)
        } else {
            None
        };
        if let Some(mock) = bench.mock {
            mock.reset().map_err(Trouble::failed)?;
        }
        let group = self.group()?;
        let proxy =
            subject.proxy.as_ref().map(|command| self.start_proxy(subject, command, group.as_ref())).transpose()?;
        env.extend(proxy.iter().map(|proxy| (proxy::VARIABLE.to_owned(), proxy.address().to_owned())));
        let process = Process::start_in(&Launch { program, arguments, env }, group.as_ref())?;
        let watched = Watched::new(process.id()).map_err(Trouble::failed)?;
        Ok(Subjected { proxy, process, watched, counters, group })
    }

    /// A control group where requests are held: it tells what a limit would count. One that must have a limit must be there.
    fn group(&self) -> Result<Option<Group>, Trouble> {
        if self.held.is_empty() || self.probe != Probe::Rss {
            return Ok(None);
        }
        match launch::factor(&self.sample.cell, LIMIT).map(str::parse) {
            Some(Ok(limit)) => Group::create(Some(limit)).map(Some).map_err(Trouble::unavailable),
            Some(Err(_)) => Err(Trouble::failed("its limit is no number of bytes")),
            None => Ok(Group::create(None).ok()),
        }
    }

    /// A script with the fault that the run adds to each.
    pub(super) fn script(&self, script: &str) -> String {
        self.bench.fault.map_or_else(|| script.to_owned(), |fault| format!("{script}+{fault}"))
    }

    fn locate(&self, subject: &Subject, command: &[String]) -> Result<(PathBuf, Vec<String>), Trouble> {
        let located = launch::locate(self.bench.project, subject, command, launch::allocator(&self.sample.cell));
        located.map_err(|missing| match missing {
            Missing::NotInstalled(name) => {
                Trouble::unavailable(format!("{name} is not in PATH; install it to measure this"))
            }
            Missing::Absent(how) => Trouble::unavailable(format!("{} is not there; to get it: {how}", subject.id)),
            Missing::NotBuilt(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Trouble::failed(format!("{name} is not there; build it, or name its build command in plimsoll.toml"))
            }
        })
    }

    fn start_proxy(&self, subject: &Subject, command: &[String], group: Option<&Group>) -> Result<Proxy, Trouble> {
        let shared = self.bench.shared;
        let (program, arguments) = self.locate(subject, command)?;
        let env = launch::proxy_environment(&self.sample.cell, self.probe, shared);
        // The last sample's proxy was killed and left its socket.
        let _ = std::fs::remove_file(&shared.proxy_socket);
        let count_file = self.probe.counts().then_some(&shared.proxy_count_file);
        Proxy::start(&Launch { program, arguments, env }, count_file, group).map_err(Trouble::failed)
    }

    /// Refuses work for which there are not enough files to open. Over HTTP/2 many requests share one.
    fn room(&self) -> Result<(), Trouble> {
        let in_flight = self.held.iter().copied().fold(self.scenario.in_flight, u64::max);
        let files = exec::open_files();
        let needed = in_flight + SPARE_FILES;
        if needed <= files || launch::factor(&self.sample.cell, "protocol") == Some("h2") {
            return Ok(());
        }
        let message = format!(
            "{in_flight} connections at once need {needed} open files, and a subject may have {files} here: raise the hard limit (ulimit -Hn)"
        );
        Err(Trouble { status: Status::Unavailable, message })
    }
}
