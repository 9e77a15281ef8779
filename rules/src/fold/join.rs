//! Characters written as two: `贝代` → `贷`.

use super::table::{AFTER, BEFORE, PART, PARTS, TEXT};

/// What two characters make.
#[derive(Clone, Copy)]
pub(super) struct Joined {
    pub(super) char: u32,
}

/// What a part as the first of two is to `joined`: its index plus one; 0 where nothing can follow it.
#[inline]
pub(super) fn left_part(code: u16) -> u16 {
    match part(code) {
        Some((at, (start, end, ..))) if start < end => at + 1,
        _ => 0,
    }
}

/// What `before`, the part `before_part`, and `char` of `code` make.
#[inline]
pub(super) fn joined(before: u32, before_part: u16, char: u32, code: u16) -> Option<Joined> {
    if let Some(&(start, end, ..)) = before_part.checked_sub(1).and_then(|at| PARTS.get(usize::from(at)))
        && let Some(joined) = find(AFTER.get(usize::from(start)..usize::from(end))?, char)
    {
        return Some(joined);
    }
    let (_, (.., start, end)) = part(code)?;
    find(BEFORE.get(usize::from(start)..usize::from(end))?, before)
}

type Part = (u16, u16, u16, u16);

#[inline]
fn part(code: u16) -> Option<(u16, Part)> {
    let at = code.checked_sub(PART).filter(|_| code < TEXT)?;
    PARTS.get(usize::from(at)).map(|part| (at, *part))
}

fn find(pairs: &[(u16, u16)], other: u32) -> Option<Joined> {
    let other = u16::try_from(other).ok()?;
    let at = pairs.binary_search_by_key(&other, |(key, _)| *key).ok()?;
    pairs.get(at).map(|(_, char)| Joined { char: u32::from(*char) })
}
