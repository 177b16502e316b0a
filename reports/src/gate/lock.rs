//! What a change does to `Cargo.lock`: crates that came, went, or changed their version.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A crate whose versions differ; it may be there in several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateChange {
    /// Its name, as on the registry.
    pub name: String,
    /// The base's versions; empty where the head adds it.
    pub base: Vec<String>,
    /// The head's; empty where it takes it out.
    pub head: Vec<String>,
}

#[derive(Deserialize)]
struct Lockfile {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// Every crate whose versions differ, by name. A text that is no lockfile has none of its crates.
#[must_use]
pub fn changes(base: &str, head: &str) -> Vec<CrateChange> {
    let (base, head) = (versions(base), versions(head));
    let names: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    let of = |side: &BTreeMap<String, BTreeSet<String>>, name: &String| {
        side.get(name).into_iter().flatten().cloned().collect::<Vec<_>>()
    };
    let change = |name: &String| CrateChange { name: name.clone(), base: of(&base, name), head: of(&head, name) };
    names.into_iter().map(change).filter(|change| change.base != change.head).collect()
}

fn versions(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in toml::from_str::<Lockfile>(text).map(|lock| lock.package).unwrap_or_default() {
        all.entry(package.name).or_default().insert(package.version);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let one = |(name, version): &(&str, &str)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        format!("version = 4\n\n{}", packages.iter().map(one).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn crates_that_came_went_or_moved() {
        let base =
            lock(&[("h2", "0.4.20"), ("rand", "0.9.0"), ("rand", "0.10.0"), ("gone", "1.0.0"), ("same", "1.0.0")]);
        let head = lock(&[("h2", "0.4.21"), ("rand", "0.10.0"), ("new", "2.0.0"), ("same", "1.0.0")]);
        let shown: Vec<String> = changes(&base, &head)
            .into_iter()
            .map(|change| format!("{} {} → {}", change.name, change.base.join("+"), change.head.join("+")))
            .collect();
        assert_eq!(shown, ["gone 1.0.0 → ", "h2 0.4.20 → 0.4.21", "new  → 2.0.0", "rand 0.10.0+0.9.0 → 0.10.0"]);
        assert_eq!(changes(&base, &base), []);
    }
}
