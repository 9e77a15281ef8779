//! Telephone and card numbers in a cluster, whatever separates their digits.

use super::cluster::Cluster;
use super::sink::Sink;
use super::words::{ends_with, starts_with};
use super::{Around, ContactKind};
use crate::fold::digits::digit;

/// Most digits of one run that are looked at; what follows starts a new run.
const RUN_LEN_MAX: usize = 48;

/// What stands before a digit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Another digit.
    None,
    /// `-`, `.` or `_`.
    Mark,
    /// A space, or the start.
    Space,
}

/// Digits side by side, with their gaps.
struct Run {
    digits: [u8; RUN_LEN_MAX],
    at: [usize; RUN_LEN_MAX],
    gaps: [Gap; RUN_LEN_MAX],
    len: usize,
    /// Where it ends in the cluster.
    end: usize,
}

/// Finds numbers.
pub(super) fn find(cluster: &Cluster, around: &Around<'_>, sink: &mut Sink<'_>) {
    let text = cluster.text();
    let mut run = Run::new();
    let mut gap = Gap::Space;
    for (at, byte) in text.iter().enumerate() {
        if run.len == RUN_LEN_MAX {
            run.find(cluster, around, sink);
            run.len = 0;
        }
        match (digit(text, at), byte) {
            (Some(digit), _) => {
                run.push(digit, at, gap);
                gap = Gap::None;
            }
            (None, b' ') => gap = Gap::Space,
            (None, b'-' | b'.' | b'_') => gap = if gap == Gap::Space { Gap::Space } else { Gap::Mark },
            (None, _) => {
                run.find(cluster, around, sink);
                run.len = 0;
                gap = Gap::Space;
                redacted(cluster, at, sink);
            }
        }
    }
    run.find(cluster, around, sink);
}

/// Eleven `x` stand for a mobile number in texts that were redacted before they came here: a mobile number, but
/// no value. Other masks (`138****0000`) are the recipient's own number, as a rule, and no contact.
fn redacted(cluster: &Cluster, at: usize, sink: &mut Sink<'_>) {
    let text = cluster.text();
    let is_start = at
        .checked_sub(1)
        .and_then(|before| text.get(before))
        .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let rest = text.get(at..).unwrap_or_default();
    if is_start
        && rest.iter().take_while(|byte| **byte == b'x').count() == 11
        && !rest.get(11).is_some_and(u8::is_ascii_alphanumeric)
    {
        sink.put(ContactKind::Mobile, cluster.offset(at)..cluster.offset(at + 11), &[]);
    }
}

impl Run {
    const fn new() -> Self {
        Self {
            digits: [0; RUN_LEN_MAX],
            at: [0; RUN_LEN_MAX],
            gaps: [Gap::None; RUN_LEN_MAX],
            len: 0,
            end: 0,
        }
    }

    fn push(&mut self, digit: u8, at: usize, gap: Gap) {
        let slots = (self.digits.get_mut(self.len), self.at.get_mut(self.len), self.gaps.get_mut(self.len));
        if let (Some(digit_slot), Some(at_slot), Some(gap_slot)) = slots {
            (*digit_slot, *at_slot, *gap_slot) = (digit, at, gap);
            self.len += 1;
            self.end = at + 1;
        }
    }

    /// The gap before a digit; the end counts as a gap.
    fn gap(&self, at: usize) -> Gap {
        if at >= self.len { Gap::Space } else { self.gaps.get(at).copied().unwrap_or(Gap::Space) }
    }

    fn find(&self, cluster: &Cluster, around: &Around<'_>, sink: &mut Sink<'_>) {
        let mut start = 0;
        while start < self.len {
            match self.longest_fit(start, cluster, around) {
                Some((kind, end, skipped)) => {
                    let digits = self.digits.get(start + skipped..end).unwrap_or_default();
                    sink.put(kind, self.offset(cluster, start)..self.offset_end(cluster, end), &[digits]);
                    start = end;
                }
                None => {
                    start = (start + 1..self.len).find(|at| self.gap(*at) != Gap::None).unwrap_or(self.len)
                }
            }
        }
    }

    /// What starts at `start`: its kind, its end, and how many digits of prefix are no part of it. The chunk alone
    /// is tried first, so that `15 13800000000` isn't read across the gap.
    fn longest_fit(
        &self,
        start: usize,
        cluster: &Cluster,
        around: &Around<'_>,
    ) -> Option<(ContactKind, usize, usize)> {
        let mut marks_only = true;
        let mut chunks = 0;
        for end in start + 1..=self.len.min(start + 20) {
            if self.gap(end) == Gap::None {
                continue;
            }
            let digits = self.digits.get(start..end)?;
            let context = Context {
                before: around.before(cluster.offset(self.at.get(start).copied().unwrap_or_default())),
                after: around.after(self.offset_end(cluster, end)),
                chunks,
                marks_only,
            };
            if let Some((kind, skipped)) = classify(digits, &context) {
                return Some((kind, end, skipped));
            }
            chunks += 1;
            marks_only &= self.gap(end) == Gap::Mark;
        }
        None
    }

