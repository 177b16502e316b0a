//! Events of a stream: our reader, and the crate `eventsource-stream`.
//!
//! They do not quite do the same: ours hands out the data where it lies, the other an event of owned strings, its text checked to be UTF-8.

use std::convert::Infallible;
use std::hint::black_box;
use std::ops::ControlFlow;

use bytes::Bytes;
use criterion::measurement::Measurement;
use criterion::{BenchmarkId, Criterion, Throughput};
use eventsource_stream::Eventsource;
use futures_util::{FutureExt, StreamExt, stream};
use plimsoll_providers::wire::sse::{SseReader, Tail};

use super::group;
use crate::corpus::Corpus;

/// No event of the corpus is longer, bytes.
const MAX_EVENT: usize = 8 << 20;

pub(super) fn bench<M: Measurement + 'static>(criterion: &mut Criterion<M>, prefix: &str, corpus: &Corpus) {
    let mut group = group(criterion, prefix, "sse");
    for input in corpus.streams() {
        for body in &input.bodies {
            let (mut own, mut other) = (Vec::new(), Vec::new());
            ours(&mut Vec::new(), body, |data| own.push(data.to_vec()));
            theirs(body, |data| other.push(data.as_bytes().to_vec()));
            assert!(own == other && !own.is_empty(), "{}: {} events, {} events", input.name, own.len(), other.len());
        }
        group.throughput(Throughput::Bytes(input.length()));
        // Kept, as a client keeps it.
        let mut buffer = Vec::new();
        group.bench_function(BenchmarkId::new("SseReader", &input.name), |b| {
            b.iter(|| {
                let mut length = 0;
                for body in black_box(&input.bodies) {
                    buffer.clear();
                    ours(&mut buffer, body, |data| length += data.len());
                }
                length
            });
        });
        group.bench_function(BenchmarkId::new("eventsource-stream", &input.name), |b| {
            b.iter(|| {
                let mut length = 0;
                black_box(&input.bodies).iter().for_each(|body| theirs(body, |data| length += data.len()));
                length
            });
        });
    }
    group.finish();
}

fn ours(buffer: &mut Vec<u8>, pieces: &[Bytes], mut on_data: impl FnMut(&[u8])) {
    let mut reader = SseReader::new(MAX_EVENT);
    for piece in pieces {
        let flow = reader.push(buffer, piece, |data| {
            on_data(data);
            ControlFlow::<()>::Continue(())
        });
        assert!(flow.expect("a stream").is_continue());
    }
    assert_eq!(reader.finish(buffer).expect("a stream"), Tail::Nothing);
}

fn theirs(pieces: &[Bytes], mut on_data: impl FnMut(&str)) {
    let pieces = stream::iter(pieces.iter().cloned().map(Ok::<_, Infallible>));
    let told = pieces.eventsource().for_each(|event| {
        on_data(&event.expect("a stream").data);
        std::future::ready(())
    });
    told.now_or_never().expect("nothing to wait for");
}
