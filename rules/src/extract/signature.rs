//! The signature of a message: `【…】` at its start or its end.

use core::ops::Range;

/// Longest signature in bytes.
const SIGNATURE_LEN_MAX: usize = 90;
/// So much may stand behind a signature at the end (`退订回T`), bytes.
const TAIL_LEN_MAX: usize = 36;

/// Bytes of the signature without its brackets.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let blank = |char: char| char.is_whitespace() || matches!(char, '\u{feff}' | '\u{200b}'..='\u{200f}');
    let start = text.len() - text.trim_start_matches(blank).len();
    let end = text.trim_end_matches(blank).len();
    let trimmed = text.get(start..end)?;
    for (open, close) in [('【', '】'), ('〖', '〗')] {
        if let Some(range) =
            leading(trimmed, open, close).or_else(|| trailing(trimmed, open, close, TAIL_LEN_MAX))
        {
            return Some(start + range.start..start + range.end);
        }
    }
    for (open, close) in [('[', ']'), ('［', '］'), ('〔', '〕')] {
        let range = leading(trimmed, open, close).or_else(|| trailing(trimmed, open, close, 0));
        if let Some(range) = range.filter(|range| is_name(trimmed.get(range.clone()).unwrap_or_default())) {
            return Some(start + range.start..start + range.end);
        }
    }
    None
}

fn leading(text: &str, open: char, close: char) -> Option<Range<usize>> {
    let inside = text.strip_prefix(open)?;
    let len = inside.find(close)?;
    inner(text, open.len_utf8()..open.len_utf8() + len)
}

fn trailing(text: &str, open: char, close: char, tail_max: usize) -> Option<Range<usize>> {
    let earliest = text.len().saturating_sub(tail_max + close.len_utf8());
    let earliest = (earliest..=text.len()).find(|at| text.is_char_boundary(*at))?;
    let end = earliest + text.get(earliest..)?.rfind(close)?;
    let start = text.get(..end)?.rfind(open)? + open.len_utf8();
    inner(text, start..end)
}

fn inner(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let name = text.get(range.clone())?;
    (!name.trim().is_empty() && name.len() <= SIGNATURE_LEN_MAX).then_some(range)
}

/// Square brackets also hold emoticons, and placeholders.
fn is_name(name: &str) -> bool {
    let letters = name.chars().filter(|char| char.is_alphabetic()).count();
    letters >= 2 && !EMOTICONS.contains(&name)
}

const EMOTICONS: [&str; 38] = [
    "微笑", "玫瑰", "握手", "鼓掌", "拥抱", "爱心", "太阳", "呲牙", "偷笑", "愉快", "抱拳", "礼物", "红包",
    "咖啡", "蛋糕", "庆祝", "烟花", "爆竹", "撇嘴", "大哭", "害羞", "憨笑", "坏笑", "鲜花", "啤酒", "胜利",
    "哈哈", "嘿哈", "捂脸", "奸笑", "机智", "加油", "可爱", "月亮", "转圈", "跳跳", "强强", "图片",
];

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn stands_at_the_start_or_the_end() {
        for (text, expected) in [
            ("【示例银行】您好", Some("示例银行")),
            ("  【示例银行】您好", Some("示例银行")),
            ("您好【示例银行】", Some("示例银行")),
            ("您好【示例银行】退订回T", Some("示例银行")),
            ("您好，退订回T【示例银行】", Some("示例银行")),
            ("您好[示例银行]", Some("示例银行")),
            ("[示例]您好", Some("示例")),
            ("您好[微笑]", None),
            ("您好[强]", None),
            ("我在【商场】的三楼等你，你下了班就过来，我们一起吃饭好不好", None),
            ("【】您好", None),
            ("【您好", None),
            ("您好】", None),
            ("", None),
        ] {
            assert_eq!(find(text).map(|range| &text[range]), expected, "{text}");
        }
    }
}
