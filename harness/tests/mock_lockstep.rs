//! One step, one TLS record, and the next only when the client is done with the last.

mod mock_support;

use std::io::{Read, Write};
use std::net::TcpStream;

use mock_support::{Mock, Records, h1, h2, spelled};
use plimsoll::corpus::{self, Body, Call};

/// The data of one chunk that fills a record.
fn chunk(record: &[u8]) -> &[u8] {
    let line = record.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let length = usize::from_str_radix(std::str::from_utf8(&record[..line]).unwrap(), 16).unwrap();
    assert_eq!(record.len(), line + 2 + length + 2, "more or less than a chunk in a record");
    &record[line + 2..line + 2 + length]
}

#[test]
fn a_small_answer_is_one_record_over_h1() {
    let mock = Mock::start();
    let mut records = Records::connect(mock.port, b"http/1.1");
    for _ in 0..3 {
        records.send(spelled("chat", "generateContent").as_bytes());
        let record = records.next();
        assert!(record.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(record.ends_with(b"\r\n0\r\n\r\n"), "the end of the body is in another record");
    }
}

#[test]
fn a_stream_is_a_record_per_event_over_h1() {
    let mock = Mock::start();
    let mut records = Records::connect(mock.port, b"http/1.1");
    records.send(spelled("stream", "streamGenerateContent?alt=sse").as_bytes());
    assert!(records.next().ends_with(b"\r\n\r\n"));
    let Body::Answer { events, .. } = &corpus::reply("stream").unwrap().body else { panic!("an answer") };
    for event in events {
        assert_eq!(chunk(&records.next()), [b"data: ", &event[..], b"\r\n\r\n"].concat());
    }
    assert_eq!(records.next(), b"0\r\n\r\n");
}

#[test]
fn a_large_body_is_full_records() {
    let mock = Mock::start();
    let mut records = Records::connect(mock.port, b"http/1.1");
    records.send(spelled("large", "generateContent").as_bytes());
    assert!(records.next().starts_with(b"HTTP/1.1 200 OK\r\n"));
    let body = corpus::reply("large").unwrap().served(Call::Unary).body;
    let mut read = Vec::new();
    let mut sizes = Vec::new();
    while read.len() < body.len() {
        let record = records.next();
        let end = record.strip_suffix(b"0\r\n\r\n").unwrap_or(&record);
        sizes.push(chunk(end).len());
        read.extend_from_slice(chunk(end));
    }
    assert_eq!(read, body);
    assert_eq!(sizes[..4], [16_000; 4]);
}

#[test]
fn a_split_body_is_a_record_per_piece() {
    let mock = Mock::start();
    let mut records = Records::connect(mock.port, b"http/1.1");
    records.send(spelled("error-503+split=7", "generateContent").as_bytes());
    records.next();
    let body = corpus::reply("error-503").unwrap().served(Call::Unary).body;
    for piece in body.chunks(7) {
        let record = records.next();
        let end = record.strip_suffix(b"0\r\n\r\n").unwrap_or(&record);
        assert_eq!(chunk(end), piece);
    }
}

/// The types of the HTTP/2 frames that fill a record.
fn frame_types(mut record: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while !record.is_empty() {
        let length = usize::from(record[0]) << 16 | usize::from(record[1]) << 8 | usize::from(record[2]);
        types.push(record[3]);
        record = &record[9 + length..];
    }
    types
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// A request for `script` and `call` as HTTP/2 has it, without any compression, and what comes before it.
fn h2_request(script: &str, call: &str) -> Vec<u8> {
    let mut fields = Vec::new();
    let path = format!("/s/{script}/v1beta/models/m:{call}");
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path.as_str()),
        ("x-goog-api-key", "k"),
    ] {
        fields.push(0);
        fields.push(u8::try_from(name.len()).unwrap());
        fields.extend_from_slice(name.as_bytes());
        fields.push(u8::try_from(value.len()).unwrap());
        fields.extend_from_slice(value.as_bytes());
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    // END_STREAM and END_HEADERS on stream 1.
    bytes.extend_from_slice(&[0, 0, u8::try_from(fields.len()).unwrap(), HEADERS, 0x05, 0, 0, 0, 1]);
    bytes.extend_from_slice(&fields);
    bytes
}

/// The records of an HTTP/2 answer, behind the connection's own frames.
fn h2_records(mock: &Mock, script: &str, call: &str, count: usize) -> Vec<Vec<u8>> {
    let mut records = Records::connect(mock.port, b"h2");
    records.send(&h2_request(script, call));
    let mut types = Vec::new();
    while types.len() < count {
        let record = frame_types(&records.next());
        if record.iter().any(|kind| matches!(*kind, DATA | HEADERS)) || !types.is_empty() {
            types.push(record);
        }
    }
    types
}

#[test]
fn a_small_answer_is_one_record_over_h2() {
    let mock = Mock::start();
    assert_eq!(h2_records(&mock, "chat", "generateContent", 1), [[HEADERS, DATA]]);
}

#[test]
fn a_stream_is_a_record_per_event_over_h2() {
    let mock = Mock::start();
    let records = h2_records(&mock, "stream", "streamGenerateContent?alt=sse", 14);
    assert_eq!(records[0], [HEADERS]);
    assert!(records[1..].iter().all(|record| *record == [DATA]), "{records:?}");
}

/// What a client that does not read has waiting for it.
fn waiting(tcp: &TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1024];
    let length = tcp.peek(&mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

/// Another client's whole stream: fourteen steps, so time enough for any step that does not wait.
async fn meanwhile(mock: &Mock) {
    let response = mock.post(&h1(), "stream", "streamGenerateContent?alt=sse").send().await.unwrap();
    response.bytes().await.unwrap();
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_one_event_at_a_time() {
    let mock = Mock::start();
    let mut tcp = TcpStream::connect(("127.0.0.1", mock.port)).unwrap();
    tcp.write_all(spelled("stream", "streamGenerateContent?alt=sse").as_bytes()).unwrap();
    let mut seen = Vec::new();
    for step in 0..14 {
        let first = waiting(&tcp);
        meanwhile(&mock).await;
        assert_eq!(waiting(&tcp), first, "step {step} was not waited for");
        let mut bytes = vec![0; first.len()];
        tcp.read_exact(&mut bytes).unwrap();
        seen.push(bytes);
    }
    assert!(seen[1..13].iter().all(|event| chunk(event).starts_with(b"data: ")));
    assert_eq!(seen[13], b"0\r\n\r\n");
}

#[tokio::test]
async fn without_lock_step_the_same_client_finds_them_all() {
    let mock = Mock::start();
    let mut tcp = TcpStream::connect(("127.0.0.1", mock.port)).unwrap();
    tcp.write_all(spelled("stream+lockstep=off", "streamGenerateContent?alt=sse").as_bytes()).unwrap();
    while !waiting(&tcp).ends_with(b"\r\n0\r\n\r\n") {
        meanwhile(&mock).await;
    }
}

#[tokio::test]
async fn a_single_client_is_waited_for_until_it_sleeps() {
    let mut mock = Mock::start();
    for client in [h1(), h2()] {
        for _ in 0..4 {
            let response = mock.post(&client, "stream", "streamGenerateContent?alt=sse").send().await.unwrap();
            response.bytes().await.unwrap();
        }
    }
    let lockstep = mock.stats().lockstep;
    assert_eq!((lockstep.steps, lockstep.unseen), (8 * 14, 0));
}
