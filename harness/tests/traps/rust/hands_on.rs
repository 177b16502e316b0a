//! A subject that makes a large value and keeps it on the heap. Optimised, it is written once, where it is to be; without that, it is made on the stack,
//! handed on, and copied.

use std::io::{BufRead, Write};

/// Bytes of the value.
const SIZE: usize = 512 * 1024;

struct Value {
    bytes: [u8; SIZE],
}

impl Value {
    fn new(seed: u8) -> Self {
        Self { bytes: [seed; SIZE] }
    }
}

fn main() {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let say = |line: &str| {
        let mut out = std::io::stdout();
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    };
    say(&format!("plimsoll 1 subject=hands-on allocator=system profile={profile} build=1"));
    let mut client = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.as_str() {
            "exit" => return,
            "client" => client = Some(Box::new(Value::new(std::hint::black_box(7)))),
            "drop" => drop(client.take()),
            _ => {}
        }
        assert!(client.as_ref().is_none_or(|client| std::hint::black_box(client).bytes[SIZE / 2] == 7));
        say("ok");
    }
}
