//! The readers of the wire against those of other people, or against plain ones that see all bytes at once: the same verdict and the
//! same content, whatever was done to the bytes and in whatever pieces they come.
//!
//! Each property is tried some hundred times. `PROPTEST_CASES` says how often instead, for a longer search.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::ops::ControlFlow;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use httparse::Status;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::answer::typed;
use super::corpus;
use super::decode::decode;
use super::gzip::Gunzip;
use super::head::{Head, MAX_HEADERS};
use super::lift::Lifter;
use super::sse::{SseReader, Tail};
use super::visit::{Teller, Visitor};
use crate::types::GenerateContentResponse;

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(500))
}

fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

/// Puts other bytes in the place of one, here and there.
fn damaged(mut bytes: Vec<u8>, damage: &[(Index, Vec<u8>)]) -> Vec<u8> {
    for (at, other) in damage {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes.splice(at..=at, other.iter().copied());
        }
    }
    bytes
}

/// What became of an answer of HTTP/1.1.
#[derive(Debug, PartialEq)]
enum Answer {
    Refused,
    /// Not even its head came.
    Short,
    Read {
        status: u16,
        body: Vec<u8>,
        whole: bool,
        /// Whether its connection may be asked again, were it whole.
        reusable: bool,
        /// Bytes that are not part of it.
        behind: usize,
    },
}

/// As the client reads: a head as soon as it is there, and then the body, piece by piece.
fn answer(pieces: &[&[u8]]) -> Answer {
    let (mut came, mut body, mut at, mut head) = (Vec::new(), Vec::new(), 0, None);
    for piece in pieces {
        came.extend_from_slice(piece);
        if head.is_none() {
            match Head::read(&came, usize::MAX) {
                Err(_) => return Answer::Refused,
                Ok(None) => continue,
                Ok(Some((read, length))) => {
                    head = Some((read, read.framing.reader()));
                    at = length;
                }
            }
        }
        let Some((_, reader)) = &mut head else { continue };
        while !reader.is_done() && at < came.len() {
            let Ok((count, data)) = reader.read(&came[at..]) else { return Answer::Refused };
            body.extend_from_slice(data);
            at += count;
        }
    }
    let Some((head, reader)) = head else { return Answer::Short };
    let (whole, behind) = (reader.is_done(), came.len() - at);
    Answer::Read { status: head.status, body, whole, reusable: head.keep_alive, behind }
}

/// The same with all bytes in hand: fields and chunks' sizes by httparse, the rest by the letter of RFC 9112.
fn plain_answer(bytes: &[u8]) -> Answer {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes) {
        Err(_) => return Answer::Refused,
        Ok(Status::Partial) => return Answer::Short,
        Ok(Status::Complete(length)) => length,
    };
    // The elements of all fields of a name; `None`: one of them has none.
    let listed = |name: &str| -> Option<Vec<String>> {
        let fields = response.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        let words = fields.map(|field| {
            let text = String::from_utf8_lossy(field.value).to_ascii_lowercase();
            let words: Vec<_> = text.split(',').map(|word| word.trim().to_owned()).collect();
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            (!words.is_empty()).then_some(words)
        });
        words.collect::<Option<Vec<_>>>().map(|words| words.concat())
    };
    let (Some(lengths), Some(codings)) = (listed("content-length"), listed("transfer-encoding")) else {
        return Answer::Refused;
    };
    let digits = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse::<u64>().ok())?;
    let Some(lengths) = lengths.iter().map(digits).collect::<Option<Vec<_>>>() else { return Answer::Refused };
    if lengths.windows(2).any(|two| two[0] != two[1]) || !(codings.is_empty() || codings == ["chunked"]) {
        return Answer::Refused;
    }
    let (status, rest) = (response.code.unwrap(), &bytes[length..]);
    let bodiless = matches!(status, 100..200 | 204 | 304);
    let (body, whole, used) = match (bodiless, &codings[..], lengths.first()) {
        (true, ..) => (Vec::new(), true, 0),
        (_, [_, ..], _) => match dechunked(rest) {
            Some(read) => read,
            None => return Answer::Refused,
        },
        (_, [], Some(length)) => {
            let used = usize::try_from(*length).unwrap().min(rest.len());
            (rest[..used].to_vec(), used as u64 == *length, used)
        }
        (_, [], None) => (rest.to_vec(), false, rest.len()),
    };
    let closes =
        response.version == Some(0) || listed("connection").is_some_and(|words| words.contains(&"close".into()));
    let framed = bodiless || codings.is_empty() != lengths.is_empty();
    let two = !codings.is_empty() && !lengths.is_empty();
    Answer::Read { status, body, whole, reusable: framed && !two && !closes, behind: rest.len() - used }
}

