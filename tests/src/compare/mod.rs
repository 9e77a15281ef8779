//! What Yumen reads of a capture beside what tshark reads of it: field by field, frame by frame.

mod explained;
mod table;
mod tshark;

pub use table::{Difference, Row, Table};
pub use tshark::installed;

use crate::program;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;

/// One field as one of the two has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: String,
}

/// Compares one capture file; what is found is added to `table`.
///
/// # Errors
/// One of the programs can't be run, or says what can't be read.
pub fn compare(file: &Path, table: &mut Table) -> Result<()> {
    let mut ours = ours(file)?;
    let blocks = tshark::blocks(file)?;
    let mut frames = Frames::default();
    for block in &blocks {
        frames.take(block, !ours.contains_key(&block.frame));
    }
    for block in &blocks {
        let ours = ours.entry(block.frame).or_default();
        for field in &block.fields {
            let name = explained::name(field);
            let found =
                ours.iter().position(|own| own.name == name && explained::is_equal(field, &own.value));
            if let Some(found) = found {
                ours.remove(found);
                table.equal(block.frame, &name);
                continue;
            }
            let reason = explained::reason(field, block).or_else(|| frames.reason(block.frame, &name));
            match reason {
                Some(reason) => table.explained(block.frame, &name, reason),
                None => {
                    let own = ours.iter().find(|own| own.name == name).map(|own| own.value.clone());
                    table.different(file, block.frame, &name, Some(field.shown()), own);
                }
            }
        }
    }
    for (frame, fields) in ours {
        for field in fields {
            match explained::ours_alone(&field.name).or_else(|| frames.reason(frame, &field.name)) {
                Some(reason) => table.explained(frame, &field.name, reason),
                None => table.different(file, frame, &field.name, None, Some(field.value)),
            }
        }
    }
    Ok(())
}

/// What is the matter with whole frames.
#[derive(Debug, Default)]
struct Frames {
    seen: HashSet<Vec<String>>,
    decoded: HashSet<u64>,
    again: HashSet<u64>,
    broken: HashSet<u64>,
}

impl Frames {
    fn take(&mut self, block: &tshark::Block, is_ours_empty: bool) {
        self.decoded.insert(block.frame);
        if block.is_broken {
            self.broken.insert(block.frame);
        }
        let is_new = self.seen.insert(block.octets.clone());
        if !is_new && is_ours_empty && block.protocol == "tcap" {
            self.again.insert(block.frame);
        }
    }

    fn reason(&self, frame: u64, name: &str) -> Option<&'static str> {
        let is_signalling = ["tcap.", "gsm_", "e164.", "e212."].iter().any(|of| name.starts_with(of));
        if !is_signalling {
            return None;
        }
        if self.again.contains(&frame) {
            return Some("the packet before came once more, and its message is taken once");
        }
        if !self.decoded.contains(&frame) {
            return Some("tshark doesn't look into this subsystem of SCCP");
        }
        let is_broken = self.broken.contains(&frame);
        is_broken.then_some("the encoding is broken, and tshark gives up on it at another place")
    }
}

/// `yumen replay FILE --fields`, by frame.
fn ours(file: &Path) -> Result<HashMap<u64, Vec<Field>>> {
    let mut command = Command::new(program::path("yumen")?);
    command.arg("replay").arg(file).arg("--fields");
    let output = command.output().context("yumen replay --fields")?;
    if !output.status.success() {
        bail!("yumen replay {}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
    let mut frames: HashMap<u64, Vec<Field>> = HashMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let text = |name: &str| row[name].as_str().map(str::to_owned).context("a field without that");
        let frame = row["frame"].as_u64().context("no frame")?;
        frames.entry(frame).or_default().push(Field { name: text("field")?, value: text("value")? });
    }
    Ok(frames)
}
