//! What is too small to stand alone, put together so that the sums hold: a record is no place for three hundred blocks of a handshake.

use std::collections::BTreeMap;

use plimsoll_reports::record::{Frame, Site, SiteTotals};
use plimsoll_reports::roots::Root;

use super::interned::Interned;

/// Stacks with fewer than one in so many of the sample's bytes are put together …
const BYTES: u64 = 500;
/// … unless they asked for so many blocks a request, halves: what each second request does is seen, however small.
const HALF_BLOCKS_PER_REQUEST: u64 = 1;

/// What the stacks of a sample had asked for, at each checkpoint that is known.
pub type Stacks = BTreeMap<Vec<u32>, BTreeMap<usize, SiteTotals>>;

/// The sites of a sample, with their totals by checkpoint. Stacks that are too small become one site for each root, of which the root and all
/// outside of it are kept.
pub fn sites(stacks: Stacks, requests: u64, interned: &mut Interned) -> BTreeMap<usize, Vec<SiteTotals>> {
    let all: u64 = stacks.values().map(bytes).sum();
    let mut sites: BTreeMap<Site, BTreeMap<usize, SiteTotals>> = BTreeMap::new();
    let mut small: BTreeMap<Vec<u32>, Stacks> = BTreeMap::new();
    for (stack, totals) in stacks {
        let blocks = totals.values().map(|totals| totals.blocks).max().unwrap_or_default();
        let is_small =
            bytes(&totals).saturating_mul(BYTES) < all && blocks * 2 < requests.max(1) * HALF_BLOCKS_PER_REQUEST;
        if is_small {
            let frames: Vec<&Frame> = stack.iter().filter_map(|place| interned.at(*place)).collect();
            let (_, at) = Root::of(frames.iter().copied());
            let shared = at.map_or(Vec::new(), |at| stack[at..].to_vec());
            small.entry(shared).or_default().insert(stack, totals);
        } else {
            sites.insert(Site { frames: stack, rest: false }, totals);
        }
    }
    for (shared, several) in small {
        let site = match several.keys().next() {
            Some(stack) if several.len() == 1 => Site { frames: stack.clone(), rest: false },
            _ => Site { frames: shared, rest: true },
        };
        let sum = sites.entry(site).or_default();
        for (checkpoint, totals) in several.into_values().flatten() {
            add(sum.entry(checkpoint).or_default(), &totals);
        }
    }
    let mut by_checkpoint: BTreeMap<usize, Vec<SiteTotals>> = BTreeMap::new();
    for (site, totals) in sites {
        let site = interned.site(site);
        for (checkpoint, totals) in totals {
            by_checkpoint.entry(checkpoint).or_default().push(SiteTotals { site, ..totals });
        }
    }
    for totals in by_checkpoint.values_mut() {
        totals.sort_unstable_by_key(|totals| totals.site);
    }
    by_checkpoint
}

/// Adds what one had asked for to what another had.
pub fn add(sum: &mut SiteTotals, totals: &SiteTotals) {
    let both = |a: Option<u64>, b: Option<u64>| Some(a.unwrap_or_default() + b.unwrap_or_default());
    sum.blocks += totals.blocks;
    sum.bytes += totals.bytes;
    sum.live = both(sum.live, totals.live);
    sum.peak = both(sum.peak, totals.peak);
    sum.live_usable = both(sum.live_usable, totals.live_usable);
    sum.peak_usable = both(sum.peak_usable, totals.peak_usable);
}

fn bytes(totals: &BTreeMap<usize, SiteTotals>) -> u64 {
    totals.values().map(|totals| totals.bytes).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn totals(blocks: u64, bytes: u64) -> SiteTotals {
        SiteTotals {
            site: 0,
            blocks,
            bytes,
            live: Some(bytes / 2),
            peak: Some(bytes / 3),
            live_usable: Some(bytes),
            peak_usable: Some(bytes / 2),
        }
    }

    proptest! {
        /// Whatever is put together: nothing is lost and nothing is added, of no figure, at no checkpoint, for no root.
        #[test]
        fn sums_are_kept(
            all in prop::collection::vec((prop::collection::vec(0u32..12, 0..6), 0usize..3, 0u64..400, 0u64..1_000_000), 0..60),
            requests in 0u64..300,
        ) {
            let mut interned = Interned::default();
            for at in 0..12 {
                let own = at % 4 == 3;
                let krate = ["hyper", "rustls", "left-pad", "mine"][at % 4];
                interned.frame(Frame { function: at.to_string(), krate: Some(krate.into()), own, ..Frame::default() });
            }
            let mut stacks = Stacks::new();
            for (stack, checkpoint, blocks, bytes) in all {
                add(stacks.entry(stack).or_default().entry(checkpoint).or_default(), &totals(blocks, bytes));
            }
            let root = |frames: &[u32], interned: &Interned| {
                let frames: Vec<&Frame> = frames.iter().filter_map(|place| interned.at(*place)).collect();
                Root::of(frames.iter().copied()).0.name().to_owned()
            };
            let mut before: BTreeMap<(usize, String), SiteTotals> = BTreeMap::new();
            for (stack, by_checkpoint) in &stacks {
                for (checkpoint, totals) in by_checkpoint {
                    add(before.entry((*checkpoint, root(stack, &interned))).or_default(), totals);
                }
            }
            let sites = sites(stacks, requests, &mut interned);
            let mut after: BTreeMap<(usize, String), SiteTotals> = BTreeMap::new();
            for (checkpoint, totals) in sites.iter().flat_map(|(checkpoint, all)| all.iter().map(move |totals| (checkpoint, totals))) {
                let frames = interned.stack(totals.site).to_vec();
                add(after.entry((*checkpoint, root(&frames, &interned))).or_default(), totals);
            }
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn what_is_small_is_put_together_by_its_root_and_what_each_request_does_is_not() {
        let mut interned = Interned::default();
        let mut frame = |krate: &str, own| {
            interned.frame(Frame { function: krate.into(), krate: Some(krate.into()), own, ..Frame::default() })
        };
        let (json, tls, ask) = (frame("serde_json", false), frame("rustls", false), frame("mine", true));
        let one = |stack: &[u32], blocks, bytes| (stack.to_vec(), BTreeMap::from([(0, totals(blocks, bytes))]));
        let stacks = Stacks::from([
            one(&[json, ask], 64, 64),
            one(&[tls, ask], 1, 20),
            one(&[tls, tls, ask], 1, 30),
            one(&[ask], 1, 1_000_000),
        ]);
        let found = sites(stacks, 64, &mut interned);
        let mut found: Vec<(Vec<u32>, u64)> =
            found[&0].iter().map(|t| (interned.stack(t.site).to_vec(), t.bytes)).collect();
        found.sort();
        // Those of the handshake share `ask`; the site that asks itself is one of its own.
        assert_eq!(found, [(vec![json, ask], 64), (vec![ask], 50), (vec![ask], 1_000_000)]);
    }
}
