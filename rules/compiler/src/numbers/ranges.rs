//! Ranges laid flat: of ranges that lie in one another the narrowest counts.

use yumen_rules::numbers::{KeySpan, Range};

use super::Raw;

/// A range as a line has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) span: KeySpan,
    pub(super) raw: Raw,
    pub(super) line: u64,
}

/// Two lines whose ranges overlap, and neither lies in the other; or say different things of one range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) line: u64,
    pub(super) other: u64,
    pub(super) same_range: bool,
}

/// Ranges that rise and don't overlap, as many as are needed. `value` gives a place in the palette.
pub(super) fn flat(mut written: Vec<Written>, value: impl Fn(Raw) -> u16) -> Result<Vec<Range>, Clash> {
    // Wide ones before those that begin with them.
    written.sort_by_key(|range| (range.span.first, std::cmp::Reverse(range.span.last), range.line));
    let mut flat = Flat { out: Vec::new(), next: 0, value };
    let mut open: Vec<Written> = Vec::new();
    for range in written {
        while let Some(outer) = open.pop_if(|outer| outer.span.last < range.span.first) {
            flat.up_to(outer.span.last, &outer);
        }
        if let Some(outer) = open.last() {
            let same_range = outer.span == range.span;
            if same_range && outer.raw == range.raw {
                continue;
            }
            if same_range || outer.span.last < range.span.last {
                return Err(Clash { line: range.line, other: outer.line, same_range });
            }
            if let Some(last) = range.span.first.checked_sub(1) {
                flat.up_to(last, outer);
            }
        }
        flat.next = flat.next.max(range.span.first);
        open.push(range);
    }
    while let Some(range) = open.pop() {
        flat.up_to(range.span.last, &range);
    }
    Ok(flat.out)
}

struct Flat<V> {
    out: Vec<Range>,
    /// The first key that nothing is said of yet.
    next: u64,
    value: V,
}

impl<V: Fn(Raw) -> u16> Flat<V> {
    /// What isn't said yet of a range, up to `last`.
    fn up_to(&mut self, last: u64, range: &Written) {
        let first = self.next.max(range.span.first);
        if first <= last {
            self.out.push(Range { first, last, value: (self.value)(range.raw), longer: range.span.longer });
            self.next = last.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(first: u64, last: u64, raw: Raw) -> Written {
        Written { span: KeySpan { first, last, longer: false }, raw, line: u64::from(raw) }
    }

    #[test]
    fn the_narrowest_counts() {
        let ranges = vec![written(0, 99, 1), written(10, 19, 2), written(12, 13, 3), written(90, 99, 4)];
        let flat = flat(ranges, |raw| raw).unwrap();
        let shown: Vec<_> = flat.iter().map(|range| (range.first, range.last, range.value)).collect();
        assert_eq!(shown, [(0, 9, 1), (10, 11, 2), (12, 13, 3), (14, 19, 2), (20, 89, 1), (90, 99, 4)]);
    }

    #[test]
    fn what_overlaps_in_part_is_named() {
        let clash = flat(vec![written(0, 10, 1), written(5, 15, 2)], |raw| raw).unwrap_err();
        assert_eq!(clash, Clash { line: 2, other: 1, same_range: false });
        let clash = flat(vec![written(0, 10, 1), written(0, 10, 2)], |raw| raw).unwrap_err();
        assert!(clash.same_range);
        assert_eq!(flat(vec![written(0, 10, 1), written(0, 10, 1)], |raw| raw).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn every_key_gets_its_narrowest_range(cuts in proptest::collection::vec((0u64..200, 0u64..60), 0..12)) {
            let ranges: Vec<Written> =
                (1..).zip(&cuts).map(|(raw, (first, len))| written(*first, first + len, raw)).collect();
            let Ok(flat) = flat(ranges.clone(), |raw| raw) else { return Ok(()) };
            prop_assert!(flat.windows(2).all(|pair| pair[0].last < pair[1].first));
            for key in 0..300 {
                let found = flat.iter().find(|range| (range.first..=range.last).contains(&key)).map(|range| range.value);
                let narrowest = ranges
                    .iter()
                    .filter(|range| (range.span.first..=range.span.last).contains(&key))
                    .min_by_key(|range| range.span.last - range.span.first)
                    .map(|range| range.raw);
                prop_assert_eq!(found, narrowest, "{}", key);
            }
        }
    }
}
