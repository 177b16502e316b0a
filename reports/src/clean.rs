//! Strings from outside made safe to show: a subject's name, a model's text, a path may hold anything.
//!
//! Escaping is left to each form of report; here goes what no form may show at all: home folders, keys, control characters, marks that turn the
//! direction of text, and strings long enough to push everything else off the page.

use std::collections::BTreeMap;

use crate::record::{Answers, Cell, Environment, Frame, PlannedCell, Process, Record, Sample, SubjectInfo};

/// Longest name that is shown, characters.
const NAME: usize = 64;
/// Longest message that is shown, characters.
const TEXT: usize = 600;

/// The record with every string cleaned. Reports are made from this, never from the record as read.
pub(crate) fn record(record: &Record) -> Record {
    let mut clean = record.clone();
    clean.id = name(&record.id);
    clean.tool.version = name(&record.tool.version);
    clean.tool.git = record.tool.git.as_deref().map(name);
    environment(&mut clean.environment);
    clean.plan.suite = name(&record.plan.suite);
    for subject in &mut clean.plan.subjects {
        *subject = SubjectInfo {
            id: name(&subject.id),
            description: text(&subject.description),
            kind: name(&subject.kind),
            below: subject.below.as_deref().map(name),
        };
    }
    for scenario in &mut clean.plan.scenarios {
        scenario.id = name(&scenario.id);
        scenario.description = text(&scenario.description);
        scenario.method = name(&scenario.method);
    }
    for planned in &mut clean.plan.cells {
        *planned = PlannedCell { cell: cell(&planned.cell), samples: planned.samples };
    }
    clean.samples.iter_mut().for_each(sample);
    clean.frames.iter_mut().for_each(frame);
    for bench in &mut clean.benches {
        bench.group = name(&bench.group);
        bench.function = name(&bench.function);
        bench.input = bench.input.as_deref().map(name);
    }
    clean
}

fn frame(frame: &mut Frame) {
    frame.function = text(&frame.function);
    for field in [&mut frame.krate, &mut frame.version] {
        *field = field.as_deref().map(name);
    }
    frame.file = frame.file.as_deref().map(text);
}

fn environment(environment: &mut Environment) {
    let e = environment;
    for field in [&mut e.kernel, &mut e.cpu, &mut e.arch, &mut e.thp, &mut e.libc, &mut e.rustc, &mut e.profile] {
        *field = text(field);
    }
    e.target = text(&without_credentials(&e.target));
    e.corpus = name(&e.corpus);
    e.trust.digest = name(&e.trust.digest);
    e.lockfile = e.lockfile.as_deref().map(name);
    e.subject_env = texts(&e.subject_env);
    e.jemalloc = texts(&e.jemalloc);
}

fn sample(sample: &mut Sample) {
    sample.cell = cell(&sample.cell);
    sample.error = sample.error.as_deref().map(text);
    sample.profile = sample.profile.as_deref().map(text);
    sample.unattributed = sample.unattributed.as_deref().map(text);
    sample.greeting = texts(&sample.greeting);
    for checkpoint in &mut sample.checkpoints {
        checkpoint.name = name(&checkpoint.name);
        checkpoint.metrics = metrics(&checkpoint.metrics);
        processes(&mut checkpoint.processes);
        for area in checkpoint.memory.iter_mut().flat_map(|memory| &mut memory.areas) {
            area.name = name(&area.name);
            area.permissions = name(&area.permissions);
        }
    }
    for mapping in &mut sample.mappings {
        mapping.name = name(&mapping.name);
    }
    processes(&mut sample.processes);
    let answers = &sample.answers;
    sample.answers = Answers {
        crc: name(&answers.crc),
        expected: answers.expected.as_deref().map(name),
        protocol: name(&answers.protocol),
        ..answers.clone()
    };
}

fn processes(processes: &mut [Process]) {
    for process in processes {
        process.role = name(&process.role);
        process.metrics = metrics(&process.metrics);
    }
}

fn cell(cell: &Cell) -> Cell {
    Cell {
        subject: name(&cell.subject),
        scenario: name(&cell.scenario),
        probe: name(&cell.probe),
        factors: cell.factors.iter().map(|(key, value)| (name(key), name(value))).collect(),
    }
}

fn metrics(metrics: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    metrics.iter().map(|(id, value)| (name(id), *value)).collect()
}

fn texts(map: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    map.iter().map(|(key, value)| (name(key), text(value))).collect()
}

