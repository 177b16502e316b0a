//! Synthetic records. Every figure here is made up, and the environment says so, so that none can be taken for a result.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod sites;

use std::collections::BTreeMap;

use plimsoll_reports::record::*;

/// Builds a record cell by cell.
pub(crate) struct Builder {
    record: Record,
}

/// What a made-up process does.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Anonymous bytes at start.
    pub(crate) start: i64,
    /// Anonymous bytes that the first 20 requests add.
    pub(crate) growth: i64,
    /// File bytes that they touch.
    pub(crate) file: i64,
    /// Bytes that each request leaks.
    pub(crate) leak: i64,
    /// Bytes that appear once between request 64 and 128.
    pub(crate) step: i64,
    /// Allocations per request.
    pub(crate) allocs: i64,
    /// Bytes asked for per request.
    pub(crate) bytes: i64,
    /// Microseconds per request.
    pub(crate) micros: u64,
}

pub(crate) const PLAIN: Shape = Shape {
    start: 200_704,
    growth: 733_184,
    file: 3_670_016,
    leak: 0,
    step: 0,
    allocs: 119,
    bytes: 13_412,
    micros: 410,
};

pub(crate) const STEPS: [u64; 4] = [20, 64, 128, 256];

pub(crate) fn factors(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn cell(subject: &str, scenario: &str, probe: &str, pairs: &[(&str, &str)]) -> Cell {
    Cell { subject: subject.into(), scenario: scenario.into(), probe: probe.into(), factors: factors(pairs) }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            record: Record {
                schema: SCHEMA.into(),
                id: "20200102-030405-fake".into(),
                started: "2020-01-02T03:04:05Z".parse().unwrap(),
                finished: Some("2020-01-02T03:14:05Z".parse().unwrap()),
                tool: Tool { version: "0.0.0-synthetic".into(), git: Some("0123abc".into()), dirty: true },
                environment: Environment {
                    kernel: "Linux 0.0 (synthetic)".into(),
                    cpu: "No Such CPU".into(),
                    arch: "x86_64".into(),
                    cores: 2,
                    memory: 8 << 30,
                    page_size: 4096,
                    thp: "madvise; off for subjects".into(),
                    libc: "glibc 0.0".into(),
                    rustc: "rustc 0.0".into(),
                    profile: "release (lto off)".into(),
                    aslr_off: true,
                    open_files: Some(16_384),
                    subject_env: factors(&[("MALLOC_ARENA_MAX", "1")]),
                    lockfile: Some("ab".repeat(32)),
                    corpus: "cd".repeat(32),
                    trust: Trust { roots: 143, digest: "ef".repeat(32) },
                    jemalloc: factors(&[("opt.narenas", "1"), ("opt.tcache", "false")]),
                    target: "mock".into(),
                },
                plan: Plan { suite: "synthetic".into(), seed: 7, subjects: vec![], scenarios: vec![], cells: vec![] },
                samples: vec![],
                frames: vec![],
                sites: vec![],
                benches: vec![],
            },
        }
    }

    pub(crate) fn subject(mut self, id: &str, kind: &str, description: &str) -> Self {
        self.record.plan.subjects.push(SubjectInfo {
            id: id.into(),
            description: description.into(),
            kind: kind.into(),
            below: None,
        });
        self
    }

    /// A rung of a ladder, above another or the first.
    pub(crate) fn rung(self, id: &str, below: Option<&str>) -> Self {
        let mut with = self.subject(id, "rung", "a made-up component");
        with.record.plan.subjects.last_mut().unwrap().below = below.map(str::to_owned);
        with
    }

    pub(crate) fn scenario(mut self, id: &str, in_flight: u64) -> Self {
        let stream = id.contains("stream");
        self.record.plan.scenarios.push(ScenarioInfo {
            id: id.into(),
            description: format!("made-up work {id}"),
            method: if stream { "streamGenerateContent" } else { "generateContent" }.into(),
            in_flight,
            body_bytes: Some(2_048),
            events: stream.then_some(50),
            deterministic: in_flight == 1,
            steps: STEPS.to_vec(),
            held: vec![],
        });
        self
    }

    /// A cell with one sample for each shape.
    pub(crate) fn measured(mut self, cell: &Cell, shapes: &[Shape]) -> Self {
        self.plan(cell, shapes.len());
        for (index, shape) in shapes.iter().enumerate() {
            let order = self.record.samples.len();
            self.record.samples.push(sample(cell, index, order, shape));
        }
        self
    }

    /// A sample that does not count, added to its cell.
    pub(crate) fn failed(mut self, cell: &Cell, status: Status, error: &str) -> Self {
        self.plan(cell, 1);
        let index = self.record.samples.iter().filter(|sample| sample.cell == *cell).count();
        // It carries figures all the same, and absurdly good ones: they must not be used.
        let mut sample =
            sample(cell, index, self.record.samples.len(), &Shape { growth: 1, allocs: 0, bytes: 0, ..PLAIN });
        sample.status = status;
        sample.error = Some(error.into());
        self.record.samples.push(sample);
        self
    }

    fn plan(&mut self, cell: &Cell, samples: usize) {
        let samples = u32::try_from(samples).unwrap();
        match self.record.plan.cells.iter_mut().find(|planned| planned.cell == *cell) {
            Some(planned) => planned.samples += samples,
            None => self.record.plan.cells.push(PlannedCell { cell: cell.clone(), samples }),
        }
    }

    pub(crate) fn build(self) -> Record {
        self.record
    }
}

