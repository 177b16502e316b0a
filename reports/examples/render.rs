//! Renders a record: `render RECORD [html|markdown|json|csv|junit|terminal]`, to standard output.

use std::io::{Error, Write};

use plimsoll_reports::{Format, Record, render, terminal};

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let path =
        args.next().ok_or_else(|| Error::other("usage: render RECORD [html|markdown|json|csv|junit|terminal]"))?;
    let form = args.next().unwrap_or_else(|| "html".to_owned());
    let record = Record::read(&std::fs::read(path)?).map_err(Error::other)?;
    let bytes = match form.as_str() {
        "terminal" => terminal::render(&record, Some(120), false).into_bytes(),
        name => render(&record, name.parse::<Format>().map_err(Error::other)?),
    };
    std::io::stdout().write_all(&bytes)
}
