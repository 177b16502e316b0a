//! What is not kept: old runs, and the checkouts and builds of the gate's sides.
//!
//! Only what says of itself that it is ours is touched: a folder in `target/plimsoll/` that has a run's id for its name and in it a record of
//! that id, or a verdict; and in the gate's folder the slots that its own notes stand beside. Links are never followed, baselines never looked at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::config::Project;
use crate::run::store::{RECORD, SAMPLES};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Runs, the latest ones.
    pub runs: usize,
    /// How long a side of the gate is kept after it was used last.
    pub sides: Duration,
}

/// Something that can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The folder.
    pub folder: PathBuf,
    /// What is noted of it beside it: goes with it.
    pub notes: Vec<PathBuf>,
    /// What it is and why it can go.
    pub what: String,
    /// Its size on disk, bytes; a file that is linked from elsewhere too frees nothing and does not count.
    pub size: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What can go, the oldest first.
    pub leftovers: Vec<Leftover>,
    /// What lies there and is not touched, and why.
    pub left: Vec<String>,
    /// Held as long as the gate's folder must not be used by a gate.
    lock: Option<fs::File>,
}

/// A run that is not finished is somebody's, as long as it was written to in this time.
const IN_USE: Duration = Duration::from_secs(3600);

/// Looks for what can go, at the time `now`.
pub fn find(project: &Project, keep: Keep, now: SystemTime) -> Found {
    let folder = project.root.join("target/plimsoll");
    let mut found = Found::default();
    runs(&folder, keep.runs, now, &mut found);
    sides(&folder.join("gate"), keep.sides, now, &mut found);
    found
}

impl Found {
    /// Deletes one of what was found.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn delete(&self, leftover: &Leftover) -> io::Result<()> {
        // The notes first: a slot without them is taken for empty, and not for one that is whole.
        for note in &leftover.notes {
            fs::remove_file(note).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        }
        fs::remove_dir_all(&leftover.folder)
    }

    /// Whether the gate's folder is this process's, for as long as this lives.
    pub fn has_gate(&self) -> bool {
        self.lock.is_some()
    }
}

fn runs(folder: &Path, keep: usize, now: SystemTime, found: &mut Found) {
    let latest = fs::read_link(folder.join("latest")).ok().and_then(|target| target.file_name().map(ToOwned::to_owned));
    let mut ids: Vec<String> = entries(folder).into_iter().filter(|name| is_id(name)).collect();
    // An id begins with its time: their order is that of the runs.
    ids.sort();
    let mut ours = Vec::new();
    for id in ids {
        let run = folder.join(&id);
        match whose(&run, &id) {
            Ok(()) => ours.push(id),
            Err(why) => found.left.push(format!("{}: {why}", run.display())),
        }
    }
    let old = ours.len().saturating_sub(keep);
    for id in &ours[..old] {
        let run = folder.join(id);
        if latest.as_ref().is_some_and(|latest| latest.to_str() == Some(id)) {
            found.left.push(format!("{}: `latest` points at it", run.display()));
        } else if is_in_use(&run, now) {
            found.left.push(format!("{}: it is not finished, and was written to within the hour", run.display()));
        } else {
            let size = size(&run);
            found.leftovers.push(Leftover { folder: run, notes: Vec::new(), what: format!("run {id}"), size });
        }
    }
}

/// `20260102-030405-0a1f`.
fn is_id(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [day, time, seed] if digits(day, 8) && digits(time, 6)
        && seed.len() == 4 && seed.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// What a record and a verdict say of themselves.
#[derive(Deserialize)]
struct Head {
    schema: String,
    id: Option<String>,
}

fn whose(run: &Path, id: &str) -> Result<(), &'static str> {
    let is_folder = fs::symlink_metadata(run).is_ok_and(|meta| meta.is_dir());
    if !is_folder {
        return Err("it is no folder");
    }
    let head = |name: &str| fs::read(run.join(name)).ok().and_then(|b| serde_json::from_slice::<Head>(&b).ok());
    let record = head(RECORD).is_some_and(|h| h.schema.starts_with("plimsoll.record/") && h.id.as_deref() == Some(id));
    let verdict = || head(VERDICT).is_some_and(|head| head.schema.starts_with("plimsoll.verdict/"));
    if record || verdict() { Ok(()) } else { Err("it has a run's name, and no record of that run in it") }
}

/// The verdict's file in the folder of a gate.
const VERDICT: &str = "verdict.json";

