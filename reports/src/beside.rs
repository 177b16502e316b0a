//! Processes beside the subject: helpers that it started, a proxy that was started for it. Their memory is never the subject's, and
//! leaving it out would flatter whoever moves work into another process: so it is summed apart, and with the subject's own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::record::{Checkpoint, Sample};

/// Of each metric of a process: what it is called summed over those beside the subject, and over all, the subject included.
const SUMS: [(&str, Option<&str>, Option<&str>); 6] = [
    ("proc.rss", Some("beside.rss"), Some("whole.rss")),
    ("proc.anon", Some("beside.anon"), Some("whole.anon")),
    ("proc.pss", None, Some("whole.pss")),
    ("heap.allocs", Some("beside.allocs"), Some("whole.allocs")),
    ("heap.bytes", None, Some("whole.bytes")),
    ("heap.live", Some("beside.live"), Some("whole.live")),
];

/// The sample with these sums at each of its checkpoints, if it had a process beside the subject at any.
pub(crate) fn completed(sample: &Sample) -> Cow<'_, Sample> {
    if sample.checkpoints.iter().all(|checkpoint| checkpoint.processes.is_empty()) {
        return Cow::Borrowed(sample);
    }
    let mut sample = sample.clone();
    for checkpoint in &mut sample.checkpoints {
        let sums = sums(checkpoint);
        checkpoint.metrics.extend(sums);
    }
    Cow::Owned(sample)
}

fn sums(checkpoint: &Checkpoint) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for (metric, beside, whole) in SUMS {
        // What the probe did not read has no sum.
        let Some(own) = checkpoint.metrics.get(metric) else { continue };
        let further = checkpoint.processes.iter().filter_map(|process| process.metrics.get(metric));
        let further = further.fold(0_i64, |sum, value| sum.saturating_add(*value));
        sums.extend(beside.map(|name| (name.to_owned(), further)));
        sums.extend(whole.map(|name| (name.to_owned(), own.saturating_add(further))));
    }
    sums
}
