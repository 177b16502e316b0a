//! Benches of the levels on the mock and of the readers of the wire on its corpus, by any measurement of criterion's.
//!
//! - [`mock`]: `plimsoll mock`, in a process of its own, so that its work is not the level's
//! - [`plain`]: HTTP/1.1 by hand, without TLS: the corpus as it is on the wire, and the floor under the levels' times
//! - [`corpus`]: what the readers read
//! - [`levels`], [`readers`]: the benches
//! - [`once`]: all of it as one test
//! - [`allocated`]: bytes and calls of the allocator as a measurement
//!
//! The programs are `time.rs` and `allocated.rs`: two, because an allocator that counts takes time.
#![deny(unsafe_code)]

pub mod allocated;
pub mod corpus;
pub mod levels;
pub mod mock;
pub mod once;
pub mod plain;
pub mod readers;
