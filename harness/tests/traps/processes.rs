//! Whose memory it is, and what is around it.

use std::os::unix::process::CommandExt;

use plimsoll::probe::proc::Watched;

use super::{PAGE, SLACK, Stepping, Workshop, as_measured, bare, counted, counts, difference, read, told};
use crate::common::{Project, assert_code, at, build, repository};

/// Blocks of 1,000 B that a made-up client takes and gives back.
const BLOCKS: i64 = 4000;
/// Memory that it takes at the least.
const TAKEN: i64 = BLOCKS * 1000;

#[test]
fn the_second_client_of_a_process_finds_the_pages_of_the_first() {
    let workshop = Workshop::new();
    let program = workshop.compile("steps");
    let mut both = Stepping::start(bare(&program));
    both.step("work 1");
    let first = both.added(&format!("work {BLOCKS}"))["proc.anon"];
    // The trap: three quarters of the same work, for nothing.
    let second = both.added(&format!("work {}", BLOCKS * 3 / 4))["proc.anon"];
    // The remedy: a process of its own.
    let mut alone = Stepping::start(bare(&program));
    alone.step("work 1");
    let measured = alone.added(&format!("work {}", BLOCKS * 3 / 4))["proc.anon"];
    told(
        "shared process",
        format_args!("{second} B for the second client behind one of {first} B, {measured} B in a process of its own"),
    );
    assert!(second <= SLACK && first >= TAKEN, "{second} {first}");
    assert!((TAKEN * 3 / 4..TAKEN * 4 / 5).contains(&measured), "{measured}");
}

#[test]
fn a_process_that_reads_itself_takes_memory_for_it_and_one_that_is_read_does_not() {
    let workshop = Workshop::new();
    build();
    let mut command = bare(workshop.compile("steps"));
    let counters = counted(&mut command, workshop.path());
    let mut subject = Stepping::start(as_measured(&command));
    subject.step("own-id");
    // The remedy first, while nothing has been read from inside: a hundred readings, and not a byte.
    let read = |subject: &Stepping| {
        let mut read = subject.read();
        // Not its own: it moves with other processes.
        read.remove("proc.pss");
        read
    };
    let before = (read(&subject), counts(&counters, subject.id()));
    (0..100).for_each(|_| drop(subject.read()));
    assert_eq!((read(&subject), counts(&counters, subject.id())), before);
    // The trap: one reading from inside, and then a thread that would do it by the clock.
    subject.step("look 1");
    let looked = (difference(&before.0, &read(&subject)), difference(&before.1, &counts(&counters, subject.id())));
    subject.step("watch");
    let watched = difference(&before.0, &read(&subject));
    told(
        "reading",
        format_args!(
            "{} allocations of {} B and {} B of RSS for one reading from inside, {} B with a thread for it; 100 from outside: 0",
            looked.1["heap.allocs"], looked.1["heap.bytes"], looked.0["proc.rss"], watched["proc.rss"]
        ),
    );
    assert!(looked.1["heap.allocs"] >= 4 && looked.1["heap.bytes"] >= 2048, "{looked:?}");
    assert!(
        looked.0["proc.rss"] >= PAGE && watched["proc.anon"] >= looked.0["proc.anon"] + PAGE,
        "{looked:?} {watched:?}"
    );
}

#[test]
fn the_names_of_a_program_and_its_folder_are_on_its_heap_and_a_subject_s_are_always_the_same() {
    build();
    let workshop = Workshop::new();
    let long = workshop.path().join("a-folder-with-a-name-that-somebody-thought-about".repeat(4));
    std::fs::create_dir(&long).expect("writable");
    let program = workshop.compile("steps");
    let elsewhere = long.join("steps");
    std::fs::copy(&program, &elsewhere).expect("readable");
    let bytes = |command: &mut std::process::Command, measured: bool| {
        let counters = counted(command, workshop.path());
        let mut subject =
            Stepping::start(if measured { as_measured(command) } else { std::mem::replace(command, bare("")) });
        subject.step("own-id");
        let before = counts(&counters, subject.id());
        subject.step("names");
        difference(&before, &counts(&counters, subject.id()))["heap.bytes"]
    };
    // The trap: two copies of one program, each called from where it is.
    let mut there = bare(&elsewhere);
    there.current_dir(&long);
    let mut here = bare(&program);
    here.current_dir("/").arg0("steps");
    let (short, far) = (bytes(&mut here, false), bytes(&mut there, false));
    let longer = 2 * (long.as_os_str().len() as i64) - 1;
    told(
        "names",
        format_args!(
            "{short} B of names on the heap, {far} B in a folder whose name is long; as subjects both have the same"
        ),
    );
    assert!(far - short >= longer, "{short} {far} {longer}");
    // The remedy.
    assert_eq!(bytes(&mut bare(&program), true), bytes(&mut bare(&elsewhere), true));
}

