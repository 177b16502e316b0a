//! What this machine is worth as an instrument: what could spoil a measurement here, and how far one repeats.
//!
//! - [`checks`]: the machine, the kernel's permissions, the limits, each with what to do
//! - [`trial`]: the same program measured against itself

pub mod checks;
pub mod trial;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As it should be.
    Fine,
    /// Worth knowing: some figures vary more, or some cells are unavailable.
    Note,
    /// Nothing can be measured, or not what was asked for.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What was found.
    pub found: String,
    /// What follows from it and what can be done; empty where nothing need be.
    pub mend: String,
}

impl Finding {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, weight: Weight::Fine, found: found.into(), mend: String::new() }
    }

    fn unless(fine: bool, otherwise: Weight, what: &'static str, found: impl Into<String>, mend: &str) -> Self {
        if fine {
            return Self::fine(what, found);
        }
        Self { what, weight: otherwise, found: found.into(), mend: mend.to_owned() }
    }
}
