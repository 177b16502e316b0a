//! Who is blamed, end to end: a program of a stranger's with functions of its own, compiled in the checkout of each side, of which one is changed.

use std::path::PathBuf;

use serde_json::Value;

use crate::common::{self, build_package};
use crate::repository::{Repository, gate, one_cell, text, verdict};

/// A client around the level `bare`, whose functions take memory for each request, one after the other.
const PROGRAM: &str = r#"
use std::hint::black_box;

#[inline(never)]
fn notes_the_time() {
    drop(black_box(Box::new([0_u64; 4])));
}

#[inline(never)]
fn counts_words(text: &str) -> usize {
    let words: Vec<&str> = black_box(text.split(' ').collect());
    words.len()
}

#[inline(never)]
fn signs_off() {
    drop(black_box(vec![0_u8; 100]));
}

async fn chat<P: plimsoll_providers::Provider>(
    client: std::sync::Arc<P>,
    request: plimsoll_worker::Request,
    on_text: impl Fn(&str),
) -> Result<(), plimsoll_worker::Failure> {
    notes_the_time();
    counts_words("a question of six words, or seven");
    let answer = plimsoll_subjects::bare::chat(client, request, on_text).await;
    signs_off();
    answer
}

#[cfg(system)]
plimsoll_worker::subject! {
    name: "mine",
    client: |env| plimsoll_subjects::bare::client(env),
    chat: |c, req, on_text| chat(c, req, on_text),
    stream: |c, req, on_text| chat(c, req, on_text),
}
#[cfg(dhat)]
plimsoll_worker::subject! {
    name: "mine",
    allocator: dhat,
    client: |env| plimsoll_subjects::bare::client(env),
    chat: |c, req, on_text| chat(c, req, on_text),
    stream: |c, req, on_text| chat(c, req, on_text),
}
"#;

/// Made by the compiler alone, of what is built for this repository's own programs: a cargo in each checkout would build all of it again.
const BUILD: &str = r#"set -e
mkdir -p $CARGO_TARGET_DIR/release
for allocator in system dhat; do
    CARGO_PKG_VERSION=1.0.0 rustc --edition 2024 -C opt-level=1 -C debuginfo=1 --cfg $allocator --crate-name mine \
        -L dependency=LIBRARIES --extern plimsoll_worker=WORKER --extern plimsoll_subjects=SUBJECTS --extern plimsoll_providers=PROVIDERS \
        -o $CARGO_TARGET_DIR/release/mine-$allocator src/main.rs
done
"#;

const CONFIG: &str = one_cell!(
    "mine",
    r#"build = ["sh", "build.sh"]
command = ["{target}/mine-{allocator}"]
probes = ["count", "dhat"]
runtimes = ["current_thread"]
"#,
    r#"exact = 3
measured = ["src"]
own = ["mine"]
"#
);

/// The library of a package as it is linked into `plimsoll-selftest`.
fn library(built: &str, name: &str) -> PathBuf {
    let artifacts = built.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut libraries = artifacts.filter(|artifact| artifact["target"]["name"] == name);
    let files = libraries.next().unwrap_or_else(|| panic!("{name} is not built"))["filenames"].clone();
    let files: Vec<String> = serde_json::from_value(files).expect("paths");
    files.into_iter().find(|file| file.ends_with(".rlib")).expect("a library").into()
}

fn strangers() -> Repository {
    build_package("plimsoll-count");
    let built = common::built("plimsoll-selftest");
    let repository = Repository::new(CONFIG);
    let mut build = BUILD.replace("LIBRARIES", &common::target().join("release/deps").to_string_lossy());
    for (place, name) in
        [("WORKER", "plimsoll_worker"), ("SUBJECTS", "plimsoll_subjects"), ("PROVIDERS", "plimsoll_providers")]
    {
        build = build.replace(place, &library(&built, name).to_string_lossy());
    }
    repository.write("build.sh", &build);
    repository.write("Cargo.toml", "[package]\nname = \"mine\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    repository.write("src/main.rs", PROGRAM);
    repository.commit("a client");
    repository
}

#[test]
fn of_a_file_in_which_one_function_grew_and_all_moved_only_that_one_is_named() {
    let repository = strangers();
    // Longer by ten lines, in front of all others, and by one allocation.
    let longer = "    let name = String::from(\"the time\");\n    drop(black_box(name));\n";
    let grown = PROGRAM.replacen("fn notes_the_time() {\n", &format!("fn notes_the_time() {{\n{longer}"), 1);
    let grown = grown.replacen("#[inline(never)]", &format!("{}#[inline(never)]", "// A line more.\n".repeat(10)), 1);
    repository.write("src/main.rs", &grown);
    gate(&repository, &["--base", "HEAD", "--out", "out"], 1);

    let verdict = verdict(&repository, "out");
    let rows: Vec<&Value> = verdict["rows"].as_array().expect("rows").iter().collect();
    let fails = |figure: &str| rows.iter().find(|row| row["figure"] == figure && row["state"] == "fails");
    let line = grown.lines().position(|line| line.contains("String::from")).expect("its line") + 1;
    for (figure, more) in [("heap.allocs per request", 1.0), ("heap.bytes per request", 8.0)] {
        let row = fails(figure).unwrap_or_else(|| panic!("{figure}: {verdict:#}"));
        assert_eq!(row["difference"], more, "{row:#}");
        let blame = &row["blame"];
        assert_eq!(blame["coverage"], 1.0, "{row:#}");
        let parts = blame["parts"].as_array().expect("parts");
        assert_eq!(parts.len(), 1, "what did not change is not among them: {row:#}");
        assert_eq!(
            (&parts[0]["name"], &parts[0]["file"], &parts[0]["line"], &parts[0]["difference"]),
            (&"mine::notes_the_time".into(), &"src/main.rs".into(), &line.into(), &more.into())
        );
    }
    let comment = text(&repository, "out/VERDICT.md");
    assert!(comment.contains(&format!("- `mine::notes_the_time` at `src/main.rs:{line}`")), "{comment}");
    assert!(!comment.contains("counts_words") && !comment.contains("signs_off"), "{comment}");
}
