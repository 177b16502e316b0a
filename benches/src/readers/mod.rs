//! The readers of the wire on the corpus, and beside them what else could read the same.
//!
//! What is timed was asserted once before: a reader that misreads fails here, as a bench and as a test.

mod gzip;
mod http1;
mod json;
mod sse;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkGroup, Criterion, SamplingMode};

use crate::corpus::Corpus;

/// All of them.
pub fn bench<M: Measurement + 'static>(criterion: &mut Criterion<M>, prefix: &str, corpus: &Corpus) {
    http1::bench(criterion, prefix, corpus);
    sse::bench(criterion, prefix, corpus);
    json::bench(criterion, prefix, corpus);
    gzip::bench(criterion, prefix, corpus);
}

/// A group whose samples are of the same length, as counts want it; a time is fitted over lengths that differ.
pub(crate) fn group<'c, M: Measurement + 'static>(
    criterion: &'c mut Criterion<M>,
    prefix: &str,
    name: &str,
) -> BenchmarkGroup<'c, M> {
    let mut group = criterion.benchmark_group(format!("{prefix}{name}"));
    if std::any::TypeId::of::<M>() != std::any::TypeId::of::<WallTime>() {
        group.sampling_mode(SamplingMode::Flat);
    }
    group
}
