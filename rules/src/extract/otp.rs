//! The form of a one-time password message: words for a code, a code, and nobody asks to be told it.

use super::link::find_bytes;
use super::words::ends_with;
use crate::fold::digits::width;

/// Words for a one-time code in Chinese, folded.
pub(super) const WORDS_HAN: [&str; 20] = [
    "验证码",
    "校验码",
    "动态码",
    "动态密码",
    "短信码",
    "确认码",
    "随机码",
    "认证码",
    "一次性密码",
    "一次性口令",
    "短信密码",
    "安全码",
    "动态口令",
    "授权码",
    "检核码",
    "交易码",
    "验证密码",
    "登录码",
    "识别码",
    "激活码",
];
/// Words for a one-time code in other languages, folded.
pub(super) const WORDS_LATIN: [&str; 38] = [
    "verification code",
    "verify code",
    "one time pass",
    "one time pin",
    "one-time pass",
    "one-time pin",
    "one time code",
    "one-time code",
    "otp",
    "passcode",
    "security code",
    "confirmation code",
    "login code",
    "sign in code",
    "sign-in code",
    "access code",
    "auth code",
    "authentication code",
    "authorization code",
    "verification pin",
    "your code",
    "code is",
    "is your",
    "code:",
    "codigo de",
    "code de verification",
    "code de securite",
    "bestatigungscode",
    "sicherheitscode",
    "codice di verifica",
    "kode verifikasi",
    "kode otp",
    "ma xac",
    "ma otp",
    "dogrulama kodu",
    "kod weryfikacyjny",
    "tan lautet",
    "verificatiecode",
];
/// Words for a one-time code in other scripts, folded.
pub(super) const WORDS_OTHER: [&str; 3] = ["인증번호", "认证コ", "รหัส"];

/// What has a code and is no password: prizes and vouchers, folded.
const OTHER_CODES: [&str; 9] =
    ["奖", "discount", "promo", "voucher", "coupon", "prize", "winner", "you won", "you have won"];

/// Asking to be told the code, folded.
pub(super) const ASKS: [&str; 38] = [
    "告诉我",
    "告诉客服",
    "告诉工作人员",
    "告知客服",
    "告知我",
    "告知工作人员",
    "发给我",
    "发给客服",
    "发给对方",
    "发给工作人员",
    "转发给",
    "转发至",
    "转发到",
    "发送给",
    "发我",
    "发至客服",
    "报给我",
    "报给客服",
    "念给",
    "提供给我",
    "提供给客服",
    "提供给工作人员",
    "回复验证码",
    "验证码回复",
    "验证码发",
    "把验证码",
    "验证码报",
    "截图给",
    "send me",
    "send us",
    "send the code",
    "forward this",
    "forward the",
    "tell me",
    "share the code with",
    "reply with the",
    "read out the",
    "text back the",
];
/// What turns asking into a warning, within [`WARNING_LEN_MAX`] bytes before it.
const WARNINGS: [&str; 19] = [
    "勿",
    "不要",
    "不得",
    "别",
    "切莫",
    "严禁",
    "不会",
    "谨防",
    "任何人",
    "不能",
    "不可",
    "骗",
    "索要",
    "not",
    "never",
    "don t",
    "no one",
    "nobody",
    "anyone",
];
const WARNING_LEN_MAX: usize = 60;

/// Whether `folded`, which has that many Latin letters, has the form.
pub(super) fn is_otp(folded: &[u8], letters: u32) -> bool {
    let named = has_han_word(folded) || letters >= 3 && has_latin_word(folded);
    named && (has_code(folded) || has_short_code(folded)) && !is_other_code(folded) && !asks(folded)
}

fn is_other_code(folded: &[u8]) -> bool {
    OTHER_CODES.iter().any(|word| has_bytes(folded, word))
}

/// A word for a code that isn't Latin: each ends with one of a few characters, which texts seldom have.
fn has_han_word(folded: &[u8]) -> bool {
    let mut at = 0;
    while let Some(char) = folded.get(at..at + 3) {
        // 码, 令, コ, 호, ส
        let ends = matches!(
            *char,
            [0xe7, 0xa0, 0x81]
                | [0xe4, 0xbb, 0xa4]
                | [0xe3, 0x82, 0xb3]
                | [0xed, 0x98, 0xb8]
                | [0xe0, 0xb8, 0xaa]
        );
        if ends {
            let text = folded.get(..at + 3).unwrap_or_default();
            if WORDS_HAN.iter().chain(&WORDS_OTHER).any(|word| ends_with(text, word)) {
                return true;
            }
        }
        at += width(folded, at);
    }
    false
}

/// A word for a code in a language written in Latin letters. `is your` and `code is` need each other's company.
fn has_latin_word(folded: &[u8]) -> bool {
    let found = |word: &&str| match find_bytes(folded, word.as_bytes()) {
        // `otp` inside another word, `is your` of anything.
        Some(at) if *word == "otp" => {
            let around = [at.checked_sub(1), Some(at + 3)].map(|at| at.and_then(|at| folded.get(at)));
            !around.into_iter().flatten().any(u8::is_ascii_alphanumeric)
        }
        Some(_) if matches!(*word, "is your" | "codigo de") => {
            ["code", "pin", "passcode", "password", "verifica", "seguri", "confirma", "acces"]
                .iter()
                .any(|word| has_bytes(folded, word))
        }
        Some(_) => true,
        None => false,
    };
    // Every word has one of these in it; most texts have none.
    let anchored = folded
        .windows(3)
        .any(|window| matches!(window, b"cod" | b"kod" | b"otp" | b"pin" | b"pas" | b"ma " | b"tan"));
    anchored && WORDS_LATIN.iter().any(found)
}

/// A code: a word of 4 to 8 digits, or letters and digits, or masked by `x`; also `123-456` and `g-123456`.
fn has_code(folded: &[u8]) -> bool {
    let is_code = |word: &[u8]| {
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        let masked = word.iter().all(|byte| *byte == b'x');
        (4..=8).contains(&word.len()) && (digits == word.len() || digits >= 2 || masked)
    };
    let mut pair = 0;
    for word in folded.split(|byte| !byte.is_ascii_alphanumeric()) {
        if is_code(word) {
            return true;
        }
        // `123 456`, `123-456`.
        let three = word.len() == 3 && word.iter().all(u8::is_ascii_digit);
        pair = if three { pair + 1 } else { 0 };
        if pair == 2 {
            return true;
        }
    }
    false
}

/// A shorter code right behind its word: `验证码e7ud`, `验证码是489`.
fn has_short_code(folded: &[u8]) -> bool {
    let word = "码".as_bytes();
    let mut rest = folded;
    while let Some(at) = find_bytes(rest, word) {
        rest = rest.get(at + word.len()..).unwrap_or_default();
        let after = ["是", "为"].iter().find_map(|link| rest.strip_prefix(link.as_bytes())).unwrap_or(rest);
        let len = after.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if (3..=8).contains(&len) {
            return true;
        }
    }
    false
}

fn asks(folded: &[u8]) -> bool {
    ASKS.iter().any(|ask| {
        let mut from = 0;
        while let Some(at) = find_bytes(folded.get(from..).unwrap_or_default(), ask.as_bytes()) {
            let at = from + at;
            let before = folded.get(at.saturating_sub(WARNING_LEN_MAX)..at).unwrap_or_default();
            if !WARNINGS.iter().any(|warning| has_bytes(before, warning)) {
                return true;
            }
            from = at + ask.len();
        }
        false
    })
}

fn has_bytes(text: &[u8], word: &str) -> bool {
    find_bytes(text, word.as_bytes()).is_some()
}
