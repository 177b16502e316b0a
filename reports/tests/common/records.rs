//! Whole records, each of something that a report can hold.

use super::*;

/// A record like a quick run's: four subjects, two scenarios, all probes, one failure and one subject that is unavailable.
pub(crate) fn quick() -> Record {
    let levels = [
        ("original", PLAIN),
        ("optimized", Shape { growth: 602_112, file: 3_538_944, allocs: 104, bytes: 9_870, micros: 395, ..PLAIN }),
        (
            "ultra",
            Shape { growth: 421_888, file: 2_883_584, allocs: 31, bytes: 2_210, micros: 620, step: 9_000, ..PLAIN },
        ),
    ];
    let python = Shape {
        start: 5_242_880,
        growth: 2_097_152,
        file: 1_048_576,
        allocs: 710,
        bytes: 98_304,
        leak: 16,
        micros: 1_450,
        step: 0,
    };
    let mut b = Builder::new()
        .subject("original", "level", "reqwest as it comes, serde_json, buffered: what most people write")
        .subject("optimized", "level", "pooled buffers, lazy components, a smaller connection pool")
        .subject("ultra", "level", "the ten techniques of the old report")
        .subject("python", "baseline", "http.client of the standard library")
        .scenario("chat", 1)
        .scenario("stream", 1);
    for scenario in ["chat", "stream"] {
        for (level, shape) in levels {
            let system = [("allocator", "system"), ("crypto", "aws-lc"), ("protocol", "h1")];
            let with = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
                system.iter().chain(more).copied().collect()
            };
            let threads = with(&[("runtime", "multi_thread")]);
            b = b.measured(
                &cell(level, scenario, "rss", &threads),
                &varied(Shape { growth: shape.growth + 98_304, ..shape }, 5),
            );
            if scenario == "chat" {
                let current = with(&[("runtime", "current_thread")]);
                b = b.measured(&cell(level, scenario, "rss", &current), &varied(shape, 5));
            }
            let current = with(&[("runtime", "current_thread")]);
            b = b.measured(&cell(level, scenario, "count", &current), &[shape; 2]);
            let own = |allocator| -> Vec<(&str, &str)> {
                current.iter().map(|(k, v)| if *k == "allocator" { (*k, allocator) } else { (*k, *v) }).collect()
            };
            b = b.measured(&cell(level, scenario, "jemalloc", &own("jemalloc")), &[shape; 2]);
            b = b.measured(&cell(level, scenario, "dhat", &own("dhat")), &[shape]);
        }
        let plain = [("allocator", "system"), ("protocol", "h1")];
        b = b.measured(&cell("python", scenario, "rss", &plain), &varied(python, 5));
        b = b.failed(
            &cell("python", scenario, "count", &plain),
            Status::Unavailable,
            "python3 is not installed: install it, or leave the subject out",
        );
    }
    let broken = cell(
        "ultra",
        "stream",
        "rss",
        &[("allocator", "system"), ("crypto", "aws-lc"), ("protocol", "h1"), ("runtime", "multi_thread")],
    );
    b.failed(&broken, Status::WrongAnswer, "the answers’ checksum is 7, expected 9: the subject dropped text").build()
}

/// A record of the base level and two peers, one of which can choose its runtime and was counted, and a third that is not there.
pub(crate) fn peers() -> Record {
    let mut b = Builder::new()
        .subject("original", "level", "reqwest as it comes")
        .subject("genai", "peer", "the crate genai")
        .subject("httpx", "peer", "one client of httpx")
        .subject("absent", "peer", "not installed")
        .scenario("chat", 1);
    let genai = Shape { growth: 2_097_152, allocs: 196, bytes: 20_000, micros: 820, ..PLAIN };
    for (name, shape) in [("original", PLAIN), ("genai", genai)] {
        for (runtime, micros) in [("current_thread", 410), ("multi_thread", 500)] {
            let micros = if name == "original" { micros } else { shape.micros };
            let with = [("allocator", "system"), ("protocol", "h1"), ("runtime", runtime)];
            b = b.measured(&cell(name, "chat", "rss", &with), &[Shape { micros, ..shape }; 2]);
        }
        let one = [("allocator", "system"), ("protocol", "h1"), ("runtime", "current_thread")];
        b = b.measured(&cell(name, "chat", "count", &one), &[shape; 2]);
    }
    let plain = [("allocator", "system"), ("protocol", "h1")];
    b = b.measured(&cell("httpx", "chat", "rss", &plain), &[Shape { growth: 10_485_760, micros: 1_250, ..PLAIN }; 2]);
    let reason = "absent is not there; to get it: make peers";
    let mut record = b.failed(&cell("absent", "chat", "rss", &plain), Status::Unavailable, reason).build();
    for sample in &mut record.samples {
        let build = match sample.cell.subject.as_str() {
            "original" => "0.1.0+0123456789abcdef",
            "genai" => "0.7.2+0123456789abcdef",
            _ => "0.28.1+python3.11.7",
        };
        sample.greeting.insert("build".to_owned(), build.to_owned());
    }
    record
}

