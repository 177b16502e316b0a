//! What everything that has a name means: metrics, figures, checkpoints, probes, factors, scenarios, outcomes, words; of a project, its subjects,
//! suites and techniques.
//!
//! - `documents`: tables of the documents, which are where most of it is defined
//! - `names`: all names, gathered from there and from the code that goes by them
//!
//! What is known of a cell is `plimsoll_reports::explain`.

mod documents;
mod names;

pub use names::all;

use plimsoll_reports::derive::Figure;
use plimsoll_reports::metric;

use crate::config::Project;
use crate::spelling::nearest;

/// Something that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// Of what sort it is: `metric`.
    pub sort: &'static str,
    /// What it is called: its name, and others for it.
    pub names: Vec<String>,
    /// What it is.
    pub meaning: String,
    /// What else is known: a word for it, and a text.
    pub facts: Vec<(&'static str, String)>,
}

/// A name that is none, and those that are like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The name that is spelled most like it, if any is.
    pub nearest: Option<String>,
}

/// All that a name means, in the order of [`all`]: `client` is a checkpoint and a scenario. A figure may be named in full, `growth proc.anon`.
///
/// # Errors
/// When nothing is called so.
pub fn find(project: Option<&Project>, name: &str) -> Result<Vec<Meaning>, Unknown> {
    let mut all = all(project);
    let known: Vec<String> = all.iter().flat_map(|meaning| meaning.names.iter().cloned()).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let is = |wanted: &str, meaning: &Meaning| meaning.names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    for wanted in spellings(&name) {
        if all.iter().any(|meaning| is(&wanted, meaning)) {
            all.retain(|meaning| is(&wanted, meaning));
            return Ok(all);
        }
    }
    if let Ok(figure) = name.parse::<Figure>() {
        return of_figure(&figure, &all).map(|meaning| vec![meaning]);
    }
    // Further ones of a kind: `steady@1000` is read as `steady@128` is.
    if let Some((kind, number)) = name.split_once('@')
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        let of_kind =
            |meaning: &&Meaning| meaning.names.iter().any(|name| name.split_once('@').is_some_and(|(k, _)| k == kind));
        if let Some(last) = all.iter().rfind(of_kind) {
            return Ok(vec![Meaning {
                names: vec![name],
                meaning: format!("as {}: {}", last.names[0], last.meaning),
                ..last.clone()
            }]);
        }
    }
    Err(Unknown { nearest: nearest(&name.to_lowercase(), known.iter().map(String::as_str)).map(str::to_owned) })
}

/// A name as it is written, and its singular.
fn spellings(name: &str) -> Vec<String> {
    let without = |end: &str| name.strip_suffix(end).map(str::to_owned);
    [Some(name.to_owned()), without("s"), without("es")].into_iter().flatten().collect()
}

