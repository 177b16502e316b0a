//! Waivers: what is let pass on purpose, by whom, until which day. The day is held against the head's record; nothing here reads a clock.

use jiff::civil::Date;
use jiff::tz::Offset;

use super::settings::{Rules, Waiver};
use crate::cell::is_meant;
use crate::derive::Figure;
use crate::record::{Cell, Record};

/// The day of a record, UTC.
#[must_use]
pub fn day(record: &Record) -> Date {
    Offset::UTC.to_datetime(record.started).date()
}

/// The waiver that lets a figure of a cell pass on that day. One without a figure is for all of the cell, also where it is missing.
#[must_use]
pub fn find<'a>(rules: &'a Rules, cell: &Cell, figure: Option<&Figure>, today: Date) -> Option<&'a Waiver> {
    let covers = |waiver: &&Waiver| match (&waiver.figure, figure) {
        (None, _) => true,
        (Some(wanted), Some(figure)) => wanted.means(figure),
        (Some(_), None) => false,
    };
    rules.waivers.iter().filter(|waiver| is_meant(&waiver.cell, cell) && today <= waiver.expires).find(covers)
}

/// Waivers that are over on that day, and that the head's file (`proposed`, or the same) still has with the same day.
#[must_use]
pub fn expired<'a>(rules: &'a Rules, proposed: Option<&Rules>, today: Date) -> Vec<&'a Waiver> {
    let kept = |waiver: &Waiver| proposed.is_none_or(|proposed| proposed.waivers.contains(waiver));
    rules.waivers.iter().filter(|waiver| today > waiver.expires && kept(waiver)).collect()
}
