//! The forms in which a record can be read.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::record::Record;
use crate::source_url::SourceUrl;

/// A form of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// One page for a browser, whole and offline.
    Html,
    /// What fits a pull request's comment.
    Markdown,
    /// Every figure, for programs.
    Json,
    /// Every figure, one a row, for spreadsheets.
    Csv,
    /// Every cell as a test case, for CI systems.
    Junit,
}

/// A name that is no format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no format `{given}`: choose from html, markdown, json, csv, junit")]
pub struct UnknownFormat {
    given: String,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Html, Self::Markdown, Self::Json, Self::Csv, Self::Junit];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Junit => "junit",
        }
    }

    /// The file it is written to, beside the record.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Html => "index.html",
            Self::Markdown => "REPORT.md",
            Self::Json => "summary.json",
            Self::Csv => "figures.csv",
            Self::Junit => "junit.xml",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let lower = name.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.name() == lower || (lower == "md" && *format == Self::Markdown))
            .ok_or_else(|| {
                let given = name.chars().take(40).collect();
                UnknownFormat { given }
            })
    }
}

/// The record in that form. The same record gives the same bytes: there is no clock, no machine and no order by chance in them.
#[must_use]
pub fn render(record: &Record, format: Format) -> Vec<u8> {
    render_linked(record, format, None)
}

/// What a report may have besides its record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// Where the project's own code can be read, for links to its lines.
    pub source: Option<&'a SourceUrl>,
    /// A record of the same cells on the other target: of the live service beside one of the mock, or the other way round.
    pub beside: Option<&'a Record>,
}

/// The same, with links to lines of the project's own code where it can be read.
#[must_use]
pub fn render_linked(record: &Record, format: Format, source: Option<&SourceUrl>) -> Vec<u8> {
    render_with(record, format, Extras { source, beside: None })
}

/// The same, with what is given besides. JSON, CSV and JUnit are of the one record alone.
#[must_use]
pub fn render_with(record: &Record, format: Format, extras: Extras<'_>) -> Vec<u8> {
    match format {
        Format::Html => crate::html::render(record, extras).into_bytes(),
        Format::Markdown => crate::markdown::render(record, extras).into_bytes(),
        Format::Json => crate::json::render(record).into_bytes(),
        Format::Csv => crate::csv::render(record).into_bytes(),
        Format::Junit => crate::junit::render(record).into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert_eq!("MD".parse(), Ok(Format::Markdown));
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = "xml".parse::<Format>().map_err(|e| e.to_string());
        assert_eq!(error, Err("no format `xml`: choose from html, markdown, json, csv, junit".to_owned()));
    }
}
