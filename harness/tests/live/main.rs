//! The live path and the recorder, rehearsed against the mock: nothing here leaves the machine.

#[path = "../common/mod.rs"]
mod common;
#[path = "../mock_support/mod.rs"]
mod mock_support;

mod argv;
mod identity;
mod recording;
mod refusals;
mod rehearsal;
