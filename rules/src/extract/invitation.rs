//! Invitations that give no id: `加微信`, `加V`, `扫码进群`, `微信同号`.

use super::sink::Sink;
use super::words::{behind, ends_with, starts_with};
use super::{Around, ContactKind};

/// What may stand between the verb and the word for WeChat.
const BETWEEN: [&str; 19] = [
    "我的", "我", "个", "下", "一下", "老师", "客服", "助理", "经理", "顾问", "专员", "好友", "企业", "工作",
    "本人", "他的", "她的", "上", "下方",
];
/// Words for WeChat after a verb, folded.
pub(super) const NAMES: [&str; 17] = [
    "微信", "微", "薇", "威信", "徽信", "维信", "卫信", "威芯", "徽芯", "维芯", "卫芯", "v信", "w信", "vx",
    "wx", "weixin", "wechat",
];
/// Verbs that invite.
const VERBS: [&str; 5] = ["加", "添", "搜", "联系", "+"];
/// With these before it, `加` is part of another word, or adds something else.
const NO_VERB_AFTER: [&str; 9] = ["增", "参", "更", "叠", "附", "施", "强", "新", "再"];
/// What makes `微` part of another word.
const NO_NAME_BEFORE: [&str; 17] = [
    "量", "弱", "小", "波", "笑", "博", "软", "观", "型", "电影", "整", "创", "商城", "调", "利", "服务",
    "积分",
];

/// Finds one invitation.
pub(super) fn find(around: &Around<'_>, sink: &mut Sink<'_>) {
    if sink.any(ContactKind::Wechat) {
        return;
    }
    let text = around.folded;
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let len = invitation(rest, text.get(..at).unwrap_or_default());
        if let (Some(len), Ok(start)) = (len, u32::try_from(at)) {
            sink.put(ContactKind::Wechat, start..start + u32::try_from(len).unwrap_or_default(), &[]);
            return;
        }
        at += crate::fold::digits::width(text, at);
    }
}

/// The length of the invitation that starts here, or where `same number` does, of that.
fn invitation(rest: &[u8], before: &[u8]) -> Option<usize> {
    // Most characters are none of the few that invitations begin with.
    match *rest {
        [b'+', ..] => verb(rest, before),
        [0xe5, 0x8a, 0xa0, ..] | [0xe6, 0xb7, 0xbb, ..] | [0xe6, 0x90, 0x9c, ..] | [0xe8, 0x81, 0x94, ..] => {
            verb(rest, before)
        }
        [0xe6, 0x89, 0xab, ..] => scan(rest),
        [0xe5, 0x90, 0x8c, ..] => same_number(rest, before),
        _ => None,
    }
}

/// `加我微信`, `加V`.
fn verb(rest: &[u8], before: &[u8]) -> Option<usize> {
    let mut after = VERBS.iter().find_map(|verb| behind(rest, verb))?;
    if NO_VERB_AFTER.iter().any(|word| ends_with(before, word)) {
        return None;
    }
    after = after.strip_prefix("加".as_bytes()).unwrap_or(after);
    for _ in 0..2 {
        after = BETWEEN.iter().find_map(|word| behind(after, word)).unwrap_or(after);
    }
    let end = name(after).or_else(|| letter(after))?;
    Some(rest.len() - end.len())
}

/// A word for WeChat, and what follows it.
fn name(text: &[u8]) -> Option<&[u8]> {
    let (name, after) = NAMES.iter().find_map(|name| Some((*name, behind(text, name)?)))?;
    let other = name == "微" && NO_NAME_BEFORE.iter().any(|word| starts_with(after, word));
    let longer =
        name.ends_with(|char: char| char.is_ascii()) && after.first().is_some_and(u8::is_ascii_alphabetic);
    (!other && !longer).then_some(after)
}

/// `V` as a word, or with an id glued to it.
fn letter(text: &[u8]) -> Option<&[u8]> {
    let after = text.strip_prefix(b"v")?;
    let word =
        after.get(..after.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(after.len()))?;
    (word.is_empty() || word.iter().any(u8::is_ascii_digit)).then_some(after)
}

/// `扫码进群`, `扫描下方二维码添加`.
fn scan(rest: &[u8]) -> Option<usize> {
    const CODES: [&str; 6] = ["扫码", "扫二维码", "扫描二维码", "扫描下方二维码", "扫下方二维码", "扫描下图"];
    const WHAT: [&str; 12] =
        ["进群", "入群", "进裙", "入裙", "加群", "加入", "加微", "加薇", "加好友", "添加", "进q群", "加我"];
    let code = CODES.iter().find(|code| starts_with(rest, code))?;
    let after = rest.get(code.len()..)?;
    let near = after.get(..after.len().min(SCAN_LEN_MAX)).unwrap_or_default();
    let (at, what) =
        WHAT.iter().find_map(|what| Some((super::link::find_bytes(near, what.as_bytes())?, what.len())))?;
    Some(code.len() + at + what)
}

/// So far behind the code what it is for may stand, bytes.
const SCAN_LEN_MAX: usize = 24;

/// The `同号` of `微信同号`, `v同步`: the number beside it is the id.
fn same_number(rest: &[u8], before: &[u8]) -> Option<usize> {
    let same = ["同号", "同步", "同电话"].into_iter().find(|same| starts_with(rest, same))?;
    let named = NAMES.iter().any(|name| ends_with(before, name));
    let letter =
        before.strip_suffix(b"v").is_some_and(|rest| !rest.last().is_some_and(u8::is_ascii_alphanumeric));
    (named || letter).then_some(same.len())
}
