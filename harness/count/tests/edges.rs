//! Where there is nothing to count into, the program runs as it would without the library.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Folder, Steps, compile, layout, library};
use layout::LayoutError;

#[test]
fn without_the_variable_the_program_runs_uncounted() {
    let folder = Folder::new("silent");
    let output = Command::new(compile("steps", folder.path()))
        .env_clear()
        .env("LD_PRELOAD", library())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(output.stderr.is_empty());
}

#[test]
fn a_file_of_another_layout_is_left_alone() {
    let folder = Folder::new("foreign");
    let program = compile("steps", folder.path());
    let other_version = {
        let mut file = layout::blank();
        file[layout::OFFSET_VERSION] ^= 1;
        file
    };
    for (name, bytes) in
        [("version", other_version), ("short", b"PLIMSOLL".to_vec()), ("zeros", vec![0; layout::FILE_SIZE])]
    {
        let file = folder.path().join(name);
        fs::write(&file, &bytes).unwrap();
        let status = Command::new(&program)
            .env_clear()
            .env("LD_PRELOAD", library())
            .env("PLIMSOLL_COUNT_FILE", &file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{name}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "{name}");
    }
}

#[test]
fn more_processes_than_slots_is_an_error_and_not_a_gap() {
    let folder = Folder::new("overflow");
    let program = compile("steps", folder.path());
    let file = folder.count_file("count");
    let mut steps = Steps::start(&program, &file);
    for _ in 1..layout::SLOTS {
        steps.step("fork");
    }
    assert_eq!(steps.slots().len(), layout::SLOTS);
    steps.send("fork");
    steps.answer();
    let wanted = layout::SLOTS as u32 + 1;
    assert_eq!(layout::read(&fs::read(&file).unwrap()), Err(LayoutError::Overflow { wanted }));
}

#[test]
fn a_truncated_or_foreign_file_is_not_read() {
    let blank = layout::blank();
    assert_eq!(layout::read(&blank), Ok(Vec::new()));
    let short = &blank[..layout::FILE_SIZE - 1];
    assert_eq!(layout::read(short), Err(LayoutError::Short { found: short.len() }));
    assert_eq!(layout::read(&[0; layout::FILE_SIZE]), Err(LayoutError::Header));
}
