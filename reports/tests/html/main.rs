//! The HTML report: as a parser reads it, and as people meet it in a browser.

#[path = "../common/mod.rs"]
mod common;

mod advice;
mod browser;
mod compare;
mod figures;
mod page;
mod shown;
mod size;
