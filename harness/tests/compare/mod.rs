//! `plimsoll compare`: how runs are named, what is written, and what is refused with which status.

use serde_json::json;

use crate::baseline::{edited, measured};
use crate::common::{Project, assert_code, said};

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn runs_are_named_by_path_by_id_as_the_latest_and_as_a_baseline() {
    let project = measured();
    assert_code(&project.plimsoll(&["baseline", "save", "--name", "before"]), 0);
    let latest = project.path().join("target/plimsoll/latest").canonicalize().expect("a run");
    let id = latest.file_name().expect("an id").to_string_lossy().into_owned();
    let by_path = project.plimsoll(&["compare", "target/plimsoll/latest", "target/plimsoll/latest/record.json"]);
    assert_code(&by_path, 0);
    let text = stdout(&by_path);
    assert!(text.starts_with("## B beside A\n") && text.contains(&format!("- A: {id}, ")), "{text}");
    assert!(text.contains("| the same |") && !text.contains("What was not alike"), "{text}");
    for names in [["before", "latest"], [&id, "before"], ["latest", "target/plimsoll/baselines/before/record.json.gz"]]
    {
        let by_name = project.plimsoll(&["compare", names[0], names[1]]);
        assert_code(&by_name, 0);
        assert_eq!(stdout(&by_name), text, "{names:?}");
    }
    // From another folder the project is named by its configuration.
    let config = project.path().join("plimsoll.toml");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let away = project
        .command(&["--config", &config.to_string_lossy(), "compare", "before", "latest"])
        .current_dir(elsewhere.path())
        .output()
        .expect("plimsoll starts");
    assert_code(&away, 0);
    assert_eq!(stdout(&away), text);
}

#[test]
fn a_change_is_told_on_a_page_and_as_markdown_beside_it() {
    let project = measured();
    // Both processes of the second run have one block more at the checkpoint.
    let bytes = std::fs::read(project.path().join("target/plimsoll/latest/record.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let places: Vec<String> = (0..2)
        .map(|sample| {
            let points = record["samples"][sample]["checkpoints"].as_array().expect("checkpoints");
            let at = points.iter().position(|point| point["name"] == "client").expect("the checkpoint");
            format!("/samples/{sample}/checkpoints/{at}/metrics/heap.allocs")
        })
        .collect();
    let allocs = record.pointer(&places[0]).and_then(serde_json::Value::as_i64).expect("counted");
    let mut changed = record;
    for place in &places {
        *changed.pointer_mut(place).expect("counted") = json!(allocs + 1);
    }
    std::fs::write(project.path().join("after.json"), changed.to_string()).expect("writable");
    let written = project.plimsoll(&["compare", "latest", "after.json", "--out", "compared"]);
    assert_code(&written, 0);
    assert_eq!(stdout(&written), "compared/compare.html\ncompared/compare.md\n");
    let read = |name: &str| std::fs::read_to_string(project.path().join("compared").join(name)).expect(name);
    let told = "B takes 1 more than A (";
    assert!(read("compare.md").contains(told), "{}", read("compare.md"));
    let page = read("compare.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains(told) && page.contains("id=\"figures-1\""));
    let html = project.plimsoll(&["compare", "latest", "after.json", "--format", "html"]);
    assert_code(&html, 0);
    assert_eq!(stdout(&html), page);
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_do() {
    let project = measured();
    let other = edited(&project, "other.json", "/schema", json!("plimsoll.record/2"));
    std::fs::write(project.path().join("broken.json"), "{").expect("writable");
    for (args, code, says) in [
        (
            &["nowhere", "latest"][..],
            2,
            "\"nowhere\" is no run's folder and no record's file, no run in target/plimsoll and no baseline",
        ),
        (&["nowhere.json", "latest"], 2, "cannot read nowhere.json"),
        (&["latest", "broken.json"], 2, "broken.json: "),
        (&["latest", &other], 2, "a newer plimsoll wrote it"),
        (&["latest"], 2, "<B>"),
        (&["latest", "latest", "--format", "csv"], 2, "a comparison is not written as csv: choose from html, markdown"),
        (&["latest", "latest", "--format", "html,markdown"], 2, "--out DIR"),
        (&["latest", "latest", "-E", "nobody"], 3, "no figure is in both of a cell that \"nobody\" means"),
    ] {
        let refused = project.plimsoll(&[&["compare"], args].concat());
        assert_code(&refused, code);
        assert!(said(&refused).contains(says), "{args:?}: {}", said(&refused));
    }
    // Nothing in common is said on the page, and by the status.
    let bytes = std::fs::read_to_string(project.path().join("target/plimsoll/latest/record.json")).expect("a record");
    std::fs::write(project.path().join("apart.json"), bytes.replace("\"subject\": \"c\"", "\"subject\": \"d\""))
        .expect("writable");
    let apart = project.plimsoll(&["compare", "latest", "apart.json"]);
    assert_code(&apart, 3);
    assert!(stdout(&apart).contains("nothing can be compared") && said(&apart).contains("no figure is in both"));
}

#[test]
fn a_name_outside_of_a_project_is_said_to_be_none() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let project = Project::foreign("version = 1", "");
    let lost = project.command(&["compare", "before", "latest"]).current_dir(elsewhere.path()).output();
    let lost = lost.expect("plimsoll starts");
    assert_code(&lost, 2);
    assert!(
        said(&lost).contains("\"before\" is no run's folder and no record's file; as a name it cannot be looked up"),
        "{}",
        said(&lost)
    );
}

#[test]
fn a_report_takes_a_record_of_the_other_target_beside_it() {
    let project = measured();
    let live = edited(&project, "live.json", "/environment/target", json!("live"));
    let told = project.plimsoll(&["report", "target/plimsoll/latest", "--format", "markdown", "--beside", &live]);
    assert_code(&told, 0);
    assert!(stdout(&told).contains("### Mock against live\n"), "{}", stdout(&told));
    let both_mock =
        project.plimsoll(&["report", "target/plimsoll/latest", "--format", "markdown", "--beside", "latest"]);
    assert_code(&both_mock, 2);
    assert!(said(&both_mock).contains("these two are of mock and of mock; `plimsoll compare`"), "{}", said(&both_mock));
}