    fn offset(&self, cluster: &Cluster, at: usize) -> u32 {
        cluster.offset(self.at.get(at).copied().unwrap_or(self.end))
    }

    fn offset_end(&self, cluster: &Cluster, end: usize) -> u32 {
        let last = end.checked_sub(1).and_then(|last| self.at.get(last)).copied().unwrap_or_default();
        cluster.offset(last + 1)
    }
}

/// What stands around some digits.
struct Context<'t> {
    before: &'t [u8],
    after: &'t [u8],
    /// Gaps inside.
    chunks: usize,
    /// All of them marks.
    marks_only: bool,
}

/// The kind of number, and the length of its country or dialling prefix.
fn classify(digits: &[u8], context: &Context<'_>) -> Option<(ContactKind, usize)> {
    for prefix in [&b""[..], b"86", b"0086", b"0"] {
        if digits.strip_prefix(prefix).is_some_and(is_mobile) {
            return Some((ContactKind::Mobile, prefix.len()));
        }
    }
    let long = match digits {
        [b'4' | b'8', b'0', b'0', ..] => context.chunks <= 3 && digits.len() == 10,
        [b'1', b'0', b'6', ..] => context.chunks == 0 && (10..=20).contains(&digits.len()),
        [b'0', ..] => context.chunks <= 2 && is_fixed(digits),
        _ => false,
    };
    if long {
        return Some((ContactKind::Phone, 0));
    }
    if is_card(digits, context) {
        return Some((ContactKind::BankAccount, 0));
    }
    if is_amount(context.after) {
        return None;
    }
    let announced = is_announced(context);
    let short = context.chunks == 0 && digits.len() == 5 && is_service_code(digits) && announced;
    let local = (7..=8).contains(&digits.len())
        && matches!(digits.first(), Some(b'2'..=b'8'))
        && context.chunks <= 1
        && context.marks_only
        && announced
        && !digits.starts_with(b"20");
    (short || local).then_some((ContactKind::Phone, 0))
}

fn is_mobile(digits: &[u8]) -> bool {
    digits.len() == 11 && matches!(digits, [b'1', b'3'..=b'9', ..])
}

/// Area code and number: 10 to 12 digits.
fn is_fixed(digits: &[u8]) -> bool {
    match digits {
        [b'0', b'1', b'0', b'1'..=b'9', ..] | [b'0', b'2', b'0'..=b'9', b'1'..=b'9', ..] => {
            digits.len() == 11
        }
        [b'0', b'3'..=b'9', b'0'..=b'9', b'0'..=b'9', b'1'..=b'9', ..] => (11..=12).contains(&digits.len()),
        _ => false,
    }
}

/// 95xxx, 96xxx, 100xx, 12xxx.
fn is_service_code(digits: &[u8]) -> bool {
    matches!(digits, [b'9', b'5' | b'6', ..] | [b'1', b'0', b'0', ..] | [b'1', b'2', ..])
}

/// 16 to 19 digits with a right check digit of a card that begins as Chinese or international ones do, or any that are
/// called an account.
fn is_card(digits: &[u8], context: &Context<'_>) -> bool {
    if !(16..=19).contains(&digits.len()) {
        return false;
    }
    let called = ["卡号", "账号", "账户", "户头", "卡", "汇入", "打到", "转到", "转入"];
    let is_called = called.iter().any(|word| ends_with(context.before, word));
    is_called || luhn(digits) && matches!(digits, [b'6', b'2', ..] | [b'4' | b'5', ..])
}

/// The check digit of ISO/IEC 7812-1.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(digit - b'0');
            let doubled = value * 2;
            if at % 2 == 0 { value } else { doubled / 10 + doubled % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Words before or after say that this is a number to call.
fn is_announced(context: &Context<'_>) -> bool {
    const BEFORE: [&str; 26] = [
        "电话",
        "致电",
        "拨打",
        "拨",
        "热线",
        "详询",
        "咨询",
        "来电",
        "回电",
        "客服",
        "电",
        "座机",
        "专线",
        "联系",
        "联络",
        "服务",
        "询",
        "打",
        "投诉",
        "举报",
        "tel",
        "call",
        "hotline",
        "短信至",
        "发送至",
        "发至",
    ];
    const AFTER: [&str; 7] = ["客服", "热线", "电话", "投诉", "服务", "咨询", "举报"];
    let before = context.before.trim_ascii_end();
    let before = before.strip_suffix("号码".as_bytes()).unwrap_or(before);
    let before = before.strip_suffix(b":").unwrap_or(before);
    BEFORE.iter().any(|word| ends_with(before, word))
        || AFTER.iter().any(|word| starts_with(context.after, word))
}

fn is_amount(after: &[u8]) -> bool {
    const UNITS: [&str; 13] = ["元", "万", "块", "千", "亿", "股", "人", "名", "分", "积", "点", "美", "%"];
    UNITS.iter().any(|unit| starts_with(after, unit))
}