/// Makes every sample of a scenario one that was read with 1, 10, 100 and 1,000 requests held: `per_request` bytes for each, the samples 900 bytes
/// apart in all, and a tenth of it when they are answered.
pub(crate) fn held(record: &mut Record, scenario: &str, per_request: i64) {
    const HELD: [u64; 4] = [1, 10, 100, 1_000];
    let info = record.plan.scenarios.iter_mut().find(|info| info.id == scenario).unwrap();
    (info.steps, info.held, info.in_flight) = (vec![], HELD.to_vec(), 1_000);
    for sample in record.samples.iter_mut().filter(|sample| sample.cell.scenario == scenario) {
        sample.latency = None;
        let start = sample.checkpoints.iter().find(|c| c.name == "start").unwrap().clone();
        sample.checkpoints.retain(|c| ["start", "runtime", "client"].contains(&c.name.as_str()));
        let more = 900 * i64::from(sample.index);
        let point = |name: String, requests: u64, bytes: i64| Checkpoint {
            name,
            requests,
            at_ms: 100.0,
            metrics: start.metrics.iter().map(|(key, value)| (key.clone(), value + bytes)).collect(),
            processes: vec![],
            sites: vec![],
            memory: None,
        };
        let mut done = 0;
        for count in HELD {
            let bytes = i64::try_from(count).unwrap() * per_request + if count == 1_000 { more } else { 0 };
            sample.checkpoints.push(point(format!("held@{count}"), done, bytes));
            done += count;
            sample.checkpoints.push(point(format!("after@{count}"), done, bytes / 10));
        }
    }
}

