//! The whole live path: the service's own host name, asked for in the handshake and checked in the certificate, both protocols by ALPN, a
//! key of the user's, the rate, the report.

use plimsoll::mock::control::key_digest;
use plimsoll_reports::record::Status;

use crate::common::{Project, assert_code, at, files_with, said};
use crate::identity::StandIn;

/// A key such as a user has; of the mock's own kind there is none here.
pub(crate) const KEY: &str = "canary-of-a-user-0123456789abcdefghijk";

pub(crate) const LIVE: &str = r#"
[suite.live]
subjects = ["original", "ultra", "bare"]
scenarios = ["live-chat", "live-stream"]
samples = { rss = 1 }
[[suite.live.matrix]]
probes = ["rss"]
runtimes = ["multi_thread"]
protocols = ["h1", "h2"]
[[subject]]
id = "bare"
command = ["{target}/bare-{allocator}"]
kind = "level"
runtimes = ["multi_thread"]
"#;

/// `plimsoll run --target live ARGS…` with the key.
pub(crate) fn live(project: &Project, stand_in: &StandIn, args: &[&str]) -> std::process::Output {
    let here = stand_in.here();
    let here: Vec<&str> = here.iter().map(String::as_str).collect();
    let args = [&["run", "--target", "live", "--out", "out"], &here[..], args].concat();
    project.command(&args).env("GEMINI_API_KEY", KEY).output().expect("plimsoll starts")
}

#[test]
fn the_live_path_runs_against_the_mock_in_every_part() {
    let project = Project::new(LIVE);
    let mut stand_in = StandIn::serving("chat");
    let run = live(&project, &stand_in, &["--rate", "60000", "--max-requests", "200"]);
    assert_code(&run, 0);
    let told = said(&run);
    // Three levels over h1 and two over h2, twenty requests in each of two scenarios.
    assert!(told.contains("200 requests to the live service, at most 60000 a minute"), "{told}");
    assert!(told.contains("Ctrl-C ends it") && told.contains("advisory"), "{told}");

    let stats = stand_in.mock.stats();
    assert_eq!((stats.requests, stats.keyless, stats.keys_in_url, stats.handshakes_failed), (200, 0, 0, 0));
    assert_eq!(stats.keys, [(key_digest(KEY), 200)].into());
    assert_eq!((stats.protocols.h1, stats.protocols.h2, stats.protocols.tls), (120, 80, 200));

    let record = project.record("out");
    let expected = format!("live, resolved to 127.0.0.1 port {}", stand_in.mock.port);
    assert_eq!((record.environment.target.as_str(), record.environment.trust.roots), (expected.as_str(), 1));
    assert_eq!(record.samples.len(), 10);
    for sample in &record.samples {
        assert_eq!((sample.status, &sample.error), (Status::Ok, &None));
        let answers = &sample.answers;
        assert_eq!((answers.asked, answers.answered, answers.seen), (20, 20, None));
        assert_eq!(answers.expected, None, "nobody knows what the live service serves");
        assert!(sample.latency.is_some_and(|latency| latency.p50_us > 0 && latency.p50_us <= latency.max_us));
        assert!(at(sample, "steady@20", "proc.anon") > at(sample, "start", "proc.anon"));
    }
    for file in ["index.html", "REPORT.md"] {
        let page = std::fs::read_to_string(project.path().join("out").join(file)).expect("a report");
        assert!(page.contains("advisory"), "{file} says what the figures are worth");
    }
    assert!(!told.contains(KEY));
    assert_eq!(files_with(project.path(), KEY), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_rate_is_held_to_by_the_harness() {
    let project = Project::new(LIVE);
    let stand_in = StandIn::serving("chat");
    let cell = ["-E", "original/live-chat", "-E", "protocol=h1", "--rate", "1200"];
    assert_code(&live(&project, &stand_in, &cell), 0);
    let record = project.record("out");
    let when = |name: &str| {
        let found = record.samples[0].checkpoints.iter().find(|checkpoint| checkpoint.name == name);
        found.expect("a checkpoint").at_ms
    };
    // Nineteen requests behind the first, a twentieth of a second apart. The first may have waited for its answer, not for its turn.
    let took = when("steady@20") - when("client");
    assert!(took >= 19.0 * 50.0, "{took} ms");
}