fn is_in_use(run: &Path, now: SystemTime) -> bool {
    #[derive(Deserialize)]
    struct End {
        finished: Option<String>,
    }
    let end = fs::read(run.join(RECORD)).ok().and_then(|bytes| serde_json::from_slice::<End>(&bytes).ok());
    let unfinished = end.is_some_and(|end| end.finished.is_none());
    unfinished && used(&run.join(SAMPLES)).is_some_and(|at| now.duration_since(at).unwrap_or_default() < IN_USE)
}

/// The slots of the gate's sides: `base-1` is a checkout with its build, `base-1.json` and `base-1.index` are noted beside it.
fn sides(folder: &Path, keep: Duration, now: SystemTime, found: &mut Found) {
    let Ok(lock) = fs::File::open(folder.join("lock")) else { return };
    if lock.try_lock().is_err() {
        found.left.push(format!("{}: a gate is using it", folder.display()));
        return;
    }
    for name in entries(folder).into_iter().filter(|name| is_slot(name)) {
        let slot = folder.join(&name);
        let notes: Vec<PathBuf> = ["json", "index"].map(|kind| folder.join(format!("{name}.{kind}"))).into();
        let is_folder = fs::symlink_metadata(&slot).is_ok_and(|meta| meta.is_dir());
        if !is_folder || !notes.iter().any(|note| note.is_file()) {
            found.left.push(format!("{}: the gate has noted nothing of it", slot.display()));
            continue;
        }
        let at = notes.iter().filter_map(|note| used(note)).max();
        let age = at.map(|at| now.duration_since(at).unwrap_or_default()).unwrap_or_default();
        if age < keep {
            found.left.push(format!("{}: used {} ago, and the next gate is faster with it", slot.display(), days(age)));
            continue;
        }
        let what = format!("checkout and build of the gate, used {} ago", days(age));
        found.leftovers.push(Leftover { size: size(&slot), folder: slot, notes, what });
    }
    found.lock = Some(lock);
}

