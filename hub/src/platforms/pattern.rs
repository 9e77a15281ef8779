//! An indicator's kind and value as a STIX pattern, and back (STIX 2.1 §9).
//!
//! STIX has no telephone number, messenger account or bank account: they are a `user-account` whose `account_type` says
//! what it is. Links are kept without their scheme, and asked for with both.

use std::fmt::Write as _;

/// Kinds that are a `user-account`, with their `account_type`.
const ACCOUNTS: [(&str, &str); 6] = [
    ("number", "phone"),
    ("sender-id", "sms-sender"),
    ("wechat", "wechat"),
    ("qq", "qq"),
    ("telegram", "telegram"),
    ("bank-account", "bank-account"),
];

/// Most comparisons of a pattern that is read.
const COMPARISONS_MAX: usize = 100;

/// The pattern for an indicator; none for a kind that has none.
pub(super) fn emit(kind: &str, value: &str) -> Option<String> {
    let quoted = quote(value);
    Some(match kind {
        "domain" => format!("[domain-name:value = {quoted}]"),
        "email" => format!("[email-addr:value = {quoted}]"),
        "url" => {
            let (http, https) = (quote(&format!("http://{value}")), quote(&format!("https://{value}")));
            format!("[url:value = {http} OR url:value = {https}]")
        }
        _ => {
            let account = ACCOUNTS.iter().find(|(own, _)| *own == kind)?.1;
            format!("[user-account:account_type = '{account}' AND user-account:account_login = {quoted}]")
        }
    })
}

/// §9.2: a quote and a backslash are escaped.
fn quote(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('\'');
    for character in value.chars() {
        if matches!(character, '\'' | '\\') {
            out.push('\\');
        }
        // Writing to a String doesn't fail.
        let _written = out.write_char(character);
    }
    out.push('\'');
    out
}

/// The indicators that a pattern asks for, as kind and value (not yet in canonical form); none where it is more than a
/// choice between them, since its meaning would be lost.
pub(super) fn parse(pattern: &str) -> Option<Vec<(String, String)>> {
    let tokens = tokens(pattern)?;
    let mut found = Vec::new();
    let mut rest = &tokens[..];
    loop {
        rest = observation(rest, &mut found)?;
        match rest.split_first() {
            None => return Some(found),
            Some((Token::Word(word), after)) if word == "OR" => rest = after,
            Some(_) => return None,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Word(String),
    Sign(char),
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if tokens.len() > 8 * COMPARISONS_MAX {
            return None;
        }
        match character {
            _ if character.is_whitespace() => {}
            '[' | ']' | '=' | '(' | ')' | ',' => tokens.push(Token::Sign(character)),
            '\'' => {
                let mut text = String::new();
                loop {
                    match characters.next()? {
                        '\\' => text.push(characters.next()?),
                        '\'' => break,
                        other => text.push(other),
                    }
                }
                tokens.push(Token::Text(text));
            }
            _ if is_word(character) => {
                let mut word = String::from(character);
                while let Some(next) = characters.next_if(|next| is_word(*next)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            _ => return None,
        }
    }
    Some(tokens)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, ':' | '.' | '_' | '-')
}

/// `[ … ]`: comparisons joined by AND bind closer than those joined by OR.
fn observation<'a>(tokens: &'a [Token], found: &mut Vec<(String, String)>) -> Option<&'a [Token]> {
    let mut rest = sign(tokens, '[')?;
    let mut all_of = Vec::new();
    loop {
        let (path, values, after) = comparison(rest)?;
        all_of.push((path, values));
        let (next, after) = after.split_first()?;
        rest = after;
        match next {
            Token::Word(word) if word == "AND" => continue,
            Token::Word(word) if word == "OR" => indicators(&all_of, found)?,
            Token::Sign(']') => {
                indicators(&all_of, found)?;
                return (found.len() <= COMPARISONS_MAX).then_some(rest);
            }
            _ => return None,
        }
        all_of.clear();
    }
}

