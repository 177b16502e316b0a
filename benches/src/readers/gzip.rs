//! A packed body: our reader of the container around flate2's inflate, kept and made anew; and flate2's own, over bytes that lie there.

use std::hint::black_box;
use std::io::Read;

use criterion::measurement::Measurement;
use criterion::{BenchmarkId, Criterion, Throughput};
use flate2::bufread::MultiGzDecoder;
use plimsoll_providers::wire::gzip::Gunzip;

use super::group;
use crate::corpus::Corpus;

/// Room that is unpacked into, bytes.
const ROOM: usize = 16 << 10;

pub(super) fn bench<M: Measurement + 'static>(criterion: &mut Criterion<M>, prefix: &str, corpus: &Corpus) {
    let mut group = group(criterion, prefix, "gzip");
    let mut room = vec![0; ROOM];
    for (packed, plain) in corpus.packed.iter().zip(&corpus.answers) {
        let (mut own, mut other) = (Vec::new(), Vec::new());
        unpack(&mut Gunzip::new(), &packed.body, &mut room, |piece| own.extend_from_slice(piece));
        theirs(&packed.body, &mut room, |piece| other.extend_from_slice(piece));
        assert!(own == plain.body && other == plain.body, "{}: another body", packed.name);
        // Of what comes out: that is what is read on.
        group.throughput(Throughput::Bytes(plain.body.len() as u64));
        let mut gunzip = Gunzip::new();
        group.bench_function(BenchmarkId::new("Gunzip, kept", packed.name), |b| {
            b.iter(|| {
                gunzip.reset();
                let mut length = 0;
                unpack(&mut gunzip, black_box(&packed.body), &mut room, |piece| length += piece.len());
                length
            });
        });
        group.bench_function(BenchmarkId::new("Gunzip", packed.name), |b| {
            b.iter(|| {
                let mut length = 0;
                unpack(&mut Gunzip::new(), black_box(&packed.body), &mut room, |piece| length += piece.len());
                length
            });
        });
        group.bench_function(BenchmarkId::new("flate2", packed.name), |b| {
            b.iter(|| {
                let mut length = 0;
                theirs(black_box(&packed.body), &mut room, |piece| length += piece.len());
                length
            });
        });
    }
    group.finish();
}

fn unpack(gunzip: &mut Gunzip, packed: &[u8], room: &mut [u8], mut on_piece: impl FnMut(&[u8])) {
    let mut rest = packed;
    loop {
        let (taken, written) = gunzip.unpack(rest, room).expect("gzip");
        on_piece(&room[..written]);
        rest = &rest[taken..];
        if rest.is_empty() && written < room.len() {
            break;
        }
    }
    gunzip.finish().expect("whole");
}

fn theirs(packed: &[u8], room: &mut [u8], mut on_piece: impl FnMut(&[u8])) {
    let mut decoder = MultiGzDecoder::new(packed);
    loop {
        match decoder.read(room).expect("gzip") {
            0 => break,
            count => on_piece(&room[..count]),
        }
    }
}
