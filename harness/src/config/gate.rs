//! `[gate]`, `[[budget]]` and `[[waiver]]`: what a change is judged by.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_reports::derive::Figure;
use plimsoll_reports::gate::{self, Rules, Wanted};
use plimsoll_reports::metric::{self, METRICS};
use plimsoll_reports::units::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, suggest};
use crate::plan::scenario;

/// How two sides are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Gate {
    /// The suite that is measured on both sides.
    pub suite: String,
    /// Pairs of processes in each of the two rounds that noisy figures are judged by.
    pub pairs: usize,
    /// Processes of a side that must agree before a figure counts as exact.
    pub exact: usize,
    /// How often, at most, one round calls a figure grown that is not.
    pub alpha: f64,
    /// Figures that are judged by statistics: a metric (its level after the last batch of work; of a counter, per request), or a figure as reports name
    /// it: `growth proc.anon`. Each needs a floor.
    pub family: Vec<String>,
    /// Increases that are let pass, by metric or figure; exact figures have none unless it is said here.
    pub floor: BTreeMap<String, Size>,
    /// Crates whose functions are blamed: `my-client`. Without any, all that lie in the project.
    pub own: Vec<String>,
    /// Paths that the base's side has from the base, with all else, the instrument, from the head: so both sides are measured by the same programs,
    /// and only what is named here differs. What comes first matters most: where the base does not build so, the last path is
    /// taken from the head too, and so on. Without any, the base's side is the base's checkout as it is.
    pub measured: Vec<String>,
    /// A command that builds what the suite measures, in each side's checkout, without a shell: in place of the subjects' own, which may build more.
    pub build: Option<Vec<String>>,
}

impl Default for Gate {
    fn default() -> Self {
        let Rules { pairs, exact, alpha, family, floors, .. } = Rules::default();
        Self {
            suite: "gate".to_owned(),
            pairs,
            exact,
            alpha,
            family: family.iter().map(ToString::to_string).collect(),
            floor: floors.iter().map(|(wanted, floor)| (wanted.to_string(), Size::Number(*floor))).collect(),
            own: Vec::new(),
            measured: Vec::new(),
            build: None,
        }
    }
}

/// A limit of the head alone, whatever the base is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budget {
    /// The subject's id.
    pub subject: String,
    /// The scenario; without it, each.
    #[serde(default)]
    pub scenario: Option<String>,
    /// The figure as reports name it: `growth proc.rss`, `heap.allocs per request`.
    pub metric: String,
    /// The most that its median may be.
    pub max: Size,
}

/// What is let pass on purpose, until a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Waiver {
    /// The cells, as `-E` takes them: `ultra/chat/count`.
    pub cell: String,
    /// The figure or metric; without it the cells are not judged at all, and may be missing.
    #[serde(default)]
    pub metric: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds: `2027-01-31`, without quotes.
    #[schemars(with = "String", extend("format" = "date"))]
    pub expires: toml::value::Datetime,
}

/// A number of bytes or a count: `32768`, `"32 KiB"`, `"8 MiB"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Size {
    /// In the figure's own unit.
    Number(f64),
    /// With a unit: B, KiB, MiB, GiB.
    Text(String),
}

impl Size {
    /// Its value in bytes, or as a count.
    fn value(&self, unit: Unit) -> Result<f64, String> {
        let (number, name) = match self {
            Self::Number(number) => (*number, None),
            Self::Text(text) => {
                let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let name = &text[number.len()..];
                (number.trim_end().parse().map_err(|_| unreadable(text))?, Some((name, text)))
            }
        };
        let worth = match name {
            None => 1.0,
            Some((_, text)) if unit != Unit::Bytes => {
                return Err(format!("{text:?} is a size, and the figure is none; write a number"));
            }
            Some(("B", _)) => 1.0,
            Some(("KiB", _)) => 1024.0,
            Some(("MiB", _)) => 1_048_576.0,
            Some(("GiB", _)) => 1_073_741_824.0,
            Some((_, text)) => return Err(unreadable(text)),
        };
        let value = number * worth;
        if value.is_finite() && value >= 0.0 { Ok(value) } else { Err("is not a number of at least 0".to_owned()) }
    }
}

