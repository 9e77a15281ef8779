//! From a flash to what the program starts with.

use crate::board::Board;
use crate::console;
use crate::guard::Loaded;
use crate::listed::Listed;
use crate::pack::{Trust, check, in_slot};
use yumen_rules::pack::Pack;
use yumen_storage::ring::RECORD_BYTES_MAX;
use yumen_storage::{Kind, Regions, Store};

/// What was found.
#[derive(Debug)]
pub struct Started<'p, F> {
    /// The flash; `None` where it can't be used.
    pub store: Option<Store<F>>,
    /// The pack in use; `None` where there is none that holds.
    pub loaded: Option<Loaded<'p>>,
    /// The site's own list.
    pub listed: Listed,
}

/// Opens the flash and chooses the pack: that of the slot in use, or `built_in` where it is newer or there is no other.
pub fn start<'p, B: Board<'p>>(
    flash: B::Flash,
    regions: Regions,
    trust: &Trust<'_>,
    board: &mut B,
    built_in: Option<Pack<'p>>,
) -> Started<'p, B::Flash> {
    let Ok(mut store) = Store::open(flash, regions) else {
        return Started { store: None, loaded: built_in.and_then(Loaded::new), listed: Listed::new() };
    };
    let built_in_serial = built_in.map_or(0, |pack| pack.header().serial);
    // Where it can't be kept, the device guards all the same.
    let chosen = store.start(Kind::Pack, trust).ok();
    let _ = store.raise_floor(Kind::Pack, built_in_serial);
    let in_use = chosen.and_then(|chosen| chosen.slot).and_then(|slot| {
        let bytes = in_slot(store.slot(Kind::Pack, slot))?;
        let layout = check(bytes, trust.key, built_in_serial).ok()?;
        board.hold(slot, bytes, layout)
    });
    let loaded = in_use.or(built_in).and_then(Loaded::new);
    let mut buffer = [0; RECORD_BYTES_MAX];
    let listed = store.settings(&mut buffer).map(console::parse).unwrap_or_default();
    Started { store: Some(store), loaded, listed }
}
