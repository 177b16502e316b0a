use std::convert::Infallible;
use std::ops::ControlFlow::{Break, Continue};

use proptest::prelude::*;
use smallvec::SmallVec;

use super::*;
use crate::wire::corpus;

type Read = Result<(Vec<String>, String), SseError<Infallible>>;

/// All events of a stream in pieces, and its tail.
fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, max_event: usize) -> Read {
    let mut reader = SseReader::new(max_event);
    let mut buffer = SmallVec::<[u8; 16]>::new();
    let mut events = Vec::new();
    for chunk in chunks {
        let Continue(()) = reader.push(&mut buffer, chunk, |data| {
            events.push(String::from_utf8(data.to_vec()).unwrap());
            Continue::<Infallible>(())
        })?;
    }
    let tail = match reader.finish(&mut buffer)? {
        Tail::Nothing => String::new(),
        Tail::Event(data) => format!("event {}", String::from_utf8_lossy(data)),
        Tail::Bare(json) => format!("bare {}", String::from_utf8_lossy(json)),
    };
    Ok((events, tail))
}

fn every_cut(body: &[u8]) -> impl Iterator<Item = [&[u8]; 2]> {
    (0..=body.len()).map(|at| [&body[..at], &body[at..]])
}

#[test]
fn our_streams_cut_at_every_byte() {
    for (name, body, data) in corpus::streams() {
        for cut in every_cut(&body) {
            let (events, tail) = read(cut, usize::MAX).unwrap();
            assert_eq!((events, &*tail), (data.clone(), ""), "{name}, cut at {}", cut[0].len());
        }
        assert_eq!(read(body.chunks(1), usize::MAX).unwrap().0, data, "{name}, byte by byte");
    }
}

#[test]
fn recorded_streams_cut_at_every_byte() {
    for (name, body) in corpus::recorded_streams() {
        // An independent reading: the recordings have one line of data to an event.
        let text = std::str::from_utf8(&body).unwrap();
        let expected: Vec<_> =
            text.split('\n').filter_map(|line| line.trim_end_matches('\r').strip_prefix("data: ")).collect();
        for cut in every_cut(&body) {
            let (mut events, tail) = read(cut, usize::MAX).unwrap();
            events.extend(tail.strip_prefix("event ").map(str::to_owned));
            assert_eq!(events, expected, "{name}, cut at {}", cut[0].len());
            assert_eq!(tail.starts_with("bare"), text.lines().any(|line| line.starts_with('{')), "{name}");
        }
    }
}

#[test]
fn a_stream_without_its_last_empty_line_has_a_tail() {
    for (body, tail) in [
        ("data: 1", "event 1"),
        ("data: 1\r\n", "event 1"),
        ("data: 1\ndata: 2", "event 1\n2"),
        ("dat", ""),
        (": c", ""),
        ("data:", ""),
    ] {
        for cut in every_cut(body.as_bytes()) {
            assert_eq!(read(cut, 100).unwrap(), (vec![], tail.to_owned()), "{body:?}");
        }
    }
}

#[test]
fn json_without_framing_is_the_tail_and_ends_the_event_before_it() {
    for (before, events) in
        [("", vec![]), ("data: 1\r\n\r\n", vec!["1".to_owned()]), ("data: 1\r\n", vec!["1".to_owned()])]
    {
        for json in ["{\n  \"error\": {}\r\n\r\n}\n", "[{\"error\": {}}]", "{"] {
            let body = format!("{before}{json}");
            for cut in every_cut(body.as_bytes()) {
                assert_eq!(read(cut, 100).unwrap(), (events.clone(), format!("bare {json}")), "{body:?}");
            }
        }
    }
}

