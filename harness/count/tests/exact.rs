//! The library's figures for C programs whose allocations are known to the byte.

mod common;

use common::{Change, Folder, Steps, compile};

/// Steps in order, each with the allocations, bytes, reallocs and frees that it must show. What is live is the program's own to say.
const STEPS: [(&str, u64, u64, u64, u64); 17] = [
    ("malloc", 1, 1 << 20, 0, 0),
    ("grow", 1, 3_000_000, 1, 1),
    ("free", 0, 0, 0, 1),
    ("calloc", 1, 7_000, 0, 0),
    ("reallocarray", 1, 300, 1, 1),
    ("realloc zero", 0, 0, 0, 1),
    ("realloc null", 1, 500, 0, 0),
    ("free", 0, 0, 0, 1),
    ("posix_memalign", 1, 10_000, 0, 0),
    ("free", 0, 0, 0, 1),
    ("aligned_alloc", 1, 640, 0, 0),
    ("free", 0, 0, 0, 1),
    ("valloc", 1, 100, 0, 0),
    ("free", 0, 0, 0, 1),
    ("strdup", 1, 9, 0, 0),
    ("free", 0, 0, 0, 1),
    ("failures", 1, 10, 0, 0),
];

#[test]
fn every_call_is_counted_exactly() {
    let folder = Folder::new("exact");
    let mut steps = Steps::start(&compile("steps", folder.path()), &folder.count_file("count"));
    let mut held = 0;
    for (step, allocs, bytes, reallocs, frees) in STEPS {
        let (left, change) = steps.step(step);
        let live = left as i64 - held;
        assert_eq!(change, Change { allocs, bytes, reallocs, frees, live }, "{step}");
        held = left as i64;
    }
}

#[test]
fn the_other_aligned_calls_are_counted_too() {
    let folder = Folder::new("aligned");
    let mut steps = Steps::start(&compile("steps", folder.path()), &folder.count_file("count"));
    for (step, bytes) in [("memalign", 333), ("pvalloc", 100)] {
        let (left, change) = steps.step(step);
        assert_eq!(change, Change { allocs: 1, bytes, live: left as i64, ..Change::default() }, "{step}");
        steps.step("free");
    }
}

#[test]
fn peak_is_the_largest_live_and_never_falls() {
    let folder = Folder::new("peak");
    let mut steps = Steps::start(&compile("steps", folder.path()), &folder.count_file("count"));
    let (held, _) = steps.step("malloc");
    let top = steps.slots()[0];
    assert_eq!(top.peak, top.live);
    assert!(top.live >= held as i64);
    steps.step("free");
    let after = steps.slots()[0];
    assert_eq!(after.peak, top.peak);
    assert_eq!(after.live, top.live - held as i64);
}

#[test]
fn what_was_allocated_before_any_constructor_is_carried_over() {
    let folder = Folder::new("early");
    let steps = Steps::start(&compile("steps", folder.path()), &folder.count_file("count"));
    let slot = steps.slots()[0];
    assert!(slot.bytes >= 12_345, "{slot:?}");
    assert!(slot.live >= steps.early as i64, "{slot:?}");
    // The block of `.preinit_array` is all that is live: neither the loader nor the library itself adds to it.
    assert_eq!((slot.allocs - slot.frees, slot.live), (1, steps.early as i64), "{slot:?}");
}

#[test]
fn threads_lose_nothing() {
    let folder = Folder::new("threads");
    let mut steps = Steps::start(&compile("steps", folder.path()), &folder.count_file("count"));
    let (_, first) = steps.step("threads");
    // 8 × 10,000 of 100 bytes each way; the little that is more is libc's own, for the threads themselves.
    let (allocs, frees, bytes) = (first.allocs - 80_000, first.frees - 80_000, first.bytes - 8_000_000);
    assert!(allocs <= 16 && frees <= allocs && bytes <= 16 * 1_024, "{first:?}");
    // Blocks are made and freed here and there at once: what is left is exactly what is left.
    assert_eq!(first.live > 0, allocs > frees, "{first:?}");
    let (_, churn) = steps.step("churn");
    assert_eq!(churn, Change { allocs: 10_000, bytes: 1_000_000, frees: 10_000, ..Change::default() });
}

#[test]
fn a_forked_child_counts_in_a_slot_of_its_own() {
    let folder = Folder::new("fork");
    let mut steps = Steps::start(&compile("steps", folder.path()), &folder.count_file("count"));
    let (held, _) = steps.step("malloc");
    let before = steps.slots()[0];
    let (child, change) = steps.step("fork");
    assert_eq!(change, Change::default(), "the parent only forked");

    let slots = steps.slots();
    assert_eq!(slots.len(), 2);
    assert_eq!((slots[0].pid, slots[1].pid), (steps.pid(), child as u32));
    assert_eq!((slots[1].allocs, slots[1].bytes, slots[1].frees), (1, 1_000, 1));
    assert_eq!(slots[1].inherited, before.live);
    assert_eq!(slots[1].live, before.live - held as i64 + 1_000);
    assert_eq!(slots[1].peak, before.live);
}

#[test]
fn a_new_image_counts_in_a_slot_of_its_own() {
    let folder = Folder::new("exec");
    let mut steps = Steps::start(&compile("steps", folder.path()), &folder.count_file("count"));
    let first = steps.slots()[0];
    steps.send("exec");
    let early = steps.answer();
    let slots = steps.slots();
    assert_eq!(slots.len(), 2);
    assert_eq!((slots[0].pid, slots[1].pid), (steps.pid(), steps.pid()));
    assert_eq!(slots[0], first);
    assert_eq!((slots[1].live, slots[1].inherited), (early as i64, 0));
}
