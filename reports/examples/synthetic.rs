//! Writes a made-up record to standard output, for working on the pages: `synthetic [hostile] > record.json`.

use std::io::{Error, Write};

#[path = "../tests/common/mod.rs"]
mod common;

fn main() -> Result<(), Error> {
    let record =
        if std::env::args().nth(1).as_deref() == Some("hostile") { common::hostile() } else { common::quick() };
    std::io::stdout().write_all(&record.write().map_err(Error::other)?)
}