#[test]
fn other_levels_in_a_program_are_in_its_memory_before_its_first_statement() {
    build();
    // `conform` has all levels in it but `libcurl`, and is measured by nothing. Both stand at their greeting.
    let at_start = |name: &str, level: Option<&str>| {
        let mut command = super::counting::level(name, "http://127.0.0.1:9/s/chat");
        command.args(level);
        let mut subject = Stepping::start(as_measured(&command));
        subject.hear();
        subject.read()
    };
    let (one, all) = (at_start("bare-system", None), at_start("conform", Some("bare")));
    let more = difference(&one, &all);
    told(
        "other levels",
        format_args!(
            "{} B of RSS and {} B of anonymous memory at start beyond `bare` alone ({} and {} B)",
            more["proc.rss"], more["proc.anon"], one["proc.rss"], one["proc.anon"]
        ),
    );
    // The trap: their relocations, and what of their code is touched on the way.
    assert!(more["proc.rss"] >= 32 * PAGE && more["proc.anon"] >= 8 * PAGE, "{more:?}");
    // The remedy is that no measured program is like that: harness/subjects/tests/one_level.rs looks for other levels in each.
}

#[test]
fn the_kernel_s_figure_of_an_ended_child_is_that_of_its_parent_and_its_own_mark_can_be_reset() {
    const PAGES: i64 = 16_384;
    const PEAK: i64 = 32 << 20;
    let workshop = Workshop::new();
    let program = workshop.compile("steps");
    let mut parent = Stepping::start(bare(&program));
    parent.step(&format!("hold {PAGES}"));
    parent.tell(&format!("child {}", program.display()));
    // From here on the child hears and speaks in its place.
    let child = u32::try_from(parent.step("own-id")).expect("an id");
    assert_ne!(child, parent.id());
    // The remedy: the child's own mark, from when it is told to begin.
    let own = read(child)["proc.hwm"];
    parent.step(&format!("peak {PEAK}"));
    let early = read(child)["proc.hwm"];
    Watched::new(child).expect("it lives").reset_high_water_mark().expect("permitted");
    let reset = read(child)["proc.hwm"];
    // The trap: what `getrusage` and `wait4` say when it has ended.
    let inherited = parent.step("end") * 1024;
    told(
        "ru_maxrss",
        format_args!(
            "{inherited} B of a child whose VmHWM was {own} B at first; {early} B behind a peak before start, {reset} B once reset"
        ),
    );
    assert!(inherited >= PAGES * PAGE && own <= 8 << 20, "{inherited} {own}");
    // Both marks are read from counters that lag by some lots of 32 pages.
    assert!(early >= PEAK - PEAK / 16 && reset <= 8 << 20, "{early} {reset}");
}

#[test]
fn growth_can_be_made_small_and_start_and_peak_show_it() {
    const SUBJECTS: &str = r#"
version = 1
[[subject]]
id = "honest"
command = ["./habits", "honest"]
[[subject]]
id = "warmed"
command = ["./habits", "warmed"]
[[subject]]
id = "emptied"
command = ["./habits", "emptied"]
"#;
    const SUITE: &str = "[suite.s]\nsubjects = [\"honest\", \"warmed\", \"emptied\"]\nscenarios = [\"client\"]\n[[suite.s.matrix]]\nprobes = [\"rss\"]\n";
    /// What each of them takes for its client.
    const CLIENT: i64 = 4 << 20;
    let project = Project::with_subjects(SUBJECTS, SUITE);
    let source = repository().join("harness/tests/traps/c/habits.c");
    let compiled = std::process::Command::new("cc")
        .args(["-O1", "-Wall", "-Werror", "-o"])
        .arg(project.path().join("habits"))
        .arg(source)
        .status();
    assert!(compiled.expect("cc is needed to build this project").success());
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--out", "out"]), 0);
    let record = project.record("out");
    let figures = ["honest", "warmed", "emptied"].map(|subject| {
        let sample = record.samples.iter().find(|sample| sample.cell.subject == subject).expect("measured");
        let rss = |checkpoint: &str| at(sample, checkpoint, "proc.rss");
        (rss("client") - rss("start"), rss("start"), at(sample, "client", "proc.hwm") - rss("start"))
    });
    let [honest, warmed, emptied] = figures;
    told(
        "gamed growth",
        format_args!(
            "{} B for a client of {CLIENT} B; {} B when it was warmed up before start, {} B when pages were given back before the reading",
            honest.0, warmed.0, emptied.0
        ),
    );
    assert!(honest.0 >= CLIENT);
    // The trap: the same client for next to nothing, and for less than nothing.
    assert!(warmed.0 <= CLIENT / 16 && emptied.0 < 0, "{figures:?}");
    // The remedy: `start` tells the one, the peak the other (it lags by some lots of 32 pages); and they stand beside growth wherever it stands.
    assert!(warmed.1 >= honest.1 + CLIENT - SLACK && emptied.2 >= CLIENT - CLIENT / 8, "{figures:?}");
    let headings: Vec<&str> = plimsoll_reports::view::columns().iter().map(|column| column.heading).collect();
    assert_eq!(headings[..4], ["RSS growth", "anon growth", "start RSS", "peak RSS"]);
}