fn sample(cell: &Cell, index: usize, order: usize, shape: &Shape) -> Sample {
    let points = [("start", 0), ("runtime", 0), ("client", 0), ("first", 1)]
        .into_iter()
        .map(|(name, requests)| (name.to_owned(), requests))
        .chain(STEPS.iter().map(|step| (format!("steady@{step}"), *step)))
        .chain([("idle".to_owned(), 256), ("dropped".to_owned(), 256)]);
    let checkpoints = points.enumerate().map(|(at, (name, requests))| Checkpoint {
        metrics: metrics(&cell.probe, shape, at, i64::try_from(requests).unwrap()),
        name,
        requests,
        at_ms: 12.5 * f64::from(u32::try_from(at).unwrap()),
        processes: vec![],
        sites: vec![],
        memory: None,
    });
    let mapping = |name: &str, rss: i64, anon: i64| Mapping {
        name: name.into(),
        rss: u64::try_from(rss).unwrap(),
        anon: u64::try_from(anon).unwrap(),
        size: u64::try_from(rss * 2).unwrap(),
    };
    Sample {
        cell: cell.clone(),
        index: u32::try_from(index).unwrap(),
        order: u32::try_from(order).unwrap(),
        started: "2020-01-02T03:05:00Z".parse().unwrap(),
        status: Status::Ok,
        error: None,
        greeting: factors(&[("subject", &cell.subject), ("profile", "release")]),
        checkpoints: checkpoints.collect(),
        mappings: if cell.probe == "rss" {
            vec![
                mapping(&format!("subject-{}", cell.subject), shape.file, shape.start / 4),
                mapping("libc.so.6", 1_200_128, 20_480),
                mapping("[heap]", shape.growth, shape.growth),
                mapping("[anon]", shape.start, shape.start),
                mapping("[stack]", 45_056, 45_056),
                mapping("other", 200_704, 24_576),
            ]
        } else {
            vec![]
        },
        processes: vec![],
        answers: Answers {
            asked: 256,
            answered: 256,
            seen: Some(256),
            crc: "123456789012".into(),
            expected: Some("123456789012".into()),
            protocol: cell.factors.get("protocol").cloned().unwrap_or_else(|| "h1".into()),
            unpaced: Some(0),
        },
        latency: (cell.probe == "rss").then_some(Latency {
            p50_us: shape.micros,
            p90_us: shape.micros * 2,
            p99_us: shape.micros * 4,
            max_us: shape.micros * 9,
        }),
        profile: None,
        unattributed: None,
    }
}

/// What stands in memory at the checkpoint in that place: a tenth with the runtime, the rest over client, first request and the next 19.
fn metrics(probe: &str, shape: &Shape, at: usize, requests: i64) -> BTreeMap<String, i64> {
    let tenths = [0, 1, 4, 8, 10, 10, 10, 10, 9, 2][at];
    let step = if requests >= 128 && at < 9 { shape.step } else { 0 };
    let leaked = (requests - 20).max(0) * shape.leak;
    let anon = shape.start + shape.growth * tenths / 10 + step + leaked;
    let file = 1_921_024 + shape.file * tenths.min(10) / 10;
    let live = 60_000 + (shape.growth / 2) * tenths / 10 + step + leaked;
    let pairs: Vec<(&str, i64)> = match probe {
        "rss" => vec![
            ("proc.rss", anon + file),
            ("proc.anon", anon),
            ("proc.file", file),
            ("proc.pss", anon + file - 400_000),
            ("proc.lazyfree", 0),
            ("proc.hwm", anon + file + 131_072),
            ("proc.swap", 0),
            ("proc.threads", 3),
        ],
        "count" => vec![
            ("heap.allocs", 900 + requests * shape.allocs),
            ("heap.bytes", 400_000 + requests * shape.bytes),
            ("heap.reallocs", 90 + requests * 9),
            ("heap.frees", 700 + requests * shape.allocs),
            ("heap.live", live),
            ("heap.peak", live + 70_000),
        ],
        "jemalloc" => vec![
            ("jemalloc.allocated", live),
            ("jemalloc.active", live + 40_000),
            ("jemalloc.metadata", 2_600_000),
            ("jemalloc.resident", live + 2_900_000),
            ("jemalloc.mapped", live + 5_000_000),
            ("jemalloc.retained", 1_000_000),
            ("cheap.live", 20_000),
        ],
        "dhat" if at == 9 => vec![("dhat.total", 9_000_000), ("dhat.t_gmax", live), ("dhat.t_end", 1_024)],
        _ => vec![],
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// `shape` in `n` processes whose memory differs by pages.
pub(crate) fn varied(shape: Shape, n: i64) -> Vec<Shape> {
    (0..n)
        .map(|at| Shape {
            growth: shape.growth + 4096 * ((at * 7) % 5 - 2),
            file: shape.file + 4096 * ((at * 3) % 7 - 3),
            ..shape
        })
        .collect()
}

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
