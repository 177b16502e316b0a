//! An answer's JSON: our four readers, and serde_json into types and into a `Value`.
//!
//! They keep different things. `PushJson` tells events and keeps nothing; `Teller` (the visitor form of `bare`) tells texts; `Lifter` (`ultra`) and
//! `decode` (`bare`, `mux`) make the same typed answer as serde_json, the first while it arrives, the second out of a buffer that it may write in,
//! so that the body's copy into that buffer is in its figure.

use std::hint::black_box;

use bytes::Bytes;
use criterion::measurement::Measurement;
use criterion::{BenchmarkId, Criterion, Throughput};
use plimsoll_providers::wire::decode::decode;
use plimsoll_providers::wire::lift::Lifter;
use plimsoll_providers::wire::push_json::{Event, PushJson};
use plimsoll_providers::wire::visit::{Teller, Told, Visitor};
use plimsoll_providers::{GenerateContentResponse, Part};
use serde_json::Value;

use super::group;
use crate::corpus::{Bodies, Corpus};

/// Room for a text's pieces around escapes, bytes; what `Teller` has.
const SCRATCH: usize = 512;

pub(super) fn bench<M: Measurement + 'static>(criterion: &mut Criterion<M>, prefix: &str, corpus: &Corpus) {
    let mut group = group(criterion, prefix, "json");
    for input in corpus.answers() {
        let wholes: Vec<Vec<u8>> = input.bodies.iter().map(|pieces| pieces.concat()).collect();
        input.bodies.iter().zip(&wholes).for_each(|(pieces, whole)| check(&input, pieces, whole));
        let longest = wholes.iter().map(Vec::len).max().unwrap_or_default();
        group.throughput(Throughput::Bytes(input.length()));
        group.bench_function(BenchmarkId::new("PushJson", &input.name), |b| {
            b.iter(|| {
                let mut count = 0_usize;
                black_box(&input.bodies).iter().for_each(|pieces| push(pieces, |_| count += 1));
                count
            });
        });
        let mut kept = Vec::new();
        group.bench_function(BenchmarkId::new("Teller", &input.name), |b| {
            b.iter(|| {
                let mut length = Length(0);
                black_box(&input.bodies).iter().for_each(|pieces| tell(pieces, &mut kept, &mut length));
                length.0
            });
        });
        group.bench_function(BenchmarkId::new("Lifter", &input.name), |b| {
            b.iter(|| black_box(&input.bodies).iter().for_each(|pieces| drop(black_box(lift(pieces)))));
        });
        let mut room = vec![0; longest];
        group.bench_function(BenchmarkId::new("decode", &input.name), |b| {
            b.iter(|| {
                for whole in black_box(&wholes) {
                    let room = &mut room[..whole.len()];
                    room.copy_from_slice(whole);
                    black_box(decode::<GenerateContentResponse>(room).expect("an answer"));
                }
            });
        });
        group.bench_function(BenchmarkId::new("serde_json, typed", &input.name), |b| {
            b.iter(|| black_box(&wholes).iter().for_each(|whole| drop(black_box(typed(whole)))));
        });
        group.bench_function(BenchmarkId::new("serde_json, Value", &input.name), |b| {
            b.iter(|| black_box(&wholes).iter().for_each(|whole| drop(black_box(value(whole)))));
        });
    }
    group.finish();
}

/// All of them read the same.
fn check(input: &Bodies, pieces: &[Bytes], whole: &[u8]) {
    let expected = typed(whole);
    assert!(lift(pieces) == expected, "{}: Lifter reads another answer", input.name);
    let decoded: GenerateContentResponse = decode(&mut whole.to_vec()).expect("an answer");
    assert!(decoded == expected, "{}: decode reads another answer", input.name);
    let (mut strings, mut own, mut piece) = (Vec::new(), Vec::new(), String::new());
    strings_of(&value(whole), &mut strings);
    push(pieces, |event| {
        if let Event::Name(text, last) | Event::Text(text, last) = event {
            piece += text;
            if last {
                own.push(std::mem::take(&mut piece));
            }
        }
    });
    strings.sort_unstable();
    own.sort_unstable();
    assert!(own == strings && !own.is_empty(), "{}: PushJson reads other strings", input.name);
    let mut told = Texts(String::new());
    tell(pieces, &mut Vec::new(), &mut told);
    let texts = expected.candidates.iter().filter_map(|candidate| candidate.content.as_ref());
    let texts: String = texts.flat_map(|content| &content.parts).filter_map(Part::as_text).collect();
    assert!(told.0 == texts, "{}: Teller tells other texts", input.name);
}

fn typed(whole: &[u8]) -> GenerateContentResponse {
    serde_json::from_slice(whole).expect("an answer")
}

fn value(whole: &[u8]) -> Value {
    serde_json::from_slice(whole).expect("JSON")
}

fn push(pieces: &[Bytes], mut on_event: impl FnMut(Event<'_>)) {
    let (mut reader, mut scratch) = (PushJson::new(), [0; SCRATCH]);
    pieces.iter().for_each(|piece| reader.push(piece, &mut scratch, &mut on_event).expect("JSON"));
    reader.finish(&mut on_event).expect("a whole answer");
}

fn tell(pieces: &[Bytes], kept: &mut Vec<u8>, visitor: &mut impl Visitor) {
    kept.clear();
    let mut teller = Teller::default();
    pieces.iter().for_each(|piece| teller.push(piece, kept, visitor).expect("JSON"));
    let told = teller.finish(kept, visitor).expect("a whole answer");
    assert!(matches!(told, Told::Answer { .. }));
}

fn lift(pieces: &[Bytes]) -> GenerateContentResponse {
    let mut lifter = Lifter::new(Vec::new());
    pieces.iter().for_each(|piece| lifter.push(piece).expect("JSON"));
    lifter.finish().expect("an answer")
}

/// How long the texts are, bytes.
struct Length(usize);

impl Visitor for Length {
    fn text(&mut self, _: usize, piece: &str) {
        self.0 += piece.len();
    }
}

/// The texts.
struct Texts(String);

impl Visitor for Texts {
    fn text(&mut self, _: usize, piece: &str) {
        self.0 += piece;
    }
}

/// Every string and every name in it.
fn strings_of(value: &Value, strings: &mut Vec<String>) {
    match value {
        Value::String(text) => strings.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings_of(item, strings)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            strings.push(name.clone());
            strings_of(value, strings);
        }),
        _ => {}
    }
}