fn unreadable(text: &str) -> String {
    format!("{text:?} is no size; write a number and B, KiB, MiB or GiB, which are binary: \"32 KiB\"")
}

/// A key and what is wrong with it.
type Wrong = (String, String);

impl Config {
    /// The rules that this file states, with the gate's own where it states none.
    ///
    /// # Errors
    /// The key that does not fit, and what to do.
    pub fn rules(&self) -> Result<Rules, (String, String)> {
        let default = Gate::default();
        let gate = self.gate.as_ref().unwrap_or(&default);
        numbers(gate)?;
        let odd = |path: &&String| {
            path.is_empty() || path.starts_with(['/', '-', ':']) || path.split('/').any(|part| part == "..")
        };
        if let Some(odd) = gate.measured.iter().find(odd) {
            return Err((
                "gate.measured".to_owned(),
                format!("{odd:?} is no path in the project; write it as \"src\""),
            ));
        }
        let mut rules = Rules { pairs: gate.pairs, exact: gate.exact, alpha: gate.alpha, ..Rules::default() };
        rules.family = gate.family.iter().map(|name| wanted("gate.family", name)).collect::<Result<_, _>>()?;
        rules.floors.clear();
        for (name, size) in &gate.floor {
            let key = format!("gate.floor.{name:?}");
            let wanted = wanted(&key, name)?;
            let floor = size.value(unit(&wanted)).map_err(|message| (key, message))?;
            rules.floors.insert(wanted, floor);
        }
        for wanted in &rules.family {
            let floored =
                |floor: &&Wanted| *floor == wanted || matches!(floor, Wanted::Metric(m) if m == wanted.metric());
            if !rules.floors.iter().any(|(name, floor)| *floor > 0.0 && floored(&name)) {
                let message =
                    format!("{wanted} varies and needs a floor above 0: say which increase of it is let pass");
                return Err(("gate.floor".to_owned(), message));
            }
        }
        rules.budgets = self.budget.iter().map(|budget| self.budget(budget)).collect::<Result<_, _>>()?;
        rules.waivers = self.waiver.iter().map(waiver).collect::<Result<_, _>>()?;
        rules.measured.clone_from(&gate.measured);
        Ok(rules)
    }

    /// The crates whose functions are blamed.
    pub fn own_crates(&self) -> BTreeSet<String> {
        self.gate.iter().flat_map(|gate| gate.own.iter().cloned()).collect()
    }

    fn budget(&self, budget: &Budget) -> Result<gate::Budget, Wrong> {
        let key = format!("budget of {:?}", budget.subject);
        let known: Vec<String> = self.subject.iter().map(|subject| subject.id.clone()).collect();
        if !known.contains(&budget.subject) {
            let hint = suggest(&budget.subject, &known);
            return Err((key, format!("no such subject{hint}; there are: {}", known.join(", "))));
        }
        if let Some(scenario) = budget.scenario.as_deref().filter(|id| scenario::find(id).is_none()) {
            let known: Vec<String> = scenario::ALL.iter().map(|scenario| scenario.id.to_owned()).collect();
            let hint = suggest(scenario, &known);
            return Err((
                format!("{key}.scenario"),
                format!("no scenario {scenario:?}{hint}; there are: {}", known.join(", ")),
            ));
        }
        let figure: Figure = budget.metric.parse().map_err(|error| (format!("{key}.metric"), format!("{error}")))?;
        let wanted = Wanted::Figure(figure.clone());
        known_metric(&format!("{key}.metric"), &wanted)?;
        let max = budget.max.value(unit(&wanted)).map_err(|message| (format!("{key}.max"), message))?;
        let cell = budget
            .scenario
            .as_ref()
            .map_or_else(|| budget.subject.clone(), |scenario| format!("{}/{scenario}", budget.subject));
        Ok(gate::Budget { cell, figure, max })
    }
}