#[test]
fn the_limit_holds_wherever_the_stream_is_cut() {
    let long = |body: &str| {
        every_cut(body.as_bytes()).map(|cut| matches!(read(cut, 10), Err(SseError::TooLong(10)))).collect::<Vec<_>>()
    };
    let all = |body: &str, refused: bool| assert!(long(body).iter().all(|found| *found == refused), "{body:?}");
    all("data: 0123456789\n\n", false);
    all("data:0123456789\r\n\r\n", false);
    all("data: 0123456789x\n\n", true);
    all("data: 01234\ndata: 5678\n\n", false);
    all("data: 01234\ndata: 56789\n\n", true);
    all("{\"a\": 567}", false);
    all("{\"a\": 5678}", true);
    all(": a comment that is much longer than ten bytes\n", true);
    all("data: 0123456789\n\ndata: 0123456789\n\n", false);
}

#[test]
fn an_event_in_one_chunk_is_not_copied() {
    let body = b"data: one\r\n\r\ndata: two\r\n\r\n";
    let mut buffer = Vec::new();
    let flow = SseReader::new(100).push(&mut buffer, body, |data| {
        assert!(body.as_ptr_range().contains(&data.as_ptr()));
        Continue::<()>(())
    });
    assert!(flow.unwrap().is_continue());
    assert_eq!(buffer.capacity(), 0);
}

#[test]
fn a_break_stops_at_once() {
    let mut seen = 0;
    let flow = SseReader::new(100).push(&mut Vec::new(), b"data: 1\n\ndata: 2\n\n", |data| {
        seen += 1;
        Break(data.to_vec())
    });
    assert_eq!((flow.unwrap(), seen), (Break(b"1".to_vec()), 1));
}

#[test]
fn a_full_buffer_is_an_error_of_the_callers_kind() {
    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("full")]
    struct Full;

    struct Fixed([u8; 8], usize);

    impl Buffer for Fixed {
        type Full = Full;

        fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
            self.0.get_mut(self.1..self.1 + bytes.len()).ok_or(Full)?.copy_from_slice(bytes);
            self.1 += bytes.len();
            Ok(())
        }

        fn bytes(&self) -> &[u8] {
            &self.0[..self.1]
        }

        fn cut(&mut self, at: usize, count: usize) {
            self.0.copy_within(at + count..self.1, at);
            self.1 -= count;
        }

        fn empty(&mut self) {
            self.1 = 0;
        }
    }

    let mut buffer = Fixed([0; 8], 0);
    let mut reader = SseReader::new(100);
    let mut push = |chunk: &[u8]| reader.push(&mut buffer, chunk, |_| Continue::<()>(()));
    assert!(push(b"data: 1\n\ndata").is_ok());
    assert!(push(b": 12").is_ok());
    assert!(matches!(push(b"3"), Err(SseError::Full(Full))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_cuts_give_the_same_events(stream in 0_usize..64, cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12)) {
        let streams = all_streams();
        let (name, body, whole) = &streams[stream % streams.len()];
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).chain([0, body.len()]).collect();
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]);
        prop_assert_eq!(&read(pieces, usize::MAX).unwrap(), whole, "{}", name);
    }

    #[test]
    fn any_lines_cut_anywhere_read_the_same(
        tokens in proptest::collection::vec(
            proptest::sample::select(vec!["\n", "\r", "{", ":", "data", "data: ", "x", "\u{feff}", "0123456789"]), 0..20,
        ),
        at in any::<proptest::sample::Index>(),
    ) {
        let body = tokens.concat().into_bytes();
        let at = at.index(body.len() + 1);
        let plain = |read: Read| read.map_err(|error| error.to_string());
        prop_assert_eq!(plain(read([&body[..at], &body[at..]], 15)), plain(read([&body[..]], 15)));
    }
}

/// A stream's name, its bytes, and what they give in one piece.
type Whole = (String, Vec<u8>, (Vec<String>, String));

/// Every stream there is.
fn all_streams() -> &'static [Whole] {
    static STREAMS: std::sync::OnceLock<Vec<Whole>> = std::sync::OnceLock::new();
    STREAMS.get_or_init(|| {
        let own = corpus::streams().into_iter().map(|(name, body, _)| (name, body));
        own.chain(corpus::recorded_streams())
            .map(|(name, body)| {
                let whole = read([&body[..]], usize::MAX).unwrap();
                (name, body, whole)
            })
            .collect()
    })
}
