//! Conformance: every client is asked for every fixture that answers it, says what it understood, and that is compared, value by value,
//! with a plain reading of the bytes that were served.
//!
//! - [`question`]: what is asked, in the protocol's words
//! - [`fixture`]: what is served, and what it answers
//! - [`speaker`]: the client's process: it is a program like any other, and no level is linked here
//! - [`expected`]: the plain reading; it shares no code with any level
//! - [`forms`]: which spellings of JSON say the same, each with its reason
//! - [`compare`]: the two, value by value
//! - [`suite`]: all of it

pub mod compare;
pub mod expected;
pub mod fixture;
pub mod forms;
pub mod question;
pub mod speaker;
pub mod suite;
