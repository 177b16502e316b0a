//! HTTP/1.1 by hand over a connection without TLS that is kept.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use plimsoll_providers::wire::head::Head;

/// A request as it goes over the wire.
#[must_use]
pub fn request(script: &str, method: &str) -> Vec<u8> {
    let question = r#"{"contents":[{"parts":[{"text":"Why is there a line on a ship's hull?"}],"role":"user"}]}"#;
    let length = question.len();
    format!(
        "POST /s/{script}/v1beta/models/gemini-2.5-flash:{method} HTTP/1.1\r\nhost: localhost\r\nx-goog-api-key: {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{question}",
        KEY = crate::levels::KEY,
    )
    .into_bytes()
}

/// The head of an answer and its body, as they came.
pub type Came<'p> = (&'p [u8], &'p [u8]);

/// A connection.
#[derive(Debug)]
pub struct Plain {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Plain {
    /// Connects to the mock.
    ///
    /// # Errors
    ///
    /// When it does not listen.
    pub fn connect(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(1 << 17) })
    }

    /// Asks, and reads the answer whole: its head and its body as they came.
    ///
    /// # Errors
    ///
    /// When it is not an answer that can be read, or ends early.
    pub fn ask(&mut self, request: &[u8]) -> Result<Came<'_>, Box<dyn Error>> {
        self.stream.write_all(request)?;
        self.answer.clear();
        let (head, length) = loop {
            if let Some(head) = Head::read(&self.answer, MAX_HEAD)? {
                break head;
            }
            self.read()?;
        };
        let (mut body, mut at) = (head.framing.reader(), length);
        while !body.is_done() {
            if at == self.answer.len() {
                self.read()?;
            }
            at += body.read(&self.answer[at..])?.0;
        }
        Ok(self.answer.split_at(length))
    }

    fn read(&mut self) -> Result<(), Box<dyn Error>> {
        let before = self.answer.len();
        self.answer.resize(before + ROOM, 0);
        let count = self.stream.read(&mut self.answer[before..])?;
        self.answer.truncate(before + count);
        if count == 0 { Err("the mock ended the connection".into()) } else { Ok(()) }
    }
}

const ROOM: usize = 16 << 10;
/// The longest head that is read, bytes.
pub const MAX_HEAD: usize = 16 << 10;
