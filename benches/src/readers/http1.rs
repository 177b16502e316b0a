//! The head of an answer, and a body in chunks.

use std::hint::black_box;

use criterion::measurement::Measurement;
use criterion::{BenchmarkId, Criterion, Throughput};
use plimsoll_providers::wire::chunked::ChunkedReader;
use plimsoll_providers::wire::head::{Framing, Head};

use super::group;
use crate::corpus::Corpus;
use crate::plain::MAX_HEAD;

pub(super) fn bench<M: Measurement + 'static>(criterion: &mut Criterion<M>, prefix: &str, corpus: &Corpus) {
    let answer = &corpus.answers[0];
    let (head, length) = Head::read(&answer.head, MAX_HEAD).expect("a head").expect("a whole head");
    assert_eq!((head.status, head.framing, head.keep_alive), (200, Framing::Chunked, true));
    assert_eq!(length, answer.head.len());
    assert_eq!(Head::fields(&answer.head)["transfer-encoding"], "chunked");

    let mut heads = group(criterion, prefix, "head");
    heads.throughput(Throughput::Bytes(answer.head.len() as u64));
    heads.bench_function(BenchmarkId::new("Head::read", answer.name), |b| {
        b.iter(|| Head::read(black_box(&answer.head), MAX_HEAD));
    });
    heads.bench_function(BenchmarkId::new("Head::fields", answer.name), |b| {
        b.iter(|| Head::fields(black_box(&answer.head)));
    });
    heads.finish();

    let mut chunked = group(criterion, prefix, "chunked");
    for answer in [&corpus.streams[0], &corpus.answers[1]] {
        assert_eq!(unchunk(&answer.chunked), answer.body.len());
        chunked.throughput(Throughput::Bytes(answer.chunked.len() as u64));
        chunked.bench_function(BenchmarkId::new("ChunkedReader", answer.name), |b| {
            b.iter(|| unchunk(black_box(&answer.chunked)));
        });
    }
    chunked.finish();
}

/// Bytes of the body in so many chunks.
fn unchunk(chunked: &[u8]) -> usize {
    let (mut reader, mut rest, mut length) = (ChunkedReader::new(), chunked, 0);
    while !reader.is_done() && !rest.is_empty() {
        let (count, piece) = reader.read(rest).expect("chunks");
        length += piece.len();
        rest = &rest[count..];
    }
    length
}
