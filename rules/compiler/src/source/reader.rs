//! Typed access to a TOML table that reports every wrong value where it stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::map::{FileId, Span};
use super::text::Text;
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};

/// Reads the values of one file.
pub(super) struct Reader<'a> {
    pub(super) file: FileId,
    pub(super) source: &'a str,
    pub(super) out: &'a mut Diagnostics,
}

/// A table of the file with what to call it.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) table: &'a DeTable<'a>,
    pub(super) place: &'a str,
    pub(super) span: Span,
}

impl Reader<'_> {
    /// Reports fields that the section doesn't have.
    pub(super) fn only(&mut self, section: Section<'_>, known: &[&str]) {
        for key in section.table.keys() {
            let field = key.get_ref();
            if !known.contains(&field.as_ref()) {
                let defect =
                    Defect::UnknownField { field: field.to_string(), place: section.place.to_owned() };
                let all = known.join(", ");
                let diagnostic = Diagnostic::at(self.span(key), defect)
                    .nearest(field, known.iter().copied())
                    .help(Words::new(format!("可用的字段：{all}"), format!("its fields: {all}")));
                self.out.push(diagnostic);
            }
        }
    }

    /// A string that may be absent.
    pub(super) fn text(&mut self, section: Section<'_>, field: &str) -> Option<Text> {
        let value = section.table.get(field)?;
        self.as_text(value, field)
    }

    /// A string that must be there.
    pub(super) fn required(&mut self, section: Section<'_>, field: &str) -> Option<Text> {
        if !section.table.contains_key(field) {
            let defect = Defect::MissingField { field: field.to_owned(), place: section.place.to_owned() };
            self.out.at(section.span, defect);
        }
        self.text(section, field)
    }

    /// A string's value, or nothing.
    pub(super) fn words(&mut self, section: Section<'_>, field: &str) -> String {
        self.text(section, field).map(|text| text.value).unwrap_or_default()
    }

    /// A string, or an array of strings.
    pub(super) fn texts(&mut self, section: Section<'_>, field: &str) -> Vec<Text> {
        let Some(value) = section.table.get(field) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(array) => array.iter().filter_map(|item| self.as_text(item, field)).collect(),
            DeValue::String(_) => self.as_text(value, field).into_iter().collect(),
            _ => {
                self.wrong_type(value, field, "文字或文字的数组", "a string or an array of strings");
                Vec::new()
            }
        }
    }

    /// A whole number.
    pub(super) fn integer(&mut self, section: Section<'_>, field: &str) -> Option<(i64, Span)> {
        let value = section.table.get(field)?;
        let span = self.span(value);
        if let DeValue::Integer(integer) = value.get_ref() {
            let digits = integer.as_str().replace('_', "");
            if let Ok(number) = i64::from_str_radix(&digits, integer.radix()) {
                return Some((number, span));
            }
            self.out.at(span, Defect::NumberRange { number: digits });
        } else {
            self.wrong_type(value, field, "整数", "a whole number");
        }
        None
    }

    /// One of several words.
    pub(super) fn word<T>(
        &mut self,
        section: Section<'_>,
        field: &str,
        allowed: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(section, field)?;
        self.parse_word(&text, field, allowed, parse)
    }

    /// Some of several words.
    pub(super) fn word_list<T>(
        &mut self,
        section: Section<'_>,
        field: &str,
        allowed: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let texts = self.texts(section, field);
        texts.iter().filter_map(|text| self.parse_word(text, field, allowed, &parse)).collect()
    }

    fn parse_word<T>(
        &mut self,
        text: &Text,
        field: &str,
        allowed: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let word = parse(&text.value);
        if word.is_none() {
            let defect = Defect::BadWord {
                field: field.to_owned(),
                value: text.value.clone(),
                allowed: allowed.join(", "),
            };
            self.out.push(Diagnostic::at(text.span, defect).nearest(&text.value, allowed.iter().copied()));
        }
        word
    }

    /// A value as a string with its place.
    pub(super) fn as_text(&mut self, value: &Spanned<DeValue<'_>>, field: &str) -> Option<Text> {
        let range = value.span();
        let DeValue::String(string) = value.get_ref() else {
            self.wrong_type(value, field, "文字", "a string");
            return None;
        };
        let token = self.source.get(range.clone()).unwrap_or_default();
        Some(Text::from_token(string.to_string(), self.file, offset(range.start), token))
    }

    /// Reports a value of another type than `expected`.
    pub(super) fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, field: &str, zh: &str, en: &str) {
        let defect = Defect::WrongType {
            field: field.to_owned(),
            expected_zh: zh.to_owned(),
            expected_en: en.to_owned(),
            found: kind(value.get_ref()).to_owned(),
        };
        let span = self.span(value);
        self.out.at(span, defect);
    }

    /// The place of a key or value.
    pub(super) fn span<T>(&self, spanned: &Spanned<T>) -> Span {
        let range = spanned.span();
        Span { file: self.file, start: offset(range.start), end: offset(range.end) }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "float",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "datetime",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "table",
    }
}

pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
