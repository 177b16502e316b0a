//! A program holds one level and one allocator: what else is linked in would move the figures at `start`.

mod common;

use std::process::Command;

use common::{levels, program};

/// The levels, by their modules' names, and the level that one is made of.
const LEVELS: [(&str, &str, &str); 8] = [
    ("original", "gemini_original", ""),
    ("optimized", "gemini_optimized", ""),
    ("ultra", "gemini_ultra_optimized", ""),
    ("bare", "gemini_bare_http", ""),
    ("isolated", "gemini_process_isolated", "original"),
    ("proxied", "gemini_proxied", "bare"),
    ("mux", "gemini_mux", ""),
    ("libcurl", "gemini_libcurl", ""),
];

#[test]
fn a_program_holds_no_other_level_and_no_other_allocator() {
    for (level, _, base) in LEVELS.into_iter().filter(|(level, ..)| levels().contains(level)) {
        for allocator in ["system", "jemalloc", "dhat"] {
            let program = format!("{level}-{allocator}");
            let symbols = symbols(&program);
            for (other, module, _) in LEVELS {
                if other != base {
                    assert_eq!(has_code_of(&symbols, module), other == level, "{program} and {module}");
                }
            }
            assert_eq!(symbols.contains("curl_easy_"), level == "libcurl", "{program} and libcurl's own code");
            // `_rjem_je_` is jemalloc's own prefix inside; one object of it would bring its constructor along.
            assert_eq!(symbols.contains("_rjem_"), allocator == "jemalloc", "{program}");
            assert_eq!(symbols.contains("dhat"), allocator == "dhat", "{program}");
            // Unprefixed, jemalloc would be the C heap's allocator too.
            let own = |name: &str| symbols.lines().any(|line| line.ends_with(name) && !line.contains(" U "));
            assert!(
                ![" malloc", " free", " calloc", " realloc"].into_iter().any(own),
                "{program} brings its own malloc"
            );
        }
    }
}

/// The package of `libcurl` has no probes of its own.
#[test]
fn a_probe_holds_no_level() {
    if levels().len() > 1 {
        let probe = symbols("probe-null");
        assert!(!probe.contains("plimsoll_providers") && !probe.contains("reqwest"));
    }
}

/// What a rung of the ladder may hold: only what it names.
#[test]
fn a_rung_holds_the_components_that_it_names_and_no_more() {
    const NAMED: [(&str, &[&str]); 12] = [
        ("main", &[]),
        ("tokio", &["tokio"]),
        ("tokio-multi", &["tokio"]),
        ("dns", &["tokio"]),
        ("http", &["tokio", "httparse"]),
        ("tls-roots-ring", &["tokio", "httparse", "rustls", "ring_core"]),
        ("tls-roots", &["tokio", "httparse", "rustls", "aws_lc_0"]),
        ("tls-system", &["tokio", "httparse", "rustls", "aws_lc_0", "rustls_native_certs"]),
        ("tls-ring", &["tokio", "httparse", "rustls", "ring_core"]),
        ("tls-aws-lc", &["tokio", "httparse", "rustls", "aws_lc_0"]),
        ("reqwest", &["tokio", "httparse", "rustls", "aws_lc_0", "reqwest", "hyper"]),
        ("json", &["tokio", "httparse", "rustls", "aws_lc_0", "reqwest", "hyper", "serde_json"]),
    ];
    const ALL: [&str; 9] = [
        "tokio",
        "httparse",
        "rustls",
        "ring_core",
        "aws_lc_0",
        "rustls_native_certs",
        "reqwest",
        "hyper",
        "serde_json",
    ];
    if levels().len() == 1 {
        return; // the package of `libcurl` has no rungs
    }
    for (rung, named) in NAMED {
        let symbols = symbols(&format!("rung-{rung}"));
        for component in ALL {
            let of: Vec<&str> = symbols.lines().filter(|line| line.contains(component)).collect();
            // rustls is built with both kinds of cryptography, as for the levels, and with ring alone AWS-LC leaves its constructor.
            let left = component == "aws_lc_0" && named.contains(&"ring_core") && of.len() < 40;
            // reqwest brings the reader of the system's roots, which a program that pins its own does not call.
            let unused = component == "rustls_native_certs" && named.contains(&"reqwest");
            assert!(of.is_empty() != named.contains(&component) || left || unused, "{rung} and {component}: {of:#?}");
        }
        assert!(
            !symbols.contains("plimsoll_providers") && !symbols.contains("plimsoll_subjects"),
            "{rung} and a level"
        );
    }
}

/// Whether a function of `module` is among the symbols. What drops a value is not: functions that are alike are folded into one, which
/// keeps one name, so that the lock of one level may be released by what is called after another's.
fn has_code_of(symbols: &str, module: &str) -> bool {
    symbols.lines().any(|line| line.contains(module) && !line.contains("drop_in_place"))
}

fn symbols(name: &str) -> String {
    let output = Command::new("nm").arg(program(name)).output().expect("nm comes with cc: install binutils");
    assert!(output.status.success(), "{name}");
    // Where functions have the same code one is kept, under any of their names; only what frees a vector or a text is so common.
    let named = |line: &&str| !line.contains("drop_in_place");
    String::from_utf8_lossy(&output.stdout).lines().filter(named).map(|line| format!("{line}\n")).collect()
}
