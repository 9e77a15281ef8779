//! Unicode data and our own lists → the tables of `rules/src/fold`.
//!
//! ```text
//! one character → meaning (map) → code of 16 bits → pages, bitmap, expansions, joins (emit) → Rust source
//! ```

mod emit;
mod lists;
mod map;
mod sound;

use std::path::PathBuf;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let out = PathBuf::from(
        std::env::args().nth(1).context("usage: yumen-fold-tables <folder of the fold module>")?,
    );
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let lists = lists::Lists::read(&here.join("lists"))?;
    let map = map::Map::new(lists)?;
    let mapped = map.all();
    std::fs::write(out.join("table.rs"), emit::table(&map, &mapped)?)?;
    std::fs::write(out.join("sound_table.rs"), sound::table(&mapped)?)?;
    Ok(())
}
