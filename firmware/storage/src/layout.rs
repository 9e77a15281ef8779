//! What lies where in the flash.

use core::ops::Range;

/// The parts of a flash, each from an erasable sector to another, as offsets from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    /// The state: two sectors or more.
    pub state: Range<u32>,
    /// The site's own settings: two sectors or more.
    pub settings: Range<u32>,
    /// The ring of unsent sightings: two sectors or more.
    pub ring: Range<u32>,
    /// The two packs.
    pub packs: [Range<u32>; 2],
    /// The two images of the program; empty where a board has no room for two.
    pub images: [Range<u32>; 2],
}

impl Regions {
    /// Whether every part lies between sectors of `sector` bytes within `capacity`, none overlaps another, and the records have
    /// the two sectors that they need.
    #[must_use]
    pub fn is_sound(&self, sector: u32, capacity: u32) -> bool {
        let [pack_a, pack_b] = &self.packs;
        let [image_a, image_b] = &self.images;
        let parts = [&self.state, &self.settings, &self.ring, pack_a, pack_b, image_a, image_b];
        let whole = parts.iter().all(|part| {
            sector > 0
                && part.start <= part.end
                && part.end <= capacity
                && part.start.is_multiple_of(sector)
                && part.end.is_multiple_of(sector)
        });
        let apart = parts.iter().enumerate().all(|(at, part)| {
            parts.iter().skip(at + 1).all(|other| part.end <= other.start || other.end <= part.start)
        });
        let records = [&self.state, &self.settings, &self.ring]
            .iter()
            .all(|part| part.end.saturating_sub(part.start) / sector.max(1) >= 2);
        whole && apart && records && !pack_a.is_empty() && !pack_b.is_empty()
    }
}