/// A body without its chunks, whether it is whole, and how many bytes it took; `None`: it is refused.
fn dechunked(bytes: &[u8]) -> Option<(Vec<u8>, bool, usize)> {
    let (mut body, mut rest) = (Vec::new(), bytes);
    macro_rules! half {
        () => {
            return Some((body, false, bytes.len()))
        };
    }
    loop {
        // httparse lets pass a size without a digit, sixteen of them, and a lone LF in an extension.
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap_or(rest.len());
        if digits > 15 || (digits == 0 && !rest.is_empty()) || rest[..line].contains(&b'\n') {
            return None;
        }
        let size = match httparse::parse_chunk_size(rest).ok()? {
            Status::Partial => half!(),
            Status::Complete((length, size)) => {
                rest = &rest[length..];
                usize::try_from(size).unwrap()
            }
        };
        if size == 0 {
            break;
        }
        let count = size.min(rest.len());
        body.extend_from_slice(&rest[..count]);
        rest = match &rest[count..] {
            [] | [b'\r'] => half!(),
            [b'\r', b'\n', behind @ ..] if count == size => behind,
            _ => return None,
        };
    }
    // Trailers, up to an empty line.
    loop {
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else { half!() };
        rest = match &rest[end..] {
            [b'\r'] => half!(),
            [b'\r', b'\n', behind @ ..] => behind,
            _ => return None,
        };
        if end == 0 {
            return Some((body, true, bytes.len() - rest.len()));
        }
    }
}

static STARTS: [&str; 6] = [
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 503\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 103 Early Hints\r\n",
    "\r\nHTTP/1.1 200 OK\n",
];
static FIELDS: [&str; 20] = [
    "content-length: 5\r\n",
    "Content-Length: 5\r\n",
    "content-length: 5, 5\r\n",
    "content-length: 05\r\n",
    "content-length: 12\r\n",
    "content-length:\r\n",
    "content-length: +5\r\n",
    "content-length: 18446744073709551616\r\n",
    "content-length : 5\r\n",
    "transfer-encoding: chunked\r\n",
    "Transfer-Encoding:\tCHUNKED \r\n",
    "transfer-encoding: chunked\r\n",
    "transfer-encoding: gzip, chunked\r\n",
    "transfer-encoding:\r\n",
    "connection: keep-alive, Close\r\n",
    "connection: keep-alive\r\n",
    "x: 1\n",
    "x: 1\r2\r\n",
    " folded\r\n",
    "content-encoding: gzip\r\n",
];
static BODY: [&str; 18] = [
    "hello",
    "5\r\nhello\r\n",
    "5;a=\"b\"\r\nhello\r\n",
    "5 \t;a\r\nhello\r\n",
    "5 \r\nhello\r\n",
    "5 5\r\nhello\r\n",
    "5;\nhello\r\n",
    "5\nhello\n",
    "005\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\nt: u\r\n\r\n",
    "0\r\nt: u\n\r\n",
    "0\r\n\n",
    "0;x\r\n\r\n",
    "ffffffffffffffff\r\n",
    "\r\n",
    "\r",
    "f",
];

