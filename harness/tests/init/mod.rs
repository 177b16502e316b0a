//! `plimsoll init`: what it writes is taken by the other verbs as it is, and it writes over nothing.

use std::fs;
use std::process::Output;

use plimsoll::config;
use plimsoll_reports::record::Status;

use crate::common::{Project, assert_code, has_python, repository, said};

/// A folder without a plimsoll.toml.
fn folder() -> Project {
    let project = Project::foreign("", "");
    fs::remove_file(project.path().join(config::FILE)).expect("deletable");
    project
}

/// `plimsoll init` in a folder, and what the verbs say that a stranger is told to go on with.
fn begun(project: &Project) -> (String, String) {
    let written = project.plimsoll(&["init"]);
    assert_code(&written, 0);
    let steps = stdout(&written);
    let numbered = |at: usize| steps.lines().filter(|line| line.starts_with(&format!("{at}. "))).count();
    assert!((1..=3).all(|at| numbered(at) == 1) && numbered(4) == 0, "{steps}");
    config::Project::load(None, project.path()).expect("it loads");
    let (list, dry) = (project.plimsoll(&["list"]), project.plimsoll(&["run", "--dry-run"]));
    assert_code(&list, 0);
    assert_code(&dry, 0);
    assert_code(&project.plimsoll(&["list", "cells", "--suite", "gate"]), 0);
    (stdout(&list), stdout(&dry))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn in_an_empty_folder_it_names_a_program_in_any_language_and_never_writes_again() {
    let project = folder();
    let missing = project.plimsoll(&["list"]);
    assert_code(&missing, 2);
    assert!(said(&missing).contains("`plimsoll init` writes one"), "{}", said(&missing));
    let (list, dry) = begun(&project);
    assert!(list.contains("once built"), "{list}");
    assert!(dry.contains("4 cells, 14 samples"), "{dry}");

    let path = project.path().join(config::FILE);
    fs::write(&path, "version = 1\n").expect("writable");
    let again = project.plimsoll(&["init"]);
    assert_code(&again, 2);
    assert!(said(&again).contains("plimsoll.toml is there already, and nothing was written"), "{}", said(&again));
    assert_eq!(fs::read_to_string(&path).expect("readable"), "version = 1\n");
    let nowhere = project.plimsoll(&["init", "--dir", "not/there"]);
    assert_code(&nowhere, 2);
    assert!(said(&nowhere).contains("cannot write not/there/plimsoll.toml: "), "{}", said(&nowhere));
}

#[test]
fn in_a_cargo_project_it_names_a_program_for_each_allocator() {
    let project = folder();
    fs::write(project.path().join("Cargo.toml"), "[package]\nname = \"my-client\"\nversion = \"0.1.0\"\n")
        .expect("writable");
    let (list, dry) = begun(&project);
    let row = list.lines().find(|line| line.starts_with("my-client ")).unwrap_or_else(|| panic!("{list}"));
    assert_eq!(row.matches("once built").count(), 4, "{list}");
    for cell in ["my-client/chat/jemalloc/", "my-client/stream/dhat/", "my-client/chat/rss/"] {
        assert!(dry.contains(cell), "{cell} in {dry}");
    }
    assert!(dry.contains("8 cells, 20 samples"), "{dry}");
}

#[test]
fn with_a_program_in_its_place_it_measures() {
    if !has_python() {
        return;
    }
    let project = folder();
    fs::write(project.path().join("requirements.txt"), "").expect("writable");
    begun(&project);
    fs::copy(repository().join("harness/subjects/python/subject.py"), project.path().join("plimsoll_subject.py"))
        .expect("copied");
    assert_code(&project.plimsoll(&["run", "--scenario", "chat", "--samples", "1", "--out", "out"]), 0);
    let record = project.record("out");
    let probes: Vec<&str> = record.samples.iter().map(|sample| sample.cell.probe.as_str()).collect();
    assert_eq!((probes.len(), probes.contains(&"rss"), probes.contains(&"count")), (2, true, true));
    assert!(record.samples.iter().all(|sample| sample.status == Status::Ok), "{:?}", record.samples);
}