fn numbers(gate: &Gate) -> Result<(), Wrong> {
    let wrong = |key: &str, message: &str| Err((format!("gate.{key}"), message.to_owned()));
    match gate {
        // Five pairs that all grew are as rare as 1 in 32: with two questions that shows nothing any more.
        Gate { pairs, .. } if !(6..=500).contains(pairs) => {
            wrong("pairs", "is not from 6 to 500; fewer can show nothing")
        }
        Gate { exact, .. } if *exact < 2 => wrong("exact", "is under 2; one process agrees with itself"),
        Gate { alpha, .. } if !(*alpha > 0.0 && *alpha < 1.0) => wrong("alpha", "is not between 0 and 1"),
        _ => Ok(()),
    }
}

fn waiver(waiver: &Waiver) -> Result<gate::Waiver, Wrong> {
    let key = format!("waiver of {:?}", waiver.cell);
    let wrong = |field: &str, message: &str| Err((format!("{key}.{field}"), message.to_owned()));
    if waiver.cell.split('/').all(str::is_empty) {
        return wrong("cell", "is empty and would be of every cell; name a subject, or a cell");
    }
    if waiver.reason.trim().is_empty() {
        return wrong("reason", "is empty; say why");
    }
    if waiver.owner.trim().is_empty() {
        return wrong("owner", "is empty; say who answers for it");
    }
    let day =
        waiver.expires.to_string().parse().map_err(|_| {
            (format!("{key}.expires"), format!("{} is not a day; write it as 2027-01-31", waiver.expires))
        })?;
    let figure = waiver.metric.as_ref().map(|name| wanted(&format!("{key}.metric"), name)).transpose()?;
    Ok(gate::Waiver {
        cell: waiver.cell.clone(),
        figure,
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        expires: day,
    })
}

fn wanted(key: &str, name: &str) -> Result<Wanted, Wrong> {
    let wanted: Wanted = name.parse().map_err(|error| (key.to_owned(), format!("{error}")))?;
    known_metric(key, &wanted)?;
    Ok(wanted)
}

/// A misspelled metric would be of no figure, and nobody would be told.
fn known_metric(key: &str, wanted: &Wanted) -> Result<(), Wrong> {
    let name = wanted.metric();
    if matches!(wanted, Wanted::Figure(Figure::Latency(_))) || metric::find(name).is_some() {
        return Ok(());
    }
    let known: Vec<String> = METRICS.iter().map(|metric| metric.id.to_owned()).collect();
    Err((key.to_owned(), format!("no metric {name:?}{}; GLOSSARY.md has them all", suggest(name, &known))))
}

