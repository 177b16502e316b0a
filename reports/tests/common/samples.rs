//! What a made-up process shows at its checkpoints.

use super::*;

pub(super) fn sample(cell: &Cell, index: usize, order: usize, shape: &Shape) -> Sample {
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