fn is_slot(name: &str) -> bool {
    let number = name.strip_prefix("base-").or_else(|| name.strip_prefix("head-"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn days(age: Duration) -> String {
    match age.as_secs() / 86_400 {
        0 => "less than a day".to_owned(),
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    }
}

fn used(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

/// The names in a folder, in their order; of one that is not there, none.
fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Bytes on disk that go with a folder. Links are not followed.
fn size(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let Ok(meta) = fs::symlink_metadata(entry.path()) else { continue };
            if meta.is_dir() {
                folders.push(entry.path());
            } else if meta.nlink() == 1 {
                sum += meta.blocks() * 512;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Project) {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("plimsoll.toml"), "version = 1\n").expect("writable");
        let project = Project::load(None, dir.path()).expect("loads");
        (dir, project)
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("in a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    /// A run's folder as a run leaves it, as far as this reads it.
    fn run(project: &Project, id: &str, finished: bool) -> PathBuf {
        let folder = project.root.join("target/plimsoll").join(id);
        let finished = if finished { "\"2026-01-01T00:00:00Z\"" } else { "null" };
        let record = format!("{{\"schema\":\"plimsoll.record/1\",\"id\":\"{id}\",\"finished\":{finished}}}");
        write(&folder.join("record.json"), &record);
        write(&folder.join("samples.jsonl"), "{}\n");
        folder
    }

    fn names(found: &Found) -> Vec<String> {
        let name = |leftover: &Leftover| leftover.folder.file_name().expect("named").to_string_lossy().into_owned();
        found.leftovers.iter().map(name).collect()
    }

    const KEEP: Keep = Keep { runs: 2, sides: Duration::from_secs(7 * 86_400) };

    #[test]
    fn the_last_runs_stay_and_what_latest_points_at() {
        let (_dir, project) = project();
        for id in ["20260101-000000-0001", "20260102-000000-0002", "20260103-000000-0003", "20260104-000000-0004"] {
            run(&project, id, true);
        }
        let latest = project.root.join("target/plimsoll/latest");
        std::os::unix::fs::symlink("20260101-000000-0001", latest).expect("linked");
        let found = find(&project, KEEP, SystemTime::now());
        assert_eq!(names(&found), ["20260102-000000-0002"]);
        assert!(found.leftovers[0].size > 0 && found.left[0].contains("`latest` points at it"), "{found:?}");
        found.delete(&found.leftovers[0]).expect("deleted");
        assert!(!project.root.join("target/plimsoll/20260102-000000-0002").exists());
        assert_eq!(names(&find(&project, KEEP, SystemTime::now())), [""; 0]);
    }

    #[test]
    fn what_is_not_a_run_of_ours_is_not_touched() {
        let (dir, project) = project();
        let runs = project.root.join("target/plimsoll");
        // A run's name and somebody else's content; another run's record; no record; a link out of here; a file.
        write(&runs.join("20260101-000000-0001/notes.txt"), "mine");
        run(&project, "20260101-000000-0002", true);
        fs::rename(runs.join("20260101-000000-0002"), runs.join("20260101-000000-0003")).expect("renamed");
        write(
            &runs.join("20260101-000000-0004/record.json"),
            "{\"schema\":\"other/1\",\"id\":\"20260101-000000-0004\"}",
        );
        let elsewhere = dir.path().join("elsewhere");
        write(&elsewhere.join("record.json"), "{\"schema\":\"plimsoll.record/1\",\"id\":\"20260101-000000-0005\"}");
        std::os::unix::fs::symlink(&elsewhere, runs.join("20260101-000000-0005")).expect("linked");
        write(&runs.join("20260101-000000-0006"), "a file");
        // Names that are no run's are not even looked at.
        write(&runs.join("baselines/default/record.json.gz"), "x");
        write(&runs.join("my-experiment/record.json"), "{\"schema\":\"plimsoll.record/1\",\"id\":\"my-experiment\"}");
        let found = find(&project, Keep { runs: 0, sides: Duration::ZERO }, SystemTime::now());
        assert_eq!(names(&found), [""; 0]);
        assert_eq!(found.left.len(), 5, "{:#?}", found.left);
    }

    #[test]
    fn a_run_that_is_being_measured_stays() {
        let (_dir, project) = project();
        run(&project, "20260101-000000-0001", false);
        let keep = Keep { runs: 0, ..KEEP };
        assert_eq!(names(&find(&project, keep, SystemTime::now())), [""; 0]);
        let later = SystemTime::now() + Duration::from_secs(7200);
        assert_eq!(names(&find(&project, keep, later)), ["20260101-000000-0001"]);
    }

    #[test]
    fn the_folder_of_a_gate_goes_as_a_run_does() {
        let (_dir, project) = project();
        let folder = project.root.join("target/plimsoll/20260101-000000-0001");
        write(&folder.join("verdict.json"), "{\"schema\":\"plimsoll.verdict/1\"}");
        assert_eq!(names(&find(&project, Keep { runs: 0, ..KEEP }, SystemTime::now())), ["20260101-000000-0001"]);
    }

    #[test]
    fn sides_of_the_gate_go_when_nobody_used_them_for_long() {
        let (_dir, project) = project();
        let gate = project.root.join("target/plimsoll/gate");
        write(&gate.join("lock"), "");
        for slot in ["base-1", "head-1"] {
            write(&gate.join(slot).join("target/release/subject"), "built");
            write(&gate.join(format!("{slot}.json")), "{}");
            write(&gate.join(format!("{slot}.index")), "");
        }
        // Nothing is noted of these.
        write(&gate.join("base-2/mine.txt"), "mine");
        write(&gate.join("notes/mine.txt"), "mine");
        let now = SystemTime::now();
        assert_eq!(names(&find(&project, KEEP, now)), [""; 0]);
        let old = fs::File::options().append(true).open(gate.join("base-1.json")).expect("opens");
        let index = fs::File::options().append(true).open(gate.join("base-1.index")).expect("opens");
        let week_ago = now - Duration::from_secs(8 * 86_400);
        old.set_modified(week_ago).and_then(|()| index.set_modified(week_ago)).expect("dated");
        let found = find(&project, KEEP, now);
        assert_eq!(names(&found), ["base-1"]);
        assert!(found.leftovers[0].what.contains("8 days ago"), "{found:?}");
        found.delete(&found.leftovers[0]).expect("deleted");
        assert!(!gate.join("base-1").exists() && !gate.join("base-1.json").exists() && gate.join("head-1").exists());
        // Two at once cannot have it: the first still does.
        assert!(found.has_gate());
        assert!(!find(&project, KEEP, now).has_gate());
        drop(found);
        let all = find(&project, Keep { sides: Duration::ZERO, ..KEEP }, now + Duration::from_secs(1));
        assert_eq!(names(&all), ["head-1"]);
        assert!(gate.join("base-2/mine.txt").exists() && gate.join("notes/mine.txt").exists());
    }
}
