//! What the kernel's figures mean.

use std::fs::File;
use std::io::Write;
use std::process::Command;

use super::{PAGE, SLACK, Stepping, Workshop, as_measured, bare, counted, counts, difference, field, read, told};

/// Bytes of the file that stands for a program's.
const FILE: i64 = 4 << 20;
/// Bytes of a huge page.
const HUGE: i64 = 2 << 20;

/// A file that was written just now, as a program is that was built just now.
fn fresh(workshop: &Workshop) -> (File, String) {
    let path = workshop.path().join("fresh");
    let mut file = File::create(&path).expect("writable");
    file.write_all(&vec![1; FILE as usize]).expect("room for it");
    (file, format!("map {}", path.display()))
}

#[test]
fn private_dirty_counts_a_fresh_file_and_pss_halves_when_another_reads_it() {
    let workshop = Workshop::new();
    let program = workshop.compile("steps");
    let (file, map) = fresh(&workshop);
    let mut first = Stepping::start(bare(&program));
    first.step("own-id");
    let before = read(first.id());
    let dirty = |pid| field(pid, "smaps_rollup", "Private_Dirty");
    let dirty_before = dirty(first.id());
    first.step(&map);
    // The trap: the process wrote nothing, and is charged for what the compiler wrote; until the disk has it.
    let charged = dirty(first.id()) - dirty_before;
    let alone = difference(&before, &read(first.id()));
    let mut second = Stepping::start(bare(&program));
    second.step(&map);
    let beside = difference(&before, &read(first.id()));
    file.sync_all().expect("written");
    let clean = dirty(first.id()) - dirty_before;
    told(
        "Private_Dirty",
        format_args!("{charged} B for a file of {FILE} B that was only read; once it is on disk {clean} B"),
    );
    told(
        "Pss",
        format_args!("{} B alone, {} B when another process has read it too", alone["proc.pss"], beside["proc.pss"]),
    );
    // All of it, unless the kernel had begun to write it back: then at least what it had not come to.
    assert!((FILE / 2..=FILE + SLACK).contains(&charged), "{charged}");
    assert!((alone["proc.pss"] - FILE).abs() <= FILE / 16 && (beside["proc.pss"] - FILE / 2).abs() <= FILE / 16);
    // The remedy: what it wrote itself, which is nothing, whoever else is there.
    for figure in [&alone, &beside, &difference(&before, &read(first.id()))] {
        assert_eq!(figure["proc.anon"], 0);
    }
}

#[test]
fn pages_that_were_given_up_lazily_are_resident_and_are_told_apart() {
    let workshop = Workshop::new();
    let mut program = Stepping::start(as_measured(&bare(workshop.compile("steps"))));
    program.step("free-lazily 1");
    let added = program.added("free-lazily 2048");
    let given_up = 2048 * PAGE;
    told(
        "MADV_FREE",
        format_args!(
            "{} B resident of {given_up} B that were given up; lazyfree says {}",
            added["proc.anon"], added["proc.lazyfree"]
        ),
    );
    // The trap: they count until somebody needs them.
    assert!(added["proc.anon"] >= given_up && added["proc.rss"] >= given_up);
    // The remedy: they are read as such. The kernel marks pages in lots of up to 31 for each CPU.
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as i64;
    let left = added["proc.anon"] - added["proc.lazyfree"];
    assert!((0..=31 * cpus * PAGE).contains(&left), "{left}");
}

#[test]
fn a_huge_page_is_resident_for_a_byte_and_a_subject_gets_none() {
    const STRETCHES: i64 = 4;
    let workshop = Workshop::new();
    let program = workshop.compile("steps");
    let step = format!("huge {STRETCHES}");
    let mut plain = Stepping::start(bare(&program));
    plain.step("own-id");
    let naive = plain.added(&step)["proc.anon"];
    let huge = field(plain.id(), "smaps_rollup", "AnonHugePages");
    let setting = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    told(
        "huge pages",
        format_args!(
            "{naive} B for {STRETCHES} B written; {huge} B in huge pages; the system's setting: {}",
            setting.trim()
        ),
    );
    // The trap, where this kernel has them on and had one free: 2 MiB for a byte.
    let off = setting.is_empty() || setting.contains("[never]");
    assert!(!off || huge == 0, "{setting}");
    assert!(naive >= huge && (huge == 0 || huge >= HUGE));
    assert!(off || huge > 0 || naive >= STRETCHES * PAGE, "{naive}");
    // The remedy, whatever the setting.
    let mut subject = Stepping::start(as_measured(&bare(&program)));
    subject.step("own-id");
    let measured = subject.added(&step)["proc.anon"];
    assert_eq!(field(subject.id(), "smaps_rollup", "AnonHugePages"), 0);
    assert!((STRETCHES * PAGE..=STRETCHES * PAGE + SLACK).contains(&measured), "{measured}");
}

