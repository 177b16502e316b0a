//! Profiles: a file for the whole life of a sample, and for lives that end earlier, so that a figure per request can be taken by call site.

use std::path::PathBuf;

use plimsoll_reports::record::Sample;

use super::{Bench, Subjected, Taking, Trouble};
use crate::attribute::{self, modules::Modules};
use crate::config::{Probe, Subject};
use crate::plan::scenario::Scenario;

/// Has processes like the sample's do the first part of the same work, each profiled to its end: dhat writes what was asked for from its start to
/// its end, and no difference of two moments. Only where the same work can be expected to ask for the same. Of them
/// only their profiles are kept; one that fails costs the sample its call sites.
pub(super) fn shorter_lives(
    bench: &Bench<'_>,
    subject: &Subject,
    scenario: &Scenario,
    sample: &mut Sample,
    interrupted: &dyn Fn() -> bool,
) {
    // The live service counts requests, and answers differently each time.
    if bench.live.is_some() {
        return;
    }
    for &requests in scenario.profiled_at() {
        let mut shorter = Sample { checkpoints: Vec::new(), ..sample.clone() };
        let until = Some(requests);
        let taken =
            Taking { bench, scenario, held: Vec::new(), probe: Probe::Dhat, sample: &mut shorter, interrupted, until }
                .run(subject);
        let trouble = taken.err().map(|Trouble { message, .. }| {
            let said = bench.shared.key.scrub(&message);
            format!("the process that was profiled to its request {requests} did not get there: {said}")
        });
        sample.unattributed = sample.unattributed.take().or(shorter.unattributed).or(trouble);
    }
}

impl Taking<'_> {
    /// Where the subject is to write its profile, if its probe wants one.
    pub(super) fn profile_file(&mut self) -> Option<PathBuf> {
        if self.probe != Probe::Dhat {
            return None;
        }
        let whole = attribute::profile_name(&self.sample.cell, self.sample.order);
        let name = self.until.map_or_else(|| whole.clone(), |requests| attribute::profile_at(&whole, requests));
        self.sample.profile = Some(whole);
        let path = self.bench.dir.join(name);
        Some(std::path::absolute(&path).unwrap_or(path))
    }

    /// Notes beside its profile what the subject has mapped where: the profile's addresses mean nothing without.
    pub(super) fn note_modules(&mut self, it: &Subjected) {
        let Some(profile) = self.profile_file() else { return };
        let noted = Modules::of(it.process.id()).map_err(|e| e.to_string()).and_then(|modules| {
            let bytes = serde_json::to_vec(&modules).map_err(|e| e.to_string())?;
            std::fs::write(attribute::modules_of(&profile), bytes).map_err(|e| e.to_string())
        });
        if let Err(why) = noted {
            self.sample.unattributed =
                Some(format!("what its process had mapped where could not be noted: {why}; measure again"));
        }
    }
}
