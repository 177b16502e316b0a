//! Whether jemalloc took the options that it was given: what is measured is those, or nothing.

use super::Trouble;
use crate::config::Allocator;
use crate::process::protocol::Pairs;
use crate::run::environment::{JEMALLOC_ENV, jemalloc_options};

/// Holds what a subject read back of its allocator's options (`opt.*`) to what the cell asks for.
pub(super) fn took(allocator: Allocator, greeting: &Pairs) -> Result<(), Trouble> {
    let asked = jemalloc_options(allocator).into_iter().flat_map(|options| options.split(','));
    let in_force = |name: &str| greeting.get(&format!("opt.{name}")).map_or("unsaid", String::as_str);
    let refused: Vec<String> = asked
        .filter_map(|option| option.split_once(':'))
        .filter(|(name, value)| in_force(name) != *value)
        .map(|(name, value)| format!("opt.{name} is {}, not {value}", in_force(name)))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Trouble::failed(format!(
        "its allocator did not take the options of `{allocator}`: {}; it must be tikv-jemallocator with its prefix, built on plimsoll-worker, and \
         {JEMALLOC_ENV} nothing that its `env` in plimsoll.toml sets",
        refused.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(options: &str) -> Pairs {
        options
            .split(',')
            .filter_map(|pair| pair.split_once(':'))
            .map(|(k, v)| (format!("opt.{k}"), v.into()))
            .collect()
    }

    #[test]
    fn options_that_are_in_force_are_those_that_were_asked_for() {
        for allocator in [Allocator::Jemalloc, Allocator::JemallocTuned] {
            let all = jemalloc_options(allocator).expect("jemalloc has options");
            assert!(took(allocator, &greeting(all)).is_ok());
            // Each of them is looked at: with another value, and unsaid.
            for (name, value) in all.split(',').filter_map(|option| option.split_once(':')) {
                let mut other = greeting(all);
                other.insert(format!("opt.{name}"), "other".into());
                let said = took(allocator, &other).expect_err("another value").message;
                assert!(said.contains(&format!("opt.{name} is other, not {value}")), "{said}");
                other.remove(&format!("opt.{name}"));
                assert!(took(allocator, &other).expect_err("unsaid").message.contains("is unsaid"));
            }
        }
        assert!(took(Allocator::System, &Pairs::new()).is_ok() && took(Allocator::Dhat, &Pairs::new()).is_ok());
    }
}
