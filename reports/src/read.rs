//! From bytes to a [`Record`] and back, with one clear error for each way in which the bytes can be wrong.

use serde::Deserialize;
use serde_json::error::Category;
use thiserror::Error;

use crate::record::{Record, SCHEMA, Sample};

/// Why bytes are not a record.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There is nothing in it.
    #[error("the record is empty: measure again, or assemble it from samples.jsonl with `plimsoll run --resume`")]
    Empty,
    /// It stops in the middle.
    #[error(
        "the record is truncated: it ends at line {line}, column {column}, inside a value; assemble it again with `plimsoll run --resume`"
    )]
    Truncated {
        /// Line of the last byte, from 1.
        line: usize,
        /// Column of the last byte, from 1.
        column: usize,
    },
    /// It is not JSON.
    #[error(
        "the record is not JSON at line {line}, column {column} ({detail}); assemble it again with `plimsoll run --resume`"
    )]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser found.
        detail: String,
    },
    /// It is JSON, but says of itself nothing that we know.
    #[error("this is not a Plimsoll record: it has no `schema` key; give the record.json of a run")]
    NoSchema,
    /// It has another version than this program reads.
    #[error("the record's schema is `{found}` and this version reads `{SCHEMA}`: {mend}")]
    OtherSchema {
        /// The schema it names.
        found: String,
        /// What to do about it.
        mend: String,
    },
    /// A value is not what the schema asks for.
    #[error("the record is wrong at `{path}`: {detail}; it was edited or written by something else: measure again")]
    Shape {
        /// Path of the value in the document: `samples[3].status`.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A line of `samples.jsonl` that is complete is not a sample.
    #[error(
        "samples.jsonl, line {line}, is wrong at `{path}`: {detail}; remove the line and run `plimsoll run --resume`"
    )]
    Line {
        /// The line, from 1.
        line: usize,
        /// Path of the value in the line.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A figure that JSON cannot hold.
    #[error("the record holds a number that is not finite at `{path}`: that reading is broken, leave it out")]
    NotFinite {
        /// Path of the value.
        path: String,
    },
}

impl Record {
    /// Reads a `record.json`.
    ///
    /// # Errors
    /// When the bytes are no record of this schema version; the error names the place and what to do.
    pub fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(RecordError::Empty);
        }
        // The version first: a record of another version is wrong at hundreds of places, and none of them is the cause.
        let head: Head = serde_json::from_slice(bytes).map_err(|error| syntax(&error, bytes))?;
        match head.schema {
            None => return Err(RecordError::NoSchema),
            Some(serde_json::Value::String(found)) if found == SCHEMA => {}
            Some(found) => return Err(other_schema(&found)),
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| RecordError::Shape { path: error.path().to_string(), detail: message(error.inner()) })
    }

    /// Writes a `record.json`, indented, with a line end. The same record gives the same bytes.
    ///
    /// # Errors
    /// When a checkpoint's time is not a finite number: JSON has none, and it would be read back as `null`.
    pub fn write(&self) -> Result<Vec<u8>, RecordError> {
        for (at, sample) in self.samples.iter().enumerate() {
            finite(sample, &format!("samples[{at}]."))?;
        }
        let mut bytes = to_vec(self, true)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl Sample {
    /// Writes the sample as one line of `samples.jsonl`, its line end included.
    ///
    /// # Errors
    /// When a checkpoint's time is not a finite number.
    pub fn write_line(&self) -> Result<Vec<u8>, RecordError> {
        finite(self, "")?;
        let mut bytes = to_vec(self, false)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// What a `samples.jsonl` holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The samples of its complete lines, in order.
    pub samples: Vec<Sample>,
    /// The last line, if the writer was stopped in the middle of it.
    pub torn: Option<Torn>,
}

/// A last line without its line end: what was in hand when the writer was killed. Only it is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Its number, from 1.
    pub line: usize,
    /// Where it begins: cut the file to this length, in bytes, before appending to it.
    pub offset: usize,
    /// Its length, bytes.
    pub bytes: usize,
}

impl Samples {
    /// Reads a `samples.jsonl`. A last line without its line end is reported in [`Samples::torn`], not an error.
    ///
    /// # Errors
    /// When a complete line is not a sample: that is damage, and not a writer that was stopped.
    pub fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (whole, rest) = bytes.split_at(end);
        let lines: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').collect();
        let mut samples = Vec::with_capacity(lines.len());
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace)) {
            let mut reader = serde_json::Deserializer::from_slice(line);
            let wrong = |path: String, detail: String| RecordError::Line { line: at + 1, path, detail };
            let sample = serde_path_to_error::deserialize(&mut reader).map_err(
                |error: serde_path_to_error::Error<serde_json::Error>| {
                    wrong(error.path().to_string(), message(error.inner()))
                },
            )?;
            reader.end().map_err(|error| wrong(".".to_owned(), message(&error)))?;
            samples.push(sample);
        }
        let torn = (!rest.is_empty()).then_some(Torn { line: lines.len(), offset: end, bytes: rest.len() });
        Ok(Self { samples, torn })
    }
}

/// The part of a record that every version has.
#[derive(Deserialize)]
struct Head {
    schema: Option<serde_json::Value>,
}

fn other_schema(found: &serde_json::Value) -> RecordError {
    let name = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    let version = |name: &str| name.strip_prefix("plimsoll.record/").and_then(|version| version.parse::<u32>().ok());
    let mend = match (version(&name), version(SCHEMA)) {
        (Some(theirs), Some(ours)) if theirs > ours => "a newer plimsoll wrote it; update plimsoll",
        (Some(_), Some(_)) => "an older plimsoll wrote it; read it with that version, or measure again",
        _ => "give the record.json of a run",
    };
    let found = name.chars().take(80).collect();
    RecordError::OtherSchema { found, mend: mend.to_owned() }
}

fn syntax(error: &serde_json::Error, bytes: &[u8]) -> RecordError {
    let (line, column) = (error.line(), error.column());
    // A number that is cut after its point is wrong to the parser, and truncated to us: the very end tells.
    let last = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let width = bytes.iter().rev().take_while(|byte| **byte != b'\n').count();
    match error.classify() {
        Category::Eof => RecordError::Truncated { line, column },
        Category::Syntax if line == last && column >= width => RecordError::Truncated { line, column },
        Category::Data => RecordError::Shape { path: ".".to_owned(), detail: message(error) },
        Category::Syntax | Category::Io => RecordError::Syntax { line, column, detail: message(error) },
    }
}

/// The parser's message without the place, which we give ourselves where it helps.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn finite(sample: &Sample, path: &str) -> Result<(), RecordError> {
    match sample.checkpoints.iter().position(|checkpoint| !checkpoint.at_ms.is_finite()) {
        Some(at) => Err(RecordError::NotFinite { path: format!("{path}checkpoints[{at}].at_ms") }),
        None => Ok(()),
    }
}

fn to_vec(value: &impl serde::Serialize, indented: bool) -> Result<Vec<u8>, RecordError> {
    let bytes = if indented { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    bytes.map_err(|error| RecordError::Shape { path: ".".to_owned(), detail: message(&error) })
}