static LINES: [&str; 16] = [
    "\n", "\r", "\r\n", "\n\n", "{", "[", ":", "data", "data:", "data: ", "data: 1", "event: x", "x", " ", "\u{feff}",
    "\u{2028}",
];

/// The events of a stream, and what stood at its end.
type Events = (Vec<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);

fn events(pieces: &[&[u8]]) -> Events {
    let (mut reader, mut buffer, mut events) = (SseReader::new(usize::MAX), Vec::new(), Vec::new());
    for piece in pieces {
        let read = reader.push(&mut buffer, piece, |data| {
            events.push(data.to_vec());
            ControlFlow::<Infallible>::Continue(())
        });
        assert!(read.is_ok_and(|flow| flow.is_continue()));
    }
    match reader.finish(&mut buffer).unwrap() {
        Tail::Nothing => (events, None, None),
        Tail::Event(data) => (events, Some(data.to_vec()), None),
        Tail::Bare(json) => (events, None, Some(json.to_vec())),
    }
}

/// The same with the whole stream in hand, by the letter of the standard, but for JSON that stands in a line without a name.
fn plain_events(stream: &[u8]) -> Events {
    let (mut events, mut data, mut rest, mut first) = (Vec::new(), Vec::new(), stream, true);
    let whole = |data: &mut Vec<&[u8]>| Some(std::mem::take(data).join(&b'\n')).filter(|event| !event.is_empty());
    loop {
        if matches!(rest.first(), Some(b'{' | b'[')) {
            events.extend(whole(&mut data));
            return (events, None, Some(rest.to_vec()));
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let mut line = &rest[..end.unwrap_or(rest.len())];
        if std::mem::take(&mut first) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() && end.is_some() {
            events.extend(whole(&mut data));
        } else if line == b"data" {
            data.push(&b""[..]);
        } else if let Some(value) = line.strip_prefix(b"data:") {
            data.push(value.strip_prefix(b" ").unwrap_or(value));
        }
        let Some(end) = end else { return (events, whole(&mut data), None) };
        rest = &rest[end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 }..];
    }
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn unzipped(pieces: &[&[u8]], room: usize) -> Option<Vec<u8>> {
    let (mut gunzip, mut all, mut out) = (Gunzip::new(), Vec::new(), vec![0; room]);
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let (taken, written) = gunzip.unpack(rest, &mut out).ok()?;
            all.extend_from_slice(&out[..written]);
            rest = &rest[taken..];
            if rest.is_empty() && written < room {
                break;
            }
        }
    }
    gunzip.finish().ok().map(|()| all)
}

/// What may come in the place of a byte of JSON.
fn wrong_json() -> impl Strategy<Value = Vec<u8>> {
    static TOKENS: [&str; 15] =
        ["\"", "\\", "\\u", "\\ud83d", "{", "}", "[", "]", ",", ":", "0", "-", "1e", "null", "\"text\":\"x\","];
    prop_oneof![vec(any::<u8>(), 0..3), select(&TOKENS[..]).prop_map(|token| token.as_bytes().to_vec())]
}

struct Deaf;