/// A record whose every string is hostile.
pub(crate) fn hostile() -> Record {
    let nasty = [
        "<script>alert(1)</script>".to_owned(),
        "]]></script><img src=x onerror=alert(1)>".to_owned(),
        "\u{202e}drowssap\u{2066}\u{200f}".to_owned(),
        "x".repeat(10_000),
        "\"' onload=\"alert(1)\" | `code` **b** @everyone <!-- \u{1b}[31m \u{2028} &amp; /home/user/secret".to_owned(),
        "=HYPERLINK(\"http://evil.example\")".to_owned(),
    ];
    let mut b = Builder::new();
    for name in &nasty {
        b = b.subject(name, name, name).scenario(name, 1);
    }
    for (at, name) in nasty.iter().enumerate() {
        let scenario = &nasty[(at + 1) % nasty.len()];
        let pairs = [("allocator", name.as_str()), (name.as_str(), name.as_str())];
        b = b.measured(&cell(name, scenario, "rss", &pairs), &varied(PLAIN, 3));
        b = b.measured(&cell(name, scenario, "count", &pairs), &varied(PLAIN, 3));
        b = b.measured(&cell(name, scenario, "dhat", &pairs), &varied(PLAIN, 1));
        b = b.failed(&cell(name, scenario, "count", &pairs), Status::Failed, name);
    }
    let mut record = b.build();
    for name in &nasty {
        sites::put(&mut record, Some(name));
        record.samples[0].unattributed = Some(name.clone());
    }
    record.environment.target = format!("https://user:canary-password@host.example/?key={}", nasty[0]);
    record.environment.kernel = nasty[4].clone();
    record.environment.subject_env = factors(&[(&nasty[0], &nasty[1])]);
    record.tool.git = Some(nasty[0].clone());
    record.plan.suite = nasty[1].clone();
    for sample in &mut record.samples {
        sample.mappings.push(Mapping { name: nasty[0].clone(), rss: 4096, anon: 0, size: 4096 });
        sample.greeting.insert(nasty[0].clone(), nasty[1].clone());
        for checkpoint in &mut sample.checkpoints {
            checkpoint.metrics.insert(nasty[0].clone(), 1);
        }
    }
    record
}

/// A record with the byte ledger of three processes, of which the middle one has `unexplained` bytes that are in no line, and a mapping of that
/// name.
pub(crate) fn ledger(unexplained: i64, mapping: &str) -> Record {
    let cell = cell("original", "chat", "ledger", &[("allocator", "system"), ("protocol", "h1")]);
    let builder = Builder::new().subject("original", "level", "what most people write").scenario("chat", 1);
    let mut record = builder.measured(&cell, &[PLAIN, PLAIN, PLAIN]).build();
    let area = |name: &str, permissions: &str, kind, rss: u64, anon| Area {
        name: name.into(),
        permissions: permissions.into(),
        kind,
        rss,
        anon,
        size: rss,
    };
    for sample in &mut record.samples {
        let apart = 4_096 * (i64::from(sample.index) - 1);
        for checkpoint in &mut sample.checkpoints {
            let growth = if checkpoint.name == "start" { 0 } else { 102_400 };
            let used = u64::try_from(200_000 + growth).unwrap();
            let blocks = Blocks { blocks: 500, bytes: used, resident: used };
            let areas = vec![
                area("[heap]", "rw-p", AreaKind::Heap, used, used),
                area("original-system", "r-xp", AreaKind::Program, 4_194_304, 0),
                area(mapping, "r--p", AreaKind::File, 1_048_576, 0),
            ];
            let all: u64 = areas.iter().map(|area| area.rss).sum();
            let rss = i64::try_from(all).unwrap() + unexplained + apart;
            let metrics = [
                ("proc.rss", rss),
                ("heap.live", 196_000 + growth),
                ("rust.live", 90_000),
                ("rust.usable", 92_000),
                ("proc.sockets", 4_608),
            ];
            checkpoint.metrics = metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let heap = Some(Heap { used: blocks, ..Heap::default() });
            checkpoint.memory = Some(Memory { areas, heap });
        }
    }
    record
}

/// The smallest record, with benches of two readers, in both measures, and of a level.
pub(crate) fn benched() -> Record {
    let mut record = Builder::new().build();
    let bench = |function: &str, measure, [low, median, high]: [f64; 3]| Bench {
        group: "sse".into(),
        function: function.into(),
        input: Some("stream".into()),
        measure,
        median,
        low,
        high,
        confidence: 0.95,
        samples: 40,
        reads: Some(6_066),
    };
    record.benches = vec![
        bench("SseReader", Measure::Time, [2_001.0, 2_049.5, 2_110.0]),
        bench("other", Measure::Time, [11_201.0, 11_300.0, 11_406.0]),
        Bench {
            group: "levels/chat".into(),
            input: None,
            reads: None,
            ..bench("bare", Measure::Time, [99_000.0, 100_000.0, 101_000.0])
        },
        bench("SseReader", Measure::Bytes, [0.0; 3]),
        bench("other", Measure::Bytes, [34_410.0; 3]),
        bench("SseReader", Measure::Allocations, [0.0; 3]),
        bench("other", Measure::Allocations, [37.0; 3]),
    ];
    record
}
