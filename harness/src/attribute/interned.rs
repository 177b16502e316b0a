//! Functions and stacks, each once: what a record holds of them.

use std::collections::HashMap;

use plimsoll_reports::record::{Frame, Record, Site};

/// The two lists of a record, as they grow.
#[derive(Debug, Default)]
pub struct Interned {
    frames: Vec<Frame>,
    places: HashMap<Frame, u32>,
    sites: Vec<Site>,
    sites_places: HashMap<Site, u32>,
}

impl Interned {
    /// The place of a frame.
    pub fn frame(&mut self, frame: Frame) -> u32 {
        place(&mut self.frames, &mut self.places, frame)
    }

    /// The place of a site.
    pub fn site(&mut self, site: Site) -> u32 {
        place(&mut self.sites, &mut self.sites_places, site)
    }

    /// The frame in a place.
    pub fn at(&self, place: u32) -> Option<&Frame> {
        self.frames.get(place as usize)
    }

    /// The frames of the site in a place.
    pub fn stack(&self, place: u32) -> &[u32] {
        self.sites.get(place as usize).map_or(&[], |site| &site.frames)
    }

    /// Hands the lists to a record: of the frames only those that a site has, in the order in which sites name them.
    pub fn into_record(self, record: &mut Record) {
        let mut frames = Vec::new();
        let mut places: HashMap<u32, u32> = HashMap::new();
        let mut sites = self.sites;
        for place in sites.iter_mut().flat_map(|site| &mut site.frames) {
            *place = *places.entry(*place).or_insert_with(|| {
                frames.extend(self.frames.get(*place as usize).cloned());
                u32::try_from(frames.len()).unwrap_or(u32::MAX).saturating_sub(1)
            });
        }
        (record.frames, record.sites) = (frames, sites);
    }
}

fn place<T: Clone + Eq + std::hash::Hash>(list: &mut Vec<T>, places: &mut HashMap<T, u32>, value: T) -> u32 {
    *places.entry(value).or_insert_with_key(|value| {
        list.push(value.clone());
        u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
    })
}