/// `path = 'text'` or `path IN ('text', …)`.
fn comparison(tokens: &[Token]) -> Option<(&str, Vec<&str>, &[Token])> {
    let (Token::Word(path), rest) = tokens.split_first()? else { return None };
    if let Some(rest) = sign(rest, '=') {
        let (Token::Text(value), rest) = rest.split_first()? else { return None };
        return Some((path, vec![value], rest));
    }
    let (Token::Word(word), rest) = rest.split_first()? else { return None };
    if word != "IN" {
        return None;
    }
    let mut rest = sign(rest, '(')?;
    let mut values = Vec::new();
    loop {
        let (Token::Text(value), after) = rest.split_first()? else { return None };
        values.push(&value[..]);
        match after.split_first()? {
            (Token::Sign(','), after) => rest = after,
            (Token::Sign(')'), after) => return Some((path, values, after)),
            _ => return None,
        }
    }
}

fn sign(tokens: &[Token], wanted: char) -> Option<&[Token]> {
    match tokens.split_first()? {
        (Token::Sign(sign), rest) if *sign == wanted => Some(rest),
        _ => None,
    }
}

/// What comparisons mean that must hold together.
fn indicators(all_of: &[(&str, Vec<&str>)], found: &mut Vec<(String, String)>) -> Option<()> {
    let values = |kind: &str, values: &[&str], found: &mut Vec<(String, String)>| {
        found.extend(values.iter().map(|value| (kind.to_owned(), (*value).to_owned())));
    };
    match all_of {
        [(path, texts)] => {
            let kind = match *path {
                "domain-name:value" => "domain",
                "url:value" => "url",
                "email-addr:value" => "email",
                _ => return None,
            };
            values(kind, texts, found);
        }
        [(one, first), (other, second)] => {
            let (types, texts) = match (*one, *other) {
                ("user-account:account_type", path) if is_login(path) => (first, second),
                (path, "user-account:account_type") if is_login(path) => (second, first),
                _ => return None,
            };
            let [account] = types[..] else { return None };
            values(ACCOUNTS.iter().find(|(_, own)| *own == account)?.0, texts, found);
        }
        _ => return None,
    }
    Some(())
}

fn is_login(path: &str) -> bool {
    matches!(path, "user-account:account_login" | "user-account:user_id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yumen_exchange::check::INDICATOR_KINDS;

    fn pairs(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(pairs.iter().map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn choices_between_indicators_are_read() {
        assert_eq!(
            parse("[domain-name:value = 'a.example'] OR [url:value IN ('http://b.example/x', 'c')]"),
            pairs(&[("domain", "a.example"), ("url", "http://b.example/x"), ("url", "c")])
        );
        assert_eq!(
            parse(
                "[user-account:account_login='a' AND user-account:account_type='qq' OR email-addr:value='e']"
            ),
            pairs(&[("qq", "a"), ("email", "e")])
        );
    }

    #[test]
    fn what_means_more_than_a_choice_is_not_read_as_one() {
        for pattern in [
            "",
            "[",
            "[]",
            "domain-name:value = 'a'",
            "[domain-name:value != 'a']",
            "[domain-name:value = 'a' AND url:value = 'b']",
            "[domain-name:value = 'a'] AND [url:value = 'b']",
            "[domain-name:value = 'a'] FOLLOWEDBY [url:value = 'b']",
            "[NOT domain-name:value = 'a']",
            "[domain-name:value LIKE 'a%']",
            "[domain-name:value = 'a'",
            "[domain-name:value = 'a]",
            "[user-account:account_type = 'unix' AND user-account:account_login = 'root']",
            "[file:hashes.MD5 = '0']",
            "[domain-name:value IN ('a',)]",
        ] {
            assert_eq!(parse(pattern), None, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(at in 0..INDICATOR_KINDS.len(), value in "\\PC{1,40}") {
            let kind = INDICATOR_KINDS[at];
            let back = parse(&emit(kind, &value).unwrap()).unwrap();
            if kind == "url" {
                prop_assert_eq!(back, pairs(&[("url", &format!("http://{value}")), ("url", &format!("https://{value}"))]).unwrap());
            } else {
                prop_assert_eq!(back, pairs(&[(kind, &value)]).unwrap());
            }
        }

        #[test]
        fn nothing_makes_it_panic(pattern in "[\\[\\]()=',A-Z a-z:'\\\\-]{0,60}|\\PC{0,60}") {
            let _parsed = parse(&pattern);
        }
    }
}