fn unit(wanted: &Wanted) -> Unit {
    match wanted {
        Wanted::Figure(Figure::Latency(_)) => Unit::Micros,
        other => metric::unit(other.metric()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "version = 1\n[[subject]]\nid = \"ultra\"\ncommand = [\"x\"]\n";

    fn rules(text: &str) -> Result<Rules, String> {
        let config: Config = toml::from_str(&format!("{SUBJECT}{text}")).map_err(|error| error.to_string())?;
        config.rules().map_err(|(key, message)| format!("{key}: {message}"))
    }

    #[test]
    fn a_file_without_a_gate_has_the_gate_s_own_rules() {
        assert_eq!(rules(""), Ok(Rules::default()));
        assert_eq!(rules("[gate]\n"), Ok(Rules::default()));
    }

    #[test]
    fn everything_can_be_said() {
        let rules = rules(
            "[gate]\nsuite = \"s\"\npairs = 12\nfamily = [\"proc.anon\", \"heap.allocs per request\"]\nown = [\"my-client\"]\n\
             floor = { \"proc.anon\" = \"32 KiB\", \"heap.allocs\" = 1 }\n\
             [[budget]]\nsubject = \"ultra\"\nscenario = \"chat\"\nmetric = \"growth proc.rss\"\nmax = \"8 MiB\"\n\
             [[waiver]]\ncell = \"ultra/chat/count\"\nmetric = \"heap.allocs\"\nreason = \"r\"\nowner = \"o\"\nexpires = 2027-01-31\n",
        )
        .expect("reads");
        assert_eq!(rules.pairs, 12);
        assert_eq!(rules.floor(&Figure::at("steady@256", "proc.anon")), 32_768.0);
        assert_eq!(rules.floor(&Figure::per_request("heap.allocs")), 1.0);
        assert_eq!((rules.budgets[0].cell.as_str(), rules.budgets[0].max), ("ultra/chat", 8_388_608.0));
        assert_eq!(rules.waivers[0].expires.to_string(), "2027-01-31");
    }

    #[test]
    fn a_size_has_a_unit_with_a_blank_before_it_or_without() {
        for (text, bytes) in [("32 KiB", 32_768.0), ("32KiB", 32_768.0), ("1.5 MiB", 1_572_864.0), ("7B", 7.0)] {
            assert_eq!(Size::Text(text.to_owned()).value(Unit::Bytes), Ok(bytes), "{text}");
        }
        for text in ["32", "KiB", "32 K", "32 KiB KiB", ""] {
            assert!(Size::Text(text.to_owned()).value(Unit::Bytes).is_err(), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_key_and_a_mend() {
        for (text, says) in [
            ("[gate]\nfamly = []\n", "unknown field `famly`"),
            (
                "[[budget]]\nsubject = \"ultra\"\nmetric = \"growth proc.rss\"\nmax = 1\nmaximum = 2\n",
                "unknown field `maximum`",
            ),
            ("[[budget]]\nsubject = \"ulra\"\nmetric = \"growth proc.rss\"\nmax = 1\n", "did you mean \"ultra\"?"),
            ("[[budget]]\nsubject = \"ultra\"\nmetric = \"growth proc.rs\"\nmax = 1\n", "did you mean \"proc.rss\"?"),
            (
                "[[budget]]\nsubject = \"ultra\"\nscenario = \"chatt\"\nmetric = \"growth proc.rss\"\nmax = 1\n",
                "did you mean \"chat\"?",
            ),
            ("[[budget]]\nsubject = \"ultra\"\nmetric = \"proc.rss\"\nmax = 1\n", "names no figure"),
            ("[[budget]]\nsubject = \"ultra\"\nmetric = \"growth proc.rss\"\nmax = \"8 MB\"\n", "KiB, MiB or GiB"),
            ("[[budget]]\nsubject = \"ultra\"\nmetric = \"growth proc.rss\"\nmax = -1\n", "at least 0"),
            (
                "[[budget]]\nsubject = \"ultra\"\nmetric = \"heap.allocs per request\"\nmax = \"1 KiB\"\n",
                "write a number",
            ),
            ("[gate]\nfamily = [\"proc.pss\"]\n", "proc.pss varies and needs a floor"),
            ("[gate]\npairs = 5\n", "gate.pairs: is not from 6 to 500"),
            ("[gate]\nalpha = 1.5\n", "gate.alpha: is not between 0 and 1"),
            (
                "[[waiver]]\ncell = \"/\"\nreason = \"r\"\nowner = \"o\"\nexpires = 2027-01-31\n",
                "would be of every cell",
            ),
            ("[[waiver]]\ncell = \"ultra\"\nreason = \" \"\nowner = \"o\"\nexpires = 2027-01-31\n", "say why"),
            (
                "[[waiver]]\ncell = \"ultra\"\nreason = \"r\"\nowner = \"o\"\nexpires = 07:32:00\n",
                "write it as 2027-01-31",
            ),
        ] {
            let error = rules(text).expect_err(text);
            assert!(error.contains(says), "{error}");
        }
    }
}
