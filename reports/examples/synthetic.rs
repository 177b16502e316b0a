//! Writes a made-up record to standard output, for working on the pages: `synthetic [hostile|gate] > record.json`.
//! `gate` has 80 processes of four subjects, for `gate_study`.

use std::io::{Error, Write};

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/gate/made.rs"]
mod made;

fn main() -> Result<(), Error> {
    let record = match std::env::args().nth(1).as_deref() {
        Some("hostile") => common::hostile(),
        Some("gate") => made::studied(80),
        _ => common::quick(),
    };
    std::io::stdout().write_all(&record.write().map_err(Error::other)?)
}
