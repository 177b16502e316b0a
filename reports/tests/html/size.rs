//! A record of every suite at once, as the published one is: its page stays small, and its Markdown fits a comment.

use plimsoll_reports::record::Record;
use plimsoll_reports::{Format, render};

use crate::common::{self, Builder, PLAIN, Shape, cell, varied};

const LEVELS: [&str; 9] =
    ["original", "optimized", "ultra", "bare", "libcurl", "mux", "isolated", "proxied", "visitor"];
const TECHNIQUES: [&str; 10] = [
    "none",
    "stack-first-buffers",
    "zero-copy-body",
    "streaming-json",
    "http1-only",
    "-stack-first-buffers",
    "-zero-copy-body",
    "-streaming-json",
    "-http1-only",
    "reusable-scratch",
];

/// Every level under every factor, twelve rungs, ten peers and the switches of two levels, in thirteen scenarios: some six hundred cells.
fn everything() -> Record {
    let mut b = Builder::new();
    for name in LEVELS {
        b = b.subject(name, "level", "what a level is, in a sentence of the usual length");
    }
    for at in 0..12 {
        b = b.rung(&format!("rung-{at}"), (at > 0).then(|| format!("rung-{}", at - 1)).as_deref());
    }
    for at in 0..10 {
        b = b.subject(&format!("peer-{at}"), "peer", "somebody else’s client");
    }
    let scenarios = ["chat", "stream", "large", "chat-20x", "crowd-100", "crowd", "soak"];
    for (scenario, at_once) in scenarios.into_iter().zip([1, 1, 1, 20, 100, 1_000, 1]) {
        b = b.scenario(scenario, at_once);
        for (place, level) in LEVELS.into_iter().enumerate() {
            let shape = Shape { growth: 200_000 + 4_096 * i64::try_from(place).unwrap(), ..PLAIN };
            // A crowd and a soak are measured as in production alone.
            let one_runtime = at_once >= 100 || scenario == "soak";
            for runtime in ["multi_thread", "current_thread"].into_iter().take(if one_runtime { 1 } else { 2 }) {
                let ring = (scenario == "chat").then_some(("h1", "ring"));
                for (protocol, crypto) in [("h1", "aws-lc"), ("h2", "aws-lc")].into_iter().chain(ring) {
                    let under = |allocator| {
                        [("allocator", allocator), ("crypto", crypto), ("protocol", protocol), ("runtime", runtime)]
                    };
                    b = b.measured(&cell(level, scenario, "rss", &under("system")), &varied(shape, 3));
                    b = b.measured(&cell(level, scenario, "count", &under("system")), &[shape; 2]);
                    if scenario == "chat" {
                        b = b.measured(&cell(level, scenario, "rss", &under("jemalloc")), &varied(shape, 3));
                    }
                }
            }
            let one = [("allocator", "dhat"), ("protocol", "h1"), ("runtime", "current_thread")];
            b = b.measured(&cell(level, scenario, "dhat", &one), &[shape]);
        }
        for at in 0..12 {
            let under = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];
            b = b.measured(&cell(&format!("rung-{at}"), scenario, "rss", &under), &varied(PLAIN, 2));
        }
        for at in 0..10 {
            let under = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];
            b = b.measured(&cell(&format!("peer-{at}"), scenario, "rss", &under), &varied(PLAIN, 2));
        }
    }
    for level in ["optimized", "ultra"] {
        for set in TECHNIQUES {
            let under = [
                ("allocator", "system"),
                ("crypto", "aws-lc"),
                ("protocol", "auto"),
                ("runtime", "multi_thread"),
                ("switches", set),
            ];
            b = b.measured(&cell(level, "chat", "rss", &under), &varied(PLAIN, 12));
        }
    }
    for held in ["inflight-head", "inflight-event"] {
        b = b.scenario(held, 1_000);
        for level in LEVELS {
            let under =
                [("allocator", "system"), ("crypto", "aws-lc"), ("protocol", "h1"), ("runtime", "multi_thread")];
            b = b.measured(&cell(level, held, "rss", &under), &varied(PLAIN, 3));
        }
    }
    let mut record = b.build();
    common::held(&mut record, "inflight-head", 30_000);
    common::held(&mut record, "inflight-event", 40_000);
    common::sites::put(&mut record, None);
    record
}

#[test]
fn a_page_of_all_suites_is_under_two_megabytes_and_its_markdown_fits_a_comment() {
    let record = everything();
    let page = render(&record, Format::Html);
    assert!(page.len() < 2_000_000, "{} bytes of {} cells", page.len(), record.plan.cells.len());
    let markdown = String::from_utf8(render(&record, Format::Markdown)).unwrap();
    assert!(markdown.len() < 65_536, "{} bytes", markdown.len());
    for part in
        ["### Which level fits my budget", "### chat\n", "### Technique ledger", "<summary>Environment</summary>"]
    {
        assert!(markdown.contains(part), "{part} is left out");
    }
    assert!(markdown.contains("HTML report"), "what is left out is not named");
}
