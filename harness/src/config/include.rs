//! Suites made of other suites: `include = ["full", "ladder"]`.

use super::{Config, Matrix, Suite, suggest};

/// A key and what is wrong with it.
type Wrong = (String, String);

/// Makes every suite that includes others one of its own: their subjects, scenarios and entries after its own, each entry with the subjects,
/// scenarios and samples that it has in its own suite. A cell that is in several is one cell, with the most samples that any of them has
/// (`plan::select`).
///
/// # Errors
/// The key of an `include` that names no suite, or one that includes others itself; and of a suite that has nothing to measure.
pub(super) fn resolve(config: &mut Config) -> Result<(), Wrong> {
    let written = config.suite.clone();
    for (name, suite) in &mut config.suite {
        if suite.include.is_empty() && (suite.subjects.is_empty() || suite.scenarios.is_empty()) {
            let message = "names no subjects or no scenarios; list both, or `include` other suites".to_owned();
            return Err((format!("suite.{name}"), message));
        }
        let own = suite.clone();
        suite.matrix.clear();
        add(suite, &own);
        for other in &own.include {
            let key = || format!("suite.{name}.include");
            let Some(included) = written.get(other) else {
                let known: Vec<String> = written.keys().cloned().collect();
                let hint = suggest(other, &known);
                return Err((key(), format!("no suite {other:?}{hint}; there are: {}", known.join(", "))));
            };
            if !included.include.is_empty() {
                let made_of = included.include.join("\", \"");
                return Err((key(), format!("{other:?} is made of others itself; name those instead: \"{made_of}\"")));
            }
            add(suite, included);
        }
    }
    Ok(())
}

fn add(suite: &mut Suite, other: &Suite) {
    for (own, new) in [(&mut suite.subjects, &other.subjects), (&mut suite.scenarios, &other.scenarios)] {
        for id in new {
            if !own.contains(id) {
                own.push(id.clone());
            }
        }
    }
    suite.matrix.extend(other.matrix.iter().map(|entry| Matrix {
        subjects: entry.subjects.clone().or_else(|| Some(other.subjects.clone())),
        scenarios: entry.scenarios.clone().or_else(|| Some(other.scenarios.clone())),
        samples: entry.samples.or(Some(other.samples)),
        ..entry.clone()
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"
        version = 1
        [[subject]]
        id = "a"
        command = ["x"]
        [[subject]]
        id = "b"
        command = ["x"]
        [suite.one]
        subjects = ["a"]
        scenarios = ["chat"]
        samples = { rss = 3 }
        matrix = [{ probes = ["rss"] }]
        [suite.two]
        subjects = ["b", "a"]
        scenarios = ["stream"]
        samples = { rss = 7 }
        matrix = [{ probes = ["rss"] }, { probes = ["count"], subjects = ["b"], samples = { count = 9 } }]
    "#;

    fn resolved(more: &str) -> Result<Config, Wrong> {
        let mut config = toml::from_str(&format!("{TWO}\n{more}")).expect("a valid test configuration");
        resolve(&mut config).map(|()| config)
    }

    #[test]
    fn what_is_included_keeps_its_own_subjects_scenarios_and_samples() {
        let config = resolved("[suite.both]\ninclude = [\"one\", \"two\"]").expect("resolves");
        let both = &config.suite["both"];
        assert_eq!(
            (&both.subjects[..], &both.scenarios[..]),
            (&["a".into(), "b".into()][..], &["chat".into(), "stream".into()][..])
        );
        let entries: Vec<_> = both
            .matrix
            .iter()
            .map(|m| (m.subjects.clone().unwrap_or_default(), m.scenarios.clone().unwrap_or_default(), m.samples))
            .map(|(subjects, scenarios, samples)| {
                (subjects.join(","), scenarios.join(","), samples.map(|s| (s.rss, s.count)))
            })
            .collect();
        let entry = |subjects: &str, scenario: &str, samples| (subjects.to_owned(), scenario.to_owned(), Some(samples));
        assert_eq!(entries, [entry("a", "chat", (3, 2)), entry("b,a", "stream", (7, 2)), entry("b", "stream", (5, 9))]);
    }

    #[test]
    fn a_suite_that_is_not_there_or_includes_others_or_nothing_is_refused() {
        let of = |more: &str| resolved(more).expect_err("wrong");
        let (key, message) = of("[suite.x]\ninclude = [\"tow\"]");
        assert!(key == "suite.x.include" && message.contains("did you mean \"two\"?"), "{key}: {message}");
        let (_, message) = of("[suite.x]\ninclude = [\"one\"]\n[suite.y]\ninclude = [\"x\"]");
        assert!(message.contains("name those instead: \"one\""), "{message}");
        let (key, message) = of("[suite.x]\ndescription = \"\"");
        assert!(key == "suite.x" && message.contains("`include` other suites"), "{key}: {message}");
    }
}
