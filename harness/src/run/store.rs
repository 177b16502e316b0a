//! What a run leaves on disk: `samples.jsonl`, one line appended per sample, and `record.json`, written whole or not at all.
//!
//! A kill loses at most the sample in hand: `record.json` is written at the start, without samples, and again at the end, each time under
//! another name first; a half-written last line of `samples.jsonl` is dropped by the next reader.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use plimsoll_reports::record::{Record, Sample};

/// A run's folder.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    samples: File,
}

/// A run's folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file cannot be written or read.
    #[error("cannot {verb} {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder holds another run already.
    #[error("{} holds a run already; continue it with --resume, or choose another folder with --out", .0.display())]
    Taken(PathBuf),
    /// There is nothing to go on with.
    #[error("{} holds no run to resume; leave out --resume to start one", .0.display())]
    Nothing(PathBuf),
    /// A file is there, but wrong.
    #[error("{}: {message}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
}

/// The record's file name.
pub const RECORD: &str = "record.json";
/// Where the latest run is, from the project's folder.
pub const LATEST: &str = "target/plimsoll/latest";
/// The record's file name where it is kept to be compared with: packed by gzip.
pub const PACKED: &str = "record.json.gz";
/// The samples' file name.
pub const SAMPLES: &str = "samples.jsonl";

impl Store {
    /// Makes a new run's folder.
    ///
    /// # Errors
    /// When it holds a run already, or cannot be written.
    pub fn create(dir: &Path, record: &Record) -> Result<Self, StoreError> {
        fs::create_dir_all(dir.join("profiles")).map_err(write(dir))?;
        if dir.join(RECORD).exists() || dir.join(SAMPLES).exists() {
            return Err(StoreError::Taken(dir.to_owned()));
        }
        write_whole(&dir.join(RECORD), &json(record)?)?;
        Self::append(dir)
    }

    /// Opens a run's folder again; gives what it holds. Bytes of a half-written last line are cut off.
    ///
    /// # Errors
    /// When it holds no run, or one that cannot be read.
    pub fn resume(dir: &Path) -> Result<(Self, Record), StoreError> {
        if !dir.join(RECORD).exists() {
            return Err(StoreError::Nothing(dir.to_owned()));
        }
        let record = read(dir)?;
        let path = dir.join(SAMPLES);
        let bytes =
            fs::read(&path).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(Vec::new()) } else { Err(e) });
        let bytes = bytes.map_err(|source| StoreError::Io { verb: "read", path: path.clone(), source })?;
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let store = Self::append(dir)?;
        store.samples.set_len(whole as u64).map_err(write(&path))?;
        Ok((store, record))
    }

    fn append(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(SAMPLES);
        let samples = OpenOptions::new().create(true).append(true).open(&path).map_err(write(&path))?;
        Ok(Self { dir: dir.to_owned(), samples })
    }

    /// Appends a sample: one write, so that a kill leaves a whole line or the beginning of one.
    ///
    /// # Errors
    /// When the disk is full, say.
    pub fn push(&mut self, sample: &Sample) -> Result<(), StoreError> {
        let path = self.dir.join(SAMPLES);
        let mut line = serde_json::to_vec(sample)
            .map_err(|e| StoreError::Corrupt { path: path.clone(), message: format!("cannot be written: {e}") })?;
        line.push(b'\n');
        self.samples.write_all(&line).and_then(|()| self.samples.sync_data()).map_err(write(&path))
    }

    /// Writes the record whole.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(&self, record: &Record) -> Result<(), StoreError> {
        write_record(&self.dir, record)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// The record's file in a folder, or the file itself; `None` where there is none.
pub fn record_at(path: &Path) -> Option<PathBuf> {
    let in_folder = [path.join(RECORD), path.join(PACKED)];
    in_folder.into_iter().chain([path.to_owned()]).find(|file| file.is_file())
}

/// Reads a run's folder, or a record's file, packed or not: the record with all samples that there are.
///
/// # Errors
/// When a file is missing, corrupt or of another schema version.
pub fn read(path: &Path) -> Result<Record, StoreError> {
    let file = record_at(path).unwrap_or_else(|| if path.is_dir() { path.join(RECORD) } else { path.to_owned() });
    let bytes = fs::read(&file).map_err(|source| StoreError::Io { verb: "read", path: file.clone(), source })?;
    let bytes = unpacked(&file, bytes)?;
    let mut record =
        Record::read(&bytes).map_err(|e| StoreError::Corrupt { path: file.clone(), message: e.to_string() })?;
    let lines = file.with_file_name(SAMPLES);
    if record.finished.is_none() && lines.is_file() {
        let bytes = fs::read(&lines).map_err(|source| StoreError::Io { verb: "read", path: lines.clone(), source })?;
        record.samples = samples(&lines, &bytes)?;
    }
    Ok(record)
}

/// The most bytes of a record that are unpacked; a record of the largest suite has some ten million.
const MOST: u64 = 1 << 30;

fn unpacked(file: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let corrupt = |message: String| StoreError::Corrupt { path: file.to_owned(), message };
    let mut whole = Vec::new();
    let read = flate2::read::GzDecoder::new(bytes.as_slice()).take(MOST).read_to_end(&mut whole);
    read.map_err(|error| corrupt(format!("cannot be unpacked: {error}; it is damaged or was cut off")))?;
    Ok(whole)
}

/// A record as it is kept to be compared with: whole, packed by gzip. The same record gives the same bytes.
///
/// # Errors
/// When it holds what cannot be written.
pub fn packed(record: &Record) -> Result<Vec<u8>, StoreError> {
    let failed = |source| StoreError::Io { verb: "write", path: PACKED.into(), source };
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&json(record)?).and_then(|()| packer.finish()).map_err(failed)
}

fn samples(path: &Path, bytes: &[u8]) -> Result<Vec<Sample>, StoreError> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    bytes[..whole]
        .split(|&b| b == b'\n')
        .filter(|line| !line.is_empty())
        .enumerate()
        .map(|(n, line)| {
            serde_json::from_slice(line).map_err(|e| StoreError::Corrupt {
                path: path.to_owned(),
                message: format!("line {}: {e}; delete that line to measure its sample again", n + 1),
            })
        })
        .collect()
}

/// Lets `latest` beside a run's folder point at it.
///
/// # Errors
/// When the link cannot be made.
pub fn point_latest(dir: &Path) -> Result<(), StoreError> {
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else { return Ok(()) };
    let (link, fresh) = (parent.join("latest"), parent.join(".latest.new"));
    let _ = fs::remove_file(&fresh);
    std::os::unix::fs::symlink(name, &fresh).and_then(|()| fs::rename(&fresh, &link)).map_err(write(&link))
}

/// Writes a record into a run's folder, whole.
///
/// # Errors
/// When it cannot be written.
pub fn write_record(dir: &Path, record: &Record) -> Result<(), StoreError> {
    write_whole(&dir.join(RECORD), &json(record)?)
}

fn json(record: &Record) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec_pretty(record)
        .map_err(|e| StoreError::Corrupt { path: RECORD.into(), message: format!("cannot be written: {e}") })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes a file under another name and renames it: readers see the old one or the new one, whole.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let written = File::create(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&fresh, path)).map_err(write(path))
}

fn write(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { verb: "write", path, source }
}