/// A name, cleaned. One that was cut ends with a digest of the whole, so that two long names stay two.
pub(crate) fn name(raw: &str) -> String {
    let mut shown = visible(raw);
    if shown.chars().count() > NAME {
        shown = shown.chars().take(NAME - 9).collect();
        shown.push_str(&format!("…{:08x}", digest(raw)));
    }
    shown
}

/// A message, cleaned. One that was cut says how much is missing.
pub(crate) fn text(raw: &str) -> String {
    text_within(raw, TEXT)
}

/// The same, with the most characters that are shown.
pub(crate) fn text_within(raw: &str, most: usize) -> String {
    let shown = visible(raw);
    let length = shown.chars().count();
    if length <= most {
        return shown;
    }
    let head: String = shown.chars().take(most).collect();
    format!("{head}… ({} more characters)", length - most)
}

/// Control characters and marks of direction as their code point, line ends as spaces; home folders and keys hidden.
fn visible(raw: &str) -> String {
    let hidden = without_keys(&without_homes(raw));
    let mut out = String::with_capacity(hidden.len());
    for c in hidden.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if c.is_control() || is_invisible(c) => out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// `/home/somebody`, `/Users/somebody`, `/root` become `~`: a report is passed on, and its reader need not know who measured.
fn without_homes(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut before = None::<char>;
    while let Some(first) = rest.chars().next() {
        let opens = !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if let Some(length) = opens.then(|| home(rest)).flatten() {
            out.push('~');
            rest = &rest[length..];
            before = Some('~');
            continue;
        }
        out.push(first);
        before = Some(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// Length in bytes of the home folder with which `path` begins.
fn home(path: &str) -> Option<usize> {
    let part = |text: &str| {
        text.find(|c: char| {
            c == '/' || c == '\\' || c == ':' || c.is_whitespace() || c.is_control() || "\"'<>()".contains(c)
        })
        .unwrap_or(text.len())
    };
    for folder in ["/home/", "/Users/", "C:\\Users\\"] {
        if let Some(user) = path.strip_prefix(folder) {
            let length = part(user);
            return (length > 0).then_some(folder.len() + length);
        }
    }
    let after = path.strip_prefix("/root")?;
    let ends = after.chars().next().is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
    ends.then_some("/root".len())
}

/// A Google key by its form. The harness never lets one near a record; this is the second lock.
fn without_keys(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find("AIza") {
        let (before, key) = rest.split_at(at);
        out.push_str(before);
        let length = key.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(key.len());
        if length >= 30 {
            out.push_str("[key]");
        } else {
            out.push_str(&key[..length]);
        }
        rest = &key[length..];
    }
    out.push_str(rest);
    out
}

/// A URL without user, password and query.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// FNV-1a: stable over versions and machines, which is all that is asked of it.
fn digest(raw: &str) -> u32 {
    raw.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_folders_are_hidden() {
        for (raw, shown) in [
            ("cannot run /home/user/x/target/release/s", "cannot run ~/x/target/release/s"),
            ("/root/.cache: denied", "~/.cache: denied"),
            ("'/root'", "'~'"),
            ("file:///Users/bob/a", "file://~/a"),
            ("C:\\Users\\bob\\a", "~\\a"),
            ("/srv/home/user", "/srv/home/user"),
            ("/rootless /roots", "/rootless /roots"),
            ("https://host/root.pem", "https://host/root.pem"),
            ("/home/", "/home/"),
        ] {
            assert_eq!(text(raw), shown);
        }
    }

    #[test]
    fn marks_of_direction_and_control_are_made_visible() {
        assert_eq!(text("a\u{202e}b\u{7}c\nd\u{1b}[31m"), "a⟨U+202E⟩b⟨U+0007⟩c d⟨U+001B⟩[31m");
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (a, b) = (name(&format!("{}a", "x".repeat(10_000))), name(&format!("{}b", "x".repeat(10_000))));
        assert_ne!(a, b);
        assert_eq!(a.chars().count(), NAME);
        assert_eq!(text(&"y".repeat(10_000)).chars().count(), TEXT + "… (9400 more characters)".chars().count());
    }

    #[test]
    fn keys_are_hidden() {
        assert_eq!(text("key=AIzaSyA0123456789abcdefghijklmnopqrstu!"), "key=[key]!");
        assert_eq!(text("AIza and AIzaShort"), "AIza and AIzaShort");
        assert_eq!(without_credentials("https://me:secret@host:1/p?key=x#y"), "https://host:1/p");
        assert_eq!(without_credentials("mock"), "mock");
    }
}
