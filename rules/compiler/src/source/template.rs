//! Texts that differ from event to event: `1700000{0001}` counts up, `1390000{####}` jumps about.

/// A text with places that depend on the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    /// `{0001}`, `{0001+7}`, `{0099-1}`: as wide as it is written, going round.
    Counted {
        first: u64,
        step: i64,
        width: u32,
    },
    /// `{####}`: another number each time, near no other one, the same in every run.
    Scattered {
        width: u32,
    },
}

/// Widest number of a place.
const WIDTH_MAX: usize = 12;

impl Template {
    /// From what is written; `None` where a brace isn't closed or holds something else.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = written;
        while let Some((fixed, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}')?;
            pieces.push(Piece::Fixed(fixed.to_owned()));
            pieces.push(piece(place)?);
            rest = after;
        }
        if rest.contains('}') {
            return None;
        }
        pieces.push(Piece::Fixed(rest.to_owned()));
        Some(Self(pieces))
    }

    /// The text of the `nth` event, from 0.
    #[must_use]
    pub fn at(&self, nth: u64) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            let (number, width) = match piece {
                Piece::Fixed(fixed) => {
                    out.push_str(fixed);
                    continue;
                }
                Piece::Counted { first, step, width } => {
                    let moved = i128::from(*first) + i128::from(*step) * i128::from(nth);
                    (moved.rem_euclid(10i128.pow(*width)), *width)
                }
                // Coprime to 10: no number comes twice before all have come.
                Piece::Scattered { width } => {
                    ((i128::from(nth) * SCATTER + SCATTER_FIRST).rem_euclid(10i128.pow(*width)), *width)
                }
            };
            let width = width as usize;
            out.push_str(&format!("{number:0width$}"));
        }
        out
    }
}

const SCATTER: i128 = 618_033_988_749;
const SCATTER_FIRST: i128 = 271_828_182_845;

fn piece(place: &str) -> Option<Piece> {
    if (1..=WIDTH_MAX).contains(&place.len()) && place.bytes().all(|byte| byte == b'#') {
        return Some(Piece::Scattered { width: u32::try_from(place.len()).ok()? });
    }
    let (first, step) = match place.split_once(['+', '-']) {
        None => (place, 1),
        Some((first, step)) => {
            let amount: i64 = step.parse().ok().filter(|step| (0..=STEP_MAX).contains(step))?;
            (first, if place.contains('-') { -amount } else { amount })
        }
    };
    let digits = (1..=WIDTH_MAX).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_digit());
    let width = u32::try_from(first.len()).ok()?;
    digits.then_some(Piece::Counted { first: first.parse().ok()?, step, width })
}

const STEP_MAX: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn places_count_up_down_and_round() {
        let at = |written: &str, nth| Template::parse(written).expect("a template").at(nth);
        assert_eq!(at("1700000{0001}", 0), "17000000001");
        assert_eq!(at("1700000{0001}", 41), "17000000042");
        assert_eq!(at("a{7+5}b{9-2}", 2), "a7b5");
        assert_eq!(at("plain", 9), "plain");
    }

    #[test]
    fn scattered_numbers_all_differ() {
        let template = Template::parse("1390000{####}").expect("a template");
        let all: HashSet<String> = (0..10_000).map(|nth| template.at(nth)).collect();
        assert_eq!(all.len(), 10_000);
    }

    #[test]
    fn what_is_no_template() {
        for written in ["{", "}", "{}", "{x}", "{12", "{1+x}", "{1+-2}", "{#1}", "{1234567890123}"] {
            assert_eq!(Template::parse(written), None, "{written}");
        }
    }
}
