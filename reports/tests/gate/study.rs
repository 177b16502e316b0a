//! The studies on made-up records: few false alarms, no missed changes, and the same again from the same seed.

use plimsoll_reports::gate::study;

use crate::made::*;

#[test]
fn processes_without_a_change_hardly_ever_fail() {
    let record = studied(80);
    let settings = settings();
    let alike = study::alike(&record, &settings, 200, 7).unwrap();
    assert_eq!((alike.failed.of, alike.family), (200, 8));
    // At most 0.25 % by the rule; five in two hundred would be chance of one in ten thousand.
    assert!(alike.failed.hits < 5, "{alike:#?}");
    assert!(alike.inconclusive.value() < 0.05, "{alike:#?}");
    let flaky = alike.rows.iter().find(|row| row.cell == count("flaky") && !row.identical).unwrap();
    assert_eq!(flaky.figure.to_string(), "heap.allocs per request");
    assert!(alike.one_sided.hits > 0, "a figure that is nearly exact is found out");
    assert_eq!(study::alike(&record, &settings, 200, 7).unwrap(), alike);
    assert_ne!(study::alike(&record, &settings, 200, 8).unwrap(), alike);
}

#[test]
fn twice_the_floor_is_caught_and_a_tenth_of_it_is_not() {
    let record = studied(80);
    let caught = study::power(&record, &settings(), 40, 2.0, 7).unwrap();
    let exact = caught.iter().filter(|caught| caught.change.value() == 1.0);
    assert!(exact.clone().count() >= 15 && exact.clone().all(|caught| caught.caught.hits == 40), "{caught:#?}");
    let noisy: Vec<_> = caught.iter().filter(|caught| caught.cell.probe == "rss").collect();
    assert_eq!(noisy.len(), 8);
    assert!(noisy.iter().all(|caught| caught.caught.hits >= 36), "{noisy:#?}");
    let under = study::power(&record, &settings(), 10, 0.1, 7).unwrap();
    assert!(under.iter().filter(|caught| caught.cell.probe == "rss").all(|caught| caught.caught.hits == 0));
}

#[test]
fn too_few_processes_are_refused_with_what_is_needed() {
    let error = study::alike(&studied(79), &settings(), 1, 1).unwrap_err().to_string();
    assert!(error.contains("79 processes") && error.contains("need 80"), "{error}");
    let mut nothing = side(MADE);
    (nothing.samples, nothing.plan.cells) = (vec![], vec![]);
    assert!(study::alike(&nothing, &settings(), 1, 1).is_err());
}
