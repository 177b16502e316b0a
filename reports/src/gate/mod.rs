//! The gate: whether one record's memory is worse than another's, and which code made it so.
//!
//! Pure functions. [`decide`] takes two records and [`Settings`] and gives a [`Verdict`]; where its [`Next`] asks for fresh processes, they are
//! measured and it is called again with [`Stage::Second`].
//!
//! - `settings`: the rules, as `plimsoll.toml` states them, and how the base came about.
//! - `sides`: whether the two can be compared at all. `changes`: what the head alters of the rules. `lock`: of `Cargo.lock`.
//! - `question`: the figures of each cell, both sides. `exact`, `noisy`: the two rules. `judge`: both applied, over both rounds.
//! - `budgets`, `waivers`: limits of the head alone; what is let pass on purpose.
//! - `blame`: where a difference comes from.
//! - `decide`, `verdict`: all of it together, and what comes out; `meaning`: what its words mean. `show`: as people and programs read it.
//! - `study`: how often all this is wrong, from processes that were recorded without a change.

pub mod blame;
pub mod budgets;
pub mod changes;
mod decide;
pub mod exact;
pub mod judge;
pub mod lock;
mod meaning;
pub mod noisy;
mod question;
mod settings;
pub mod show;
pub mod sides;
pub mod study;
mod verdict;
pub mod waivers;

pub use decide::{Stage, decide};
pub use question::{Question, questions};
pub use settings::{Base, Budget, Rules, Settings, Waiver, Wanted};
pub use verdict::{
    Again, Family, Next, Notice, NoticeKind, Outcome, Row, Rule, Side, Smallest, State, Verdict, Waived, Why,
};