impl Visitor for Deaf {}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_answer_is_what_a_plain_reading_makes_of_it(
        start in select(&STARTS[..]), fields in vec(select(&FIELDS[..]), 0..4), end in select(vec!["\r\n", "\r\n", "\r\n", "\n", ""]),
        body in vec(select(&BODY[..]), 0..6), damage in vec((any::<Index>(), vec(any::<u8>(), 0..3)), 0..2), cuts in vec(any::<Index>(), 0..8)
    ) {
        let bytes = [start, &fields.concat(), end, &body.concat()].concat().into_bytes();
        let bytes = damaged(bytes, &damage);
        let plain = plain_answer(&bytes);
        prop_assert_eq!(&answer(&pieces(&bytes, &cuts)), &plain);
        prop_assert_eq!(&answer(&bytes.chunks(1).collect::<Vec<_>>()), &plain);
    }

    #[test]
    fn a_body_in_chunks_is_what_httparse_makes_of_it(
        body in vec(select(&BODY[..]), 0..10), damage in vec((any::<Index>(), vec(any::<u8>(), 0..3)), 0..2), cuts in vec(any::<Index>(), 0..8)
    ) {
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let bytes = [&head[..], &damaged(body.concat().into_bytes(), &damage)].concat();
        prop_assert_eq!(answer(&pieces(&bytes, &cuts)), plain_answer(&bytes));
    }

    #[test]
    fn a_stream_is_what_a_plain_reading_makes_of_it(
        lines in vec(select(&LINES[..]), 0..30),
        damage in vec((any::<Index>(), vec(any::<u8>(), 0..3)), 0..2), cuts in vec(any::<Index>(), 0..12)
    ) {
        let stream = damaged(lines.concat().into_bytes(), &damage);
        let plain = plain_events(&stream);
        prop_assert_eq!(&events(&pieces(&stream, &cuts)), &plain);
        prop_assert_eq!(&events(&stream.chunks(1).collect::<Vec<_>>()), &plain);
    }

    #[test]
    fn gzip_is_what_flate2_makes_of_it(
        texts in vec("[a-c]{0,200}", 1..4), byte in any::<Option<(Index, u8)>>(), end in any::<Option<Index>>(),
        cuts in vec(any::<Index>(), 0..8), room in 1..300_usize
    ) {
        let members: Vec<_> = texts.iter().map(|text| zipped(text.as_bytes())).collect();
        let mut bytes = members.concat();
        // But for the flags: flate2 compares the sum of a head, where there is one.
        let ends = members.iter().scan(0, |end, member| {
            *end += member.len();
            Some(*end)
        });
        let flags: Vec<_> = std::iter::once(0).chain(ends).map(|begin| begin + 3).collect();
        let place = byte.map(|(at, byte)| (at.index(bytes.len()), byte));
        if let Some((at, byte)) = place.filter(|(at, _)| !flags.contains(at)) {
            bytes[at] = byte;
        }
        if let Some(end) = end {
            bytes.truncate(1 + end.index(bytes.len()));
        }
        let mut plain = Vec::new();
        let plain = MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).ok().map(|_| plain);
        prop_assert_eq!(unzipped(&pieces(&bytes, &cuts), room), plain);
    }

    #[test]
    fn a_damaged_answer_is_what_serde_json_makes_of_it(
        number in any::<Index>(), damage in vec((any::<Index>(), wrong_json()), 0..4), cuts in vec(any::<Index>(), 0..8)
    ) {
        let answers = corpus::answers();
        let (name, body) = &answers[number.index(answers.len())];
        let body = damaged(body.clone(), &damage);
        let pieces = pieces(&body, &cuts);
        let expected = typed(&body).ok();

        let mut lifter = Lifter::new(Vec::new());
        let lifted = pieces.iter().try_for_each(|piece| lifter.push(piece)).and_then(|()| lifter.finish());
        prop_assert_eq!(&lifted.ok(), &expected, "{} lifted", name);
        let decoded = decode::<GenerateContentResponse>(&mut body.clone());
        prop_assert_eq!(&decoded.ok(), &expected, "{} decoded", name);

        let (mut teller, mut kept) = (Teller::default(), Vec::new());
        let told = pieces.iter().try_for_each(|piece| teller.push(piece, &mut kept, &mut Deaf));
        let told = told.and_then(|()| teller.finish(&mut kept, &mut Deaf));
        match serde_json::from_slice::<Value>(&body) {
            // A number too great for serde_json's types is JSON all the same.
            Err(error) if error.to_string().contains("out of range") => {}
            read => prop_assert_eq!(told.is_ok(), read.is_ok(), "{} told: {:?}, {:?}", name, told, read),
        }
    }
}