/// A figure in full: its form, and what it is made of.
fn of_figure(figure: &Figure, all: &[Meaning]) -> Result<Meaning, Unknown> {
    let form = match figure {
        Figure::At { .. } => "level at a checkpoint",
        Figure::Since { .. } | Figure::Growth(_) => "growth",
        Figure::Slope(_) => "slope",
        Figure::Step(_) => "step",
        Figure::Residue(_) => "residue",
        Figure::PerRequest(_) => "per request",
        Figure::InFlight(_) => "in-flight cost",
        Figure::Latency(percentile) => percentile.name(),
    };
    let find = |name: &str| all.iter().find(|meaning| meaning.names.iter().any(|known| known == name));
    let form = find(form).ok_or(Unknown { nearest: None })?;
    let mut facts: Vec<(&'static str, String)> = form.facts.clone();
    if let Some((point, meaning)) = figure.checkpoint().and_then(|point| Some((point, find(point)?))) {
        facts.push(("checkpoint", format!("{point}: {}", meaning.meaning)));
    }
    if !matches!(figure, Figure::Latency(_)) {
        let known = metric::METRICS.iter().map(|metric| metric.id);
        let Some(metric) = metric::find(figure.metric()) else {
            return Err(Unknown { nearest: nearest(figure.metric(), known).map(str::to_owned) });
        };
        facts.push(("metric", format!("{}: {}", metric.id, metric.definition)));
        facts.extend(
            find(metric.id)
                .into_iter()
                .flat_map(|meaning| meaning.facts.clone())
                .filter(|(what, _)| *what != "figures"),
        );
    }
    Ok(Meaning { sort: "figure", names: vec![figure.to_string()], meaning: form.meaning.clone(), facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> Meaning {
        let mut found = find(None, name).unwrap_or_else(|unknown| panic!("{name}: {unknown:?}"));
        assert_eq!(found.len(), 1, "{name}: {found:#?}");
        found.remove(0)
    }

    fn fact<'a>(meaning: &'a Meaning, what: &str) -> &'a str {
        let found = meaning.facts.iter().find(|(word, _)| *word == what);
        &found.unwrap_or_else(|| panic!("no {what}: {meaning:#?}")).1
    }

    #[test]
    fn a_metric_a_figure_and_a_checkpoint_are_told_by_their_own_definitions() {
        let metric = one("proc.anon");
        assert_eq!(metric.meaning, metric::find("proc.anon").expect("a metric").definition);
        assert!(fact(&metric, "of").contains("by the `rss` probe"), "{metric:#?}");
        let growth = one("growth");
        assert!(growth.meaning.contains("`steady@20` − `start`"), "{growth:#?}");
        assert!(growth.facts.iter().all(|(what, _)| *what != "formula"), "it would say the same again: {growth:#?}");
        assert!(fact(&one("residue"), "formula").contains("`dropped`"));
        assert!(one("steady@20").meaning.contains("20 requests done"));
        assert_eq!(one("warm"), one("steady@64"));
    }

    #[test]
    fn a_figure_in_full_has_its_form_its_checkpoint_and_its_metric() {
        let figure = one("proc.anon  at steady@20");
        assert_eq!(figure.names, ["proc.anon at steady@20"]);
        assert!(fact(&figure, "checkpoint").starts_with("steady@20: 20 requests done"));
        assert!(fact(&figure, "metric").starts_with("proc.anon: Of the RSS"));
        assert!(fact(&one("heap.allocs per request"), "formula").contains("/ 64"));
        assert!(fact(&one("proc.rss per request in flight"), "formula").contains("/ 900"));
        assert!(one("latency p90").meaning.contains("microseconds"));
        assert_eq!(find(None, "growth proc.ano").expect_err("no metric").nearest.as_deref(), Some("proc.anon"));
    }

    #[test]
    fn a_name_of_several_things_is_told_as_each_and_case_and_plural_do_not_matter() {
        let sorts: Vec<&str> = find(None, "client").expect("known").iter().map(|meaning| meaning.sort).collect();
        assert_eq!(sorts, ["checkpoint", "scenario"]);
        let sorts: Vec<&str> = find(None, "Ledger").expect("known").iter().map(|meaning| meaning.sort).collect();
        assert!(sorts.contains(&"probe"), "{sorts:?}");
        assert_eq!(find(None, "scenarios"), find(None, "scenario"));
        assert!(one("steady@3000").meaning.starts_with("as steady@128: "));
    }

    #[test]
    fn every_word_that_a_verdict_or_a_record_says_is_known_and_what_is_not_is_answered_with_the_nearest() {
        for word in
            ["inconclusive", "exact on one side", "UNDECIDED", "weakened", "wrong-answer", "killed", "noisy", "floor"]
        {
            assert!(find(None, word).is_ok(), "{word}");
        }
        assert_eq!(find(None, "inconclusiv").expect_err("misspelled").nearest.as_deref(), Some("inconclusive"));
        assert_eq!(find(None, "quite-something-else-altogether").expect_err("nothing").nearest, None);
    }

    #[test]
    fn nothing_that_is_told_is_empty() {
        for meaning in all(None) {
            assert!(!meaning.meaning.trim().is_empty() && !meaning.names.is_empty(), "{meaning:#?}");
            assert!(meaning.facts.iter().all(|(_, text)| !text.trim().is_empty()), "{meaning:#?}");
        }
    }
}
