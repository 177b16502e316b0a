//! The terminal's table, Markdown, CSV and JSON as they come out.

mod allocators;
mod common;
mod compare;

use common::{Builder, PLAIN, Shape, cell, varied};
use plimsoll_reports::record::{Record, Status};
use plimsoll_reports::{Format, render, terminal};

fn small() -> Record {
    let factors = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];
    let ultra = Shape { growth: 421_888, file: 2_883_584, allocs: 31, bytes: 2_210, micros: 620, ..PLAIN };
    let mut b = Builder::new()
        .subject("original", "level", "reqwest as it comes")
        .subject("ultra", "level", "the ten techniques")
        .scenario("chat", 1);
    for (name, shape) in [("original", PLAIN), ("ultra", ultra)] {
        b = b.measured(&cell(name, "chat", "rss", &factors), &varied(shape, 5));
        b = b.measured(&cell(name, "chat", "count", &factors), &[shape; 2]);
    }
    b.failed(
        &cell("ultra", "chat", "rss", &factors),
        Status::Timeout,
        "no answer in 30 s: raise `timeout` in plimsoll.toml",
    )
    .build()
}

fn text(record: &Record, format: Format) -> String {
    String::from_utf8(render(record, format)).unwrap()
}

#[test]
fn terminal() {
    insta::assert_snapshot!(terminal::render(&small(), None, false), @r###"
plimsoll 0.0.0-synthetic (0123abc, uncommitted changes) · run 20200102-030405-fake · suite synthetic · target mock
Linux 0.0 (synthetic) · No Such CPU · 2 cores · 8.00 GiB · glibc 0.0 · rustc 0.0 · release (lto off)
14 of 15 samples count, 1 failed

chat  made-up work chat, deterministic
  system allocator · h1 · multi_thread
 subject                    RSS growth                  anon growth   start RSS                     peak RSS               p50  allocs/request      bytes/request  live/1,000 req
 original          4.20 MiB ± 12.0 KiB          716.0 KiB ± 4.0 KiB  2.02 MiB =          6.35 MiB ± 12.0 KiB  410 µs = 1.00× *           119 =         13,412 B =           0 B =
 ultra     3.15 MiB ± 12.0 KiB 0.75× *  412.0 KiB ± 4.0 KiB 0.58× *  2.02 MiB =  5.30 MiB ± 12.0 KiB 0.84× *          620 µs =    31 = 0.26× *  2,210 B = 0.16× *           0 B =

time beside memory, chat
 subject      p50  × original
 original  410 µs           —
 ultra     620 µs       1.51×

samples that do not count
  ultra: 1 timeout (chat rss allocator=system protocol=h1 runtime=multi_thread #5): no answer in 30 s: raise `timeout` in plimsoll.toml

`ultra` grew least anonymous memory over 20 requests of `chat`: 412.0 KiB against 716.0 KiB of `original`, 42 % less (generateContent, 2,048 B answers, h1 over TLS, 143 roots, multi_thread, mock target; median of 5 processes).

Medians over processes; lower is better. = all processes identical; ± median absolute deviation; ≈ more than half identical; no mark: one process. * lowest of those under the same factors; 0.58× of the first subject's under them. — not measured.
RSS growth: resident memory at steady@20 minus that at start, file pages included.
anon growth: the same of anonymous memory only: heap, stacks, written data.
start RSS: resident memory before the first statement: growth alone could be gamed by growing earlier.
peak RSS: highest resident memory up to steady@20 (hwm): giving memory back before a reading cannot hide it.
p50: median time per request in the last batch, as the subject measured it.
allocs/request: calls of malloc and realloc per request, Rust and C, over requests 64 to 128.
bytes/request: bytes asked for in those calls, a realloc's whole new size included.
live/1,000 req: slope of the live heap per 1,000 requests, the smaller of the segments 64–128 and 128–256 (of a soak 2,000–6,000 and 6,000–10,000): above zero is a leak.
"###);
}

#[test]
fn terminal_of_eighty_columns() {
    let shown = terminal::render(&common::quick(), Some(80), false);
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn terminal_in_colours_says_the_same() {
    let (plain, colours) =
        (terminal::render(&common::quick(), Some(120), false), terminal::render(&common::quick(), Some(120), true));
    let mut bare = String::new();
    let mut rest = colours.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    assert_eq!(bare, plain);
    assert!(colours.contains("\u{1b}[1;32m31 = 0.26× *\u{1b}[0m"));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(text(&small(), Format::Markdown), @r###"
## Memory per level

**`ultra` grew least anonymous memory over 20 requests of `chat`: 412.0 KiB against 716.0 KiB of `original`, 42 % less (generateContent, 2,048 B answers, h1 over TLS, 143 roots, multi\_thread, mock target; median of 5 processes).**

14 of 15 samples count, 1 failed, 0 unavailable · run `20200102-030405-fake` · suite `synthetic` · target `mock`

2 of 2 levels stay below the target of 8 MB growth (resident memory, 20 requests of `chat`); the largest is 4.22 MiB of `original`.

### Recommendations

- **For the least memory in one process, use `ultra`: its anonymous memory grows 42 % less than that of `original`, at 1.51× its time per request.** Rule: of the levels that do their own work, the one whose anonymous memory grew least over 20 requests, if that is at least a tenth less than original’s. ultra: anon growth 412.0 KiB; original: anon growth 716.0 KiB; ultra: p50 620 µs; original: p50 410 µs.

### Which level fits my budget

system allocator · h1 · multi\_thread

| subject | RSS | anon growth | allocs/request | bytes/request | p50 |
|---|---:|---:|---:|---:|---:|
| ultra | 5.18 MiB | 412.0 KiB | 31 | 2,210 B | 620 µs |
| original | 6.22 MiB | 716.0 KiB | 119 | 13,412 B | 410 µs |

<details><summary>Of the old report’s 22 claims 3 hold, 0 hold in part and 6 do not; not measured here: 13.</summary>

| claim | verdict | measured |
|---|---|---|
| original provider: \~16 MB growth over 20 requests | does not hold | chat: 4.20 MiB (4.18 MiB to 4.22 MiB) |
| ultra-optimized: 8–10 MB | does not hold | chat: 3.15 MiB (3.13 MiB to 3.17 MiB) |
| ultra-optimized: 40–50 % less than original | does not hold | chat: 25 % less (3.15 MiB against 4.20 MiB) |
| ultra-optimized is near the theoretical minimum | holds | chat: 412.0 KiB against 716.0 KiB of original |
| target: below 8 MB growth | holds | original, chat: 4.20 MiB (4.18 MiB to 4.22 MiB)<br>ultra, chat: 3.15 MiB (3.13 MiB to 3.17 MiB) |
| tokio costs \~1 MB | does not hold | chat: 430.0 KiB |
| zero allocations after warmup | does not hold | original, chat: 119<br>ultra, chat: 31 |
| automatic recycling | holds | ultra, chat: 0 B |
| alert when growth is above 10 MB | does not hold | largest, original, chat: 4.22 MiB |

</details>

### chat

made-up work chat

system allocator · h1 · multi\_thread

| subject | RSS growth | anon growth | start RSS | peak RSS | p50 | allocs/request | bytes/request | live/1,000 req |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
| original | 4.20 MiB ± 12.0 KiB | 716.0 KiB ± 4.0 KiB | 2.02 MiB = | 6.35 MiB ± 12.0 KiB | **410 µs =** (1.00×) | 119 = | 13,412 B = | 0 B = |
| ultra | **3.15 MiB ± 12.0 KiB** (0.75×) | **412.0 KiB ± 4.0 KiB** (0.58×) | 2.02 MiB = | **5.30 MiB ± 12.0 KiB** (0.84×) | 620 µs = | **31 =** (0.26×) | **2,210 B =** (0.16×) | 0 B = |

### Time beside memory

Median time per request, over that of original under the same factors.

| scenario | subject | p50 | anon growth | × original |
|---|---|---:|---:|---:|
| chat | original | 410 µs | 716.0 KiB | — |
| chat | ultra | 620 µs | 412.0 KiB | 1.51× |

### Samples that do not count

| subject | samples | status | reason | where |
|---|---:|---|---|---|
| ultra | 1 | timeout | no answer in 30 s: raise \`timeout\` in plimsoll.toml | chat rss allocator=system protocol=h1 runtime=multi\_thread \#&#8203;5 |

<details><summary>Environment</summary>

| | |
|---|---|
| measured | 2020-01-02T03:04:05Z |
| plimsoll | 0.0.0-synthetic 0123abc, uncommitted changes |
| system | Linux 0.0 (synthetic) · glibc 0.0 |
| machine | No Such CPU · x86\_64 · 2 cores · 8.00 GiB |
| pages | 4.0 KiB · huge pages: madvise; off for subjects |
| build | rustc 0.0 · release (lto off) |
| address randomisation | off |
| roots trusted | 143 |
| seed | 7 |

</details>

<details><summary>How to read this</summary>

Medians over processes; lower is better. `=` all processes identical; `±` median absolute deviation; `≈` more than half identical; no mark: one process; `↑` `↓` an end that lies more than four such deviations and 5 % from the median. **Bold**: lowest of those under the same factors, with its ratio to the first subject under them. — not measured.

- **RSS growth**: resident memory at steady@20 minus that at start, file pages included.
- **anon growth**: the same of anonymous memory only: heap, stacks, written data.
- **start RSS**: resident memory before the first statement: growth alone could be gamed by growing earlier.
- **peak RSS**: highest resident memory up to steady@20 (hwm): giving memory back before a reading cannot hide it.
- **p50**: median time per request in the last batch, as the subject measured it.
- **allocs/request**: calls of malloc and realloc per request, Rust and C, over requests 64 to 128.
- **bytes/request**: bytes asked for in those calls, a realloc's whole new size included.
- **live/1,000 req**: slope of the live heap per 1,000 requests, the smaller of the segments 64–128 and 128–256 (of a soak 2,000–6,000 and 6,000–10,000): above zero is a leak.

</details>
"###);
}

#[test]
fn markdown_of_a_hostile_record_is_text() {
    let shown = text(&common::hostile(), Format::Markdown);
    for forbidden in ["<script", "<img", "@everyone", "<!--", "\u{202e}", "/home/user", "canary-password", "**b**"] {
        assert!(!shown.contains(forbidden), "{forbidden}");
    }
    let tables: Vec<&str> = shown.lines().filter(|line| line.starts_with("| ")).collect();
    for line in &tables {
        assert!(line.ends_with(" |"), "{line}");
    }
}

#[test]
fn markdown_has_the_call_sites_folded_and_no_more_than_fit() {
    let mut record = common::quick();
    common::sites::put(&mut record, None);
    let shown = text(&record, Format::Markdown);
    let table: Vec<&str> =
        shown.lines().skip_while(|line| !line.contains("<summary>original, chat: ")).take(9).collect();
    let row = |at: usize, parts: &[&str]| {
        for part in parts {
            assert!(table[at].contains(part), "{part} not in {:?}", table[at]);
        }
    };
    row(4, &["Provider::ask, client/src/lib.rs:7", "500 | 10"]);
    row(5, &["Buffered::poll\\_read, hyper 1.12.0", "Provider::ask, client/src/lib.rs:7", "300 | 10"]);
    row(6, &["several sites", "hyper connection task", "150 | 10"]);
    row(7, &["other", "50 | 10"]);
    row(8, &["| C | |"]);
    // As many cells as full has, and more.
    let mut b = Builder::new().subject("original", "level", "");
    for at in 0..40 {
        let name = format!("scenario-{at}");
        b = b.scenario(&name, 1).measured(&cell("original", &name, "dhat", &[]), &[PLAIN]);
    }
    let mut record = b.build();
    common::sites::put(&mut record, None);
    let shown = text(&record, Format::Markdown);
    assert!(shown.len() < 65_536 && shown.contains("more cells have call sites"), "{} bytes", shown.len());
}

#[test]
fn markdown_fits_a_comment() {
    let mut b = Builder::new().subject("original", "level", "");
    for at in 0..300 {
        let name = format!("scenario-{at}-{}", "y".repeat(40));
        b = b.scenario(&name, 1).measured(&cell("original", &name, "rss", &[]), &varied(PLAIN, 2));
    }
    let shown = text(&b.build(), Format::Markdown);
    assert!(shown.len() < 65_536, "{} bytes", shown.len());
    assert!(shown.contains("more scenarios do not fit a comment") && shown.contains("<summary>Environment</summary>"));
}

#[test]
fn markdown_has_the_peers_beside_the_base() {
    let shown = text(&common::peers(), Format::Markdown);
    let (_, peers) = shown.split_once("### Other people's clients\n").unwrap();
    let (_, table) = peers.split_once("\n| subject | version |").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(
        rows[3],
        "| genai · multi\\_thread | 0.7.2 | 5.50 MiB = | 2.00 MiB = | 7.52 MiB = | 196 = | 20,000 B = | 820 µs = | 4.95 MiB | 1.64× |"
    );
    assert!(shown.contains("absent is not there; to get it: make peers"));
    assert!(!text(&small(), Format::Markdown).contains("Other people"));
}

#[test]
fn csv() {
    let all = text(&small(), Format::Csv);
    let wanted = ["subject,", "growth,,proc.anon", "per-request,,heap.bytes", "timeout"];
    let chosen: Vec<&str> = all.split("\r\n").filter(|line| wanted.iter().any(|part| line.contains(part))).collect();
    insta::assert_snapshot!(chosen.join("\n"), @r###"
subject,scenario,probe,allocator,runtime,protocol,crypto,switches,factors,status,index,error,form,checkpoint,metric,unit,samples,median,mad,min,max,exactness
original,chat,rss,system,multi_thread,h1,,,,ok,,,growth,,proc.anon,bytes,5,733184,4096,724992,741376,varies
original,chat,count,system,multi_thread,h1,,,,ok,,,per-request,,heap.bytes,bytes,2,13412,0,13412,13412,identical
ultra,chat,rss,system,multi_thread,h1,,,,ok,,,growth,,proc.anon,bytes,5,421888,4096,413696,430080,varies
ultra,chat,rss,system,multi_thread,h1,,,,timeout,5,no answer in 30 s: raise `timeout` in plimsoll.toml,,,,,,,,,,
ultra,chat,count,system,multi_thread,h1,,,,ok,,,per-request,,heap.bytes,bytes,2,2210,0,2210,2210,identical
"###);
    assert!(all.ends_with("\r\n"));
}

#[test]
fn every_csv_row_has_every_field() {
    for record in [small(), common::quick(), common::hostile()] {
        let all = text(&record, Format::Csv);
        let mut fields = 1;
        let mut quoted = false;
        let mut rows = 0;
        for c in all.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields += 1,
                '\n' if !quoted => {
                    assert_eq!(fields, 22);
                    (fields, rows) = (1, rows + 1);
                }
                _ => {}
            }
        }
        assert!(!quoted && rows > 10);
        assert!(!all.contains("\n=HYPER"));
    }
}

#[test]
fn json_holds_what_the_record_says() {
    let value: serde_json::Value = serde_json::from_str(&text(&small(), Format::Json)).unwrap();
    assert_eq!(value["samples"], serde_json::json!({ "planned": 15, "ok": 14, "failed": 1, "unavailable": 0 }));
    let cell = &value["cells"][1];
    let figure = cell["figures"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["form"] == "per-request" && f["metric"] == "heap.allocs")
        .unwrap();
    assert_eq!(
        *figure,
        serde_json::json!({
            "form": "per-request", "metric": "heap.allocs", "unit": "count", "samples": 2,
            "median": 119, "mad": 0, "min": 119, "max": 119, "exactness": "identical"
        })
    );
    assert_eq!(value["cells"][2]["failures"][0]["status"], "timeout");
}

#[test]
fn a_request_in_flight_is_compared_across_protocols_and_the_protocol_is_said() {
    let over = |protocol| [("allocator", "system"), ("protocol", protocol), ("runtime", "multi_thread")];
    let build = |subject: &str, protocol, bytes| {
        let cell = cell(subject, "inflight-event", "rss", &over(protocol));
        let mut record = Builder::new()
            .subject("original", "level", "")
            .subject("mux", "level", "")
            .scenario("inflight-event", 1)
            .measured(&cell, &[PLAIN; 3])
            .build();
        common::held(&mut record, "inflight-event", bytes);
        record
    };
    let (mut record, other) = (build("original", "h1", 43_000), build("mux", "h2", 3_000));
    record.plan.cells.extend(other.plan.cells);
    record.samples.extend(other.samples);
    let shown = terminal::render(&record, None, false);
    let sentence = "takes least anonymous memory with `mux`: 2.9 KiB against 42.0 KiB of `original` over h1 (";
    assert!(shown.contains(sentence), "{shown}");
}

#[test]
fn what_a_request_in_flight_takes_is_in_every_format() {
    let factors = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];
    let mut record = Builder::new()
        .subject("original", "level", "")
        .subject("bare", "level", "")
        .scenario("inflight-event", 1)
        .measured(&cell("original", "inflight-event", "rss", &factors), &[PLAIN; 3])
        .build();
    common::held(&mut record, "inflight-event", 43_000);
    let mut other = Builder::new()
        .scenario("inflight-event", 1)
        .measured(&cell("bare", "inflight-event", "rss", &factors), &[PLAIN; 3])
        .build();
    common::held(&mut other, "inflight-event", 5_000);
    record.plan.cells.extend(other.plan.cells);
    record.samples.extend(other.samples);
    let sentence = "In `inflight-event` one more request in flight takes least anonymous memory with `bare`: 4.9 KiB against 42.0 KiB of `original` \
                    (generateContent, 2,048 B answers, h1 over TLS, 143 roots, multi_thread, mock target; median of 3 processes).";
    let shown = terminal::render(&record, None, false);
    assert!(shown.contains(sentence) && shown.contains("anon/in flight") && !shown.contains("anon growth"), "{shown}");
    let markdown = text(&record, Format::Markdown);
    assert!(markdown.contains("**4.9 KiB ± 1 B** (0.12×)"), "{markdown}");
    let csv = text(&record, Format::Csv);
    let row =
        "bare,inflight-event,rss,system,multi_thread,h1,,,,ok,,,in-flight,,proc.anon,bytes,3,5001,1,5000,5002,varies";
    assert!(csv.contains(row), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&text(&record, Format::Json)).unwrap();
    let figures = json["cells"][1]["figures"].as_array().unwrap();
    let cost = figures.iter().find(|f| f["form"] == "in-flight" && f["metric"] == "proc.anon").unwrap();
    assert_eq!((&cost["median"], &cost["samples"], &cost["unit"]), (&5001.into(), &3.into(), &"bytes".into()));
    let html = text(&record, Format::Html);
    assert!(html.contains("Anonymous memory by requests in flight") && !html.contains("Growth of anonymous memory<"));
}

#[test]
fn a_byte_ledger_is_in_the_terminal_and_in_markdown() {
    let record = common::ledger(-73_728, "libx.so");
    let terminal = plimsoll_reports::terminal::render(&record, None, false);
    assert!(terminal.contains("where memory lives, chat"), "{terminal}");
    let row = terminal.lines().skip_while(|line| !line.contains("where memory lives")).find(|l| l.contains("original"));
    let row: Vec<&str> = row.expect("a row").split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(row[row.len() - 2], "−72.0 KiB", "{row:?}");
    let markdown = text(&record, Format::Markdown);
    assert!(markdown.contains("### Where memory lives, chat\n"), "{markdown}");
    assert!(markdown.lines().any(|line| line.starts_with("| original |") && line.contains(" −72.0 | ")), "{markdown}");
}

#[test]
fn junit_has_a_case_for_each_cell_and_says_why_one_fails() {
    let xml = text(&common::quick(), Format::Junit);
    assert_eq!(xml.matches("<testcase ").count(), common::quick().plan.cells.len());
    assert!(xml.contains("wrong-answer: the answers’ checksum is 7, expected 9"), "{xml}");
    assert!(xml.contains("<skipped message=\"sample 0: unavailable: python3 is not installed"), "{xml}");
    let hostile = text(&common::hostile(), Format::Junit);
    assert!(!hostile.contains("<script>") && !hostile.contains("]]>") && !hostile.contains('\u{1b}'));
}

#[test]
fn a_report_of_some_subjects_has_nothing_of_the_others() {
    let record = plimsoll_reports::only::subjects(common::quick(), &["ultra".to_owned()]).unwrap();
    let csv = text(&record, Format::Csv);
    assert!(csv.contains("ultra,chat") && !csv.contains("original,") && !csv.contains("python,"));
    let error = plimsoll_reports::only::subjects(common::quick(), &["nobody".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "the record has no subject `nobody`: it has original, optimized, ultra, python");
    assert_eq!(plimsoll_reports::only::subjects(common::quick(), &[]).unwrap(), common::quick());
}

#[test]
fn benches_are_in_markdown_and_json() {
    let record = common::benched();
    let markdown = text(&record, Format::Markdown);
    let row = "| sse · stream | SseReader | **2.05 µs (2.00 µs to 2.11 µs)** | 0 B = | 0 = | 2.76 GiB/s |";
    assert!(markdown.contains(row), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&text(&record, Format::Json)).unwrap();
    assert_eq!(json["benches"][0]["measure"], "time");
    assert_eq!(json["benches"][0]["median"], 2_049.5);
    assert!(!text(&small(), Format::Markdown).contains("Benches"));
}