#[test]
fn the_high_water_mark_misses_a_peak_that_the_counters_have_not_seen_and_heap_peak_does_not() {
    /// Twenty pages: fewer than a CPU keeps to itself. The C library is told to map such blocks one by one, so that a freed one is gone.
    const BLOCK: i64 = 20 * PAGE - 32;
    let workshop = Workshop::new();
    let program = workshop.compile("steps");
    crate::common::build();
    let mut most = 0;
    for _ in 0..4 {
        let mut command = bare(&program);
        command.env("MALLOC_MMAP_THRESHOLD_", "65536").env("MALLOC_TOP_PAD_", "0");
        let counters = counted(&mut command, workshop.path());
        let mut subject = Stepping::start(as_measured(&command));
        subject.step("peak 4096");
        plimsoll::probe::proc::Watched::new(subject.id())
            .expect("it lives")
            .reset_high_water_mark()
            .expect("permitted");
        let before = (read(subject.id())["proc.hwm"], counts(&counters, subject.id()));
        subject.step(&format!("peak {BLOCK}"));
        let after = (read(subject.id())["proc.hwm"], counts(&counters, subject.id()));
        most = most.max(BLOCK - (after.0 - before.0));
        // The remedy: to the byte, the pages less a header.
        assert_eq!(after.1["heap.peak"] - before.1["heap.live"], 20 * PAGE - 16);
        // And the mark is off by no more than the lots of 32 pages that each CPU keeps to itself, twice that for both sides of a difference.
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as i64;
        assert!((after.0 - before.0 - BLOCK).abs() <= 2 * 32.max(2 * cpus) * cpus * PAGE, "{before:?} {after:?}");
    }
    let kernel = kernel();
    told("VmHWM", format_args!("misses up to {most} B of a peak of {BLOCK} B, on Linux {}.{}", kernel.0, kernel.1));
    // The trap, where the kernel counts per CPU.
    assert!(kernel < (6, 2) || most >= BLOCK / 4, "{most}");
}

/// The kernel's version, the first two numbers of it.
fn kernel() -> (u32, u32) {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("readable");
    let mut numbers = text.split(['.', '-']).map_while(|part| part.parse().ok());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

#[test]
fn resident_memory_of_a_client_is_mostly_file_pages_that_move_with_its_addresses_and_anonymous_memory_is_not() {
    const PROCESSES: usize = 10;
    crate::common::build();
    let program = super::counting::level("original-system", "http://127.0.0.1:9/s/chat");
    // The last of a process's figures once its client is made, and whether its addresses were randomised.
    let processes = |wrap: fn(&Command) -> Command| {
        let one = || {
            let mut subject = Stepping::start(wrap(&program));
            subject.hear();
            for command in ["runtime", "client"] {
                assert!(subject.ask(command).starts_with("ok"));
            }
            let personality =
                std::fs::read_to_string(format!("/proc/{}/personality", subject.id())).unwrap_or_default();
            let fixed = u64::from_str_radix(personality.trim(), 16).is_ok_and(|bits| bits & 0x0040000 != 0);
            let read = subject.read();
            (read["proc.rss"], read["proc.anon"], read["proc.file"], fixed)
        };
        (0..PROCESSES).map(|_| one()).collect::<Vec<_>>()
    };
    let spread = |values: Vec<i64>| values.iter().max().zip(values.iter().min()).map_or(0, |(high, low)| high - low);
    let randomised = processes(|command| {
        let mut same = bare(command.get_program());
        same.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        same
    });
    let fixed = processes(as_measured);
    let rss = spread(randomised.iter().map(|process| process.0).collect());
    let anon = spread(fixed.iter().map(|process| process.1).collect());
    let share = randomised[0].2 * 100 / randomised[0].0;
    told(
        "file pages",
        format_args!(
            "{share} % of the RSS of `original` when its client is made; RSS {} to {} B ({rss} B apart) with random addresses; anonymous memory {anon} B apart as a subject{}",
            randomised.iter().map(|p| p.0).min().unwrap_or_default(),
            randomised.iter().map(|p| p.0).max().unwrap_or_default(),
            if fixed[0].3 { "" } else { ", with random addresses as well: this machine permits no other" }
        ),
    );
    // The trap: most of it says how the file lies in memory, and it does not repeat. (Where the system has no randomisation there is nothing to see.)
    assert!(share >= 60, "{share}");
    let random = std::fs::read_to_string("/proc/sys/kernel/randomize_va_space").is_ok_and(|text| text.trim() != "0");
    assert!(!random || randomised[0].3 || rss >= 8 * PAGE, "{randomised:?}");
    // The remedy: to a few pages, in each process.
    assert!(anon <= SLACK, "{fixed:?}");
}
