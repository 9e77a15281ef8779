//! The sections of a folder's files, read into the tree.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use yumen_rules::classify::Model;
use yumen_rules::pack::OrganisationKind;
use yumen_rules::signal::{Protected, View};
use yumen_rules::verdict::{Ladder, Typology};

use super::listed::ListedSource;
use super::map::{FileId, SourceMap, Span};
use super::reader::{Reader, Section, offset};
use super::sequence::SequenceSource;
use super::text::Text;
use super::tree::{
    Channels, Defaults, GroupSource, ListSource, MatchSource, ModuleSource, NamedMatch, ProtectSource,
    RedressSource, RuleSource, SenderSource, SuppressSource, TestSource, Tree,
};
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::draft::{ListKind, RedressTexts};
use crate::limits::REDRESS_CHARS_MAX;

/// Reads the files of one folder into `tree`.
pub fn read_module(sources: &mut SourceMap, files: &[FileId], tree: &mut Tree, out: &mut Diagnostics) {
    let texts: Vec<(FileId, String)> =
        files.iter().filter_map(|&id| sources.file(id).map(|file| (id, file.text.clone()))).collect();
    let documents: Vec<_> =
        texts.iter().map(|(id, text)| (*id, text.as_str(), parse(*id, text, out))).collect();

    let mut defaults: Option<(Defaults, Span)> = None;
    let mut module: Option<Span> = None;
    for (file, source, document) in &documents {
        let mut reader = Reader { file: *file, source, out };
        for (key, value) in document.get_ref() {
            let span = reader.span(key);
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("pack", DeValue::Table(table)) => {
                    let section = Section { table, place: "[pack]", span };
                    reader.once("pack", span, &mut module);
                    tree.modules.extend(reader.module(section));
                }
                ("defaults", DeValue::Table(table)) => {
                    let section = Section { table, place: "[defaults]", span };
                    let mut first = defaults.map(|(_, span)| span);
                    reader.once("defaults", span, &mut first);
                    defaults = Some((reader.defaults(section), span));
                }
                ("pack" | "defaults", _) => reader.wrong_type(value, key.get_ref(), "段", "a section"),
                _ => {}
            }
        }
    }
    let defaults = defaults.map(|(defaults, _)| defaults).unwrap_or_default();
    for (file, source, document) in &documents {
        let mut reader = Reader { file: *file, source, out };
        reader.sections(document.get_ref(), defaults, tree, sources);
    }
}

fn parse<'a>(file: FileId, text: &'a str, out: &mut Diagnostics) -> Spanned<DeTable<'a>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let range = error.span().unwrap_or(0..0);
        let span = Span { file, start: offset(range.start), end: offset(range.end) };
        out.at(span, Defect::Syntax { message: error.message().to_owned() });
    }
    document
}

const SECTIONS: [&str; 8] = ["group", "rule", "suppress", "protect", "list", "sender", "scenario", "redress"];
const MATCH_FIELDS: [&str; 6] = ["any", "all", "regex", "include", "view", "need"];
const GROUP_FIELDS: [&str; 7] = ["id", "any", "all", "regex", "include", "view", "need"];
const RULE_FIELDS: [&str; 13] = [
    "id",
    "typology",
    "title",
    "title_en",
    "score",
    "ladder",
    "channel",
    "overrides",
    "match",
    "when",
    "hit",
    "miss",
    "redress",
];
const SUPPRESS_FIELDS: [&str; 9] =
    ["id", "title", "title_en", "match", "when", "rules", "typologies", "hit", "miss"];
impl Reader<'_> {
    fn once(&mut self, name: &str, span: Span, first: &mut Option<Span>) {
        match *first {
            None => *first = Some(span),
            Some(first) => {
                let diagnostic = Diagnostic::at(span, Defect::SectionTwice { name: name.to_owned() });
                self.out.push(diagnostic.and(first, Words::new("第一次在这里", "first here")));
            }
        }
    }

    fn sections(
        &mut self,
        document: &DeTable<'_>,
        defaults: Defaults,
        tree: &mut Tree,
        sources: &mut SourceMap,
    ) {
        for (key, value) in document {
            let name = key.get_ref().as_ref();
            if name == "pack" || name == "defaults" {
                continue;
            }
            if let ("classifier", DeValue::Table(table)) = (name, value.get_ref()) {
                let section = Section { table, place: "[classifier]", span: self.span(key) };
                self.classifier(section, tree, sources);
                continue;
            }
            if !SECTIONS.contains(&name) {
                let defect = Defect::UnknownSection { name: name.to_owned() };
                self.out.push(Diagnostic::at(self.span(key), defect).nearest(name, SECTIONS));
                continue;
            }
            let DeValue::Array(array) = value.get_ref() else {
                self.wrong_type(value, name, "双方括号的段 [[…]]", "a section in double brackets, [[…]]");
                continue;
            };
            for item in array {
                let DeValue::Table(table) = item.get_ref() else {
                    self.wrong_type(item, name, "双方括号的段 [[…]]", "a section in double brackets, [[…]]");
                    continue;
                };
                let place = format!("[[{name}]]");
                let section = Section { table, place: &place, span: self.span(item) };
                match name {
                    "group" => tree.groups.extend(self.group(section)),
                    "rule" => tree.rules.extend(self.rule(section, defaults)),
                    "suppress" => tree.suppressions.extend(self.suppress(section)),
                    "protect" => tree.protections.extend(self.protect(section)),
                    "list" => tree.lists.extend(self.list(section, sources)),
                    "scenario" => self.scenario(section, tree),
                    "redress" => tree.redress.extend(self.redress_section(section)),
                    _ => tree.senders.extend(self.sender(section)),
                }
            }
        }
    }

    fn module(&mut self, section: Section<'_>) -> Option<ModuleSource> {
        self.only(section, &["name", "title", "title_en"]);
        let name = self.required(section, "name")?;
        let title_zh = self.words(section, "title");
        let title_en = self.words(section, "title_en");
        Some(ModuleSource { name, title_zh, title_en })
    }

    fn defaults(&mut self, section: Section<'_>) -> Defaults {
        self.only(section, &["typology", "ladder", "channel"]);
        Defaults {
            typology: self.typology(section),
            ladder: self.word(section, "ladder", &LADDERS, ladder),
            channels: self.channels(section),
        }
    }

    fn group(&mut self, section: Section<'_>) -> Option<GroupSource> {
        self.only(section, &GROUP_FIELDS);
        let members = self.members(section);
        Some(GroupSource { id: self.required(section, "id")?, members })
    }

    fn rule(&mut self, section: Section<'_>, defaults: Defaults) -> Option<RuleSource> {
        self.only(section, &RULE_FIELDS);
        let typology = self.typology(section).or(defaults.typology);
        if typology.is_none() && !section.table.contains_key("typology") {
            let defect =
                Defect::MissingField { field: "typology".to_owned(), place: section.place.to_owned() };
            self.out.push(Diagnostic::at(section.span, defect).help(Words::new(
                "写在规则里，或者写在本目录 pack.toml 的 [defaults] 里",
                "write it in the rule, or in [defaults] of this folder's pack.toml",
            )));
        }
        let title_zh = self.required(section, "title").map(|title| title.value).unwrap_or_default();
        let score = self.score(section);
        let (hits, misses) = (self.tests(section, "hit"), self.tests(section, "miss"));
        let default_channels = defaults.channels.unwrap_or(Channels { sms: true, call: false });
        let rule = RuleSource {
            typology,
            title_zh,
            title_en: self.words(section, "title_en"),
            score,
            ladder: self
                .word(section, "ladder", &LADDERS, ladder)
                .or(defaults.ladder)
                .unwrap_or(Ladder::Shadow),
            channels: self.channels(section).unwrap_or(default_channels),
            overrides: self.word_list(section, "overrides", &Protected::ALL.map(Protected::id), protected),
            matches: self.matches(section),
            when: self.required(section, "when"),
            hits: hits.texts,
            misses: misses.texts,
            hit_sequences: hits.sequences,
            miss_sequences: misses.sequences,
            redress: self.own_redress(section),
            span: section.span,
            id: self.required(section, "id")?,
        };
        Some(rule)
    }

    fn suppress(&mut self, section: Section<'_>) -> Option<SuppressSource> {
        self.only(section, &SUPPRESS_FIELDS);
        let (hits, misses) = (self.tests(section, "hit"), self.tests(section, "miss"));
        Some(SuppressSource {
            title_zh: self.words(section, "title"),
            title_en: self.words(section, "title_en"),
            matches: self.matches(section),
            when: self.required(section, "when"),
            rules: self.texts(section, "rules"),
            typologies: self.word_list(
                section,
                "typologies",
                &Typology::ALL.map(Typology::id),
                Typology::from_id,
            ),
            hits: hits.texts,
            misses: misses.texts,
            hit_sequences: hits.sequences,
            miss_sequences: misses.sequences,
            span: section.span,
            id: self.required(section, "id")?,
        })
    }

    fn protect(&mut self, section: Section<'_>) -> Option<ProtectSource> {
        self.only(section, &["id", "class", "match", "when"]);
        self.required(section, "class");
        Some(ProtectSource {
            class: self.protected_class(section),
            matches: self.matches(section),
            when: self.required(section, "when"),
            span: section.span,
            id: self.required(section, "id")?,
        })
    }

    /// `[[redress]]`: all languages, for a practice.
    fn redress_section(&mut self, section: Section<'_>) -> Option<RedressSource> {
        self.only(section, &["typology", "zh", "zh_hant", "en"]);
        for field in ["typology", "zh", "zh_hant", "en"] {
            self.required(section, field);
        }
        let texts = self.redress_texts(section);
        Some(RedressSource { typology: self.typology(section), texts, span: section.span })
    }

    /// A rule's `redress = { zh = …, zh_hant = …, en = … }`: some or all of them.
    fn own_redress(&mut self, section: Section<'_>) -> Option<(RedressTexts, Span)> {
        let value = section.table.get("redress")?;
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(value, "redress", "表：{ zh = …, en = … }", "a table: { zh = …, en = … }");
            return None;
        };
        let section = Section { table, place: "redress", span: self.span(value) };
        self.only(section, &["zh", "zh_hant", "en"]);
        Some((self.redress_texts(section), section.span))
    }

    fn redress_texts(&mut self, section: Section<'_>) -> RedressTexts {
        RedressTexts(["zh", "zh_hant", "en"].map(|field| {
            let Some(text) = self.text(section, field) else { return String::new() };
            let chars = text.value.chars().count();
            if chars > REDRESS_CHARS_MAX {
                let (chars, limit) = (chars.to_string(), REDRESS_CHARS_MAX.to_string());
                self.out.at(text.span, Defect::LongRedress { chars, limit });
            }
            text.value
        }))
    }

    /// `weights` names a file that `yumen rules train` wrote.
    fn classifier(&mut self, section: Section<'_>, tree: &mut Tree, sources: &mut SourceMap) {
        self.only(section, &["weights"]);
        let Some(name) = self.required(section, "weights") else { return };
        let lines: String = self.list_file(&name, sources).into_iter().map(|line| line.value).collect();
        if lines.is_empty() {
            return;
        }
        let section_bytes = data_encoding::BASE64.decode(lines.as_bytes()).ok();
        match section_bytes.filter(|bytes| Model::new_checked(bytes).is_some()) {
            Some(bytes) if tree.classifier.is_empty() => tree.classifier = bytes,
            Some(_) => self.out.at(section.span, Defect::SectionTwice { name: "classifier".to_owned() }),
            None => {
                let reason = "not weights that `yumen rules train` wrote".to_owned();
                self.out.at(name.span, Defect::Unreadable { path: name.value.clone(), reason });
            }
        }
    }

    fn list(&mut self, section: Section<'_>, sources: &mut SourceMap) -> Option<ListSource> {
        self.only(section, &["name", "kind", "entries", "file"]);
        let kind = self.word(section, "kind", &LIST_KINDS, list_kind).unwrap_or(ListKind::Exact);
        let mut entries = self.texts(section, "entries");
        if let Some(file) = self.text(section, "file") {
            entries.extend(self.list_file(&file, sources));
        }
        Some(ListSource { kind, entries, span: section.span, name: self.required(section, "name")? })
    }

    /// The entries of a list file: one a line, `#` begins a comment.
    fn list_file(&mut self, name: &Text, sources: &mut SourceMap) -> Vec<Text> {
        let folder = sources.file(self.file).map(|file| file.folder.clone()).unwrap_or_default();
        let path = folder.join(Path::new(&name.value));
        let id = match sources.read(&path) {
            Ok(id) => id,
            Err(error) => {
                let defect =
                    Defect::Unreadable { path: path.display().to_string(), reason: error.to_string() };
                self.out.at(name.span, defect);
                return Vec::new();
            }
        };
        let text = sources.file(id).map(|file| file.text.as_str()).unwrap_or_default();
        let mut at = 0usize;
        let mut entries = Vec::new();
        for line in text.split_inclusive('\n') {
            let content = line.split('#').next().unwrap_or_default();
            let blank = content.len().saturating_sub(content.trim_start().len());
            if !content.trim().is_empty() {
                entries.push(Text::bare(content.trim(), id, offset(at.saturating_add(blank))));
            }
            at = at.saturating_add(line.len());
        }
        entries
    }

    fn sender(&mut self, section: Section<'_>) -> Option<SenderSource> {
        self.only(section, &["organisation", "kind", "numbers", "signatures", "domains"]);
        self.required(section, "kind");
        Some(SenderSource {
            kind: self.word(section, "kind", &sender_kinds(), sender_kind).unwrap_or_default(),
            numbers: self.texts(section, "numbers"),
            signatures: self.texts(section, "signatures"),
            domains: self.texts(section, "domains"),
            organisation: self.required(section, "organisation")?,
        })
    }
}

/// What several sections have in common.
impl Reader<'_> {
    fn typology(&mut self, section: Section<'_>) -> Option<Typology> {
        self.word(section, "typology", &Typology::ALL.map(Typology::id), Typology::from_id)
    }

    fn protected_class(&mut self, section: Section<'_>) -> Option<Protected> {
        self.word(section, "class", &Protected::ALL.map(Protected::id), protected)
    }

    fn channels(&mut self, section: Section<'_>) -> Option<Channels> {
        if !section.table.contains_key("channel") {
            return None;
        }
        let words = self.word_list(section, "channel", &["sms", "call"], |word| match word {
            "sms" => Some(false),
            "call" => Some(true),
            _ => None,
        });
        Some(Channels { sms: words.contains(&false), call: words.contains(&true) })
    }

    fn score(&mut self, section: Section<'_>) -> u8 {
        if !section.table.contains_key("score") {
            let defect = Defect::MissingField { field: "score".to_owned(), place: section.place.to_owned() };
            self.out.at(section.span, defect);
        }
        let Some((score, span)) = self.integer(section, "score") else { return 1 };
        match u8::try_from(score) {
            Ok(score @ 1..=100) => score,
            _ => {
                self.out.at(span, Defect::ScoreRange { score: score.to_string() });
                1
            }
        }
    }

    fn members(&mut self, section: Section<'_>) -> MatchSource {
        let need = self.integer(section, "need").map(|(need, span)| {
            let checked = u16::try_from(need).ok().filter(|&need| need > 0);
            if checked.is_none() {
                self.out.at(span, Defect::NumberRange { number: need.to_string() });
            }
            (checked.unwrap_or(1), span)
        });
        MatchSource {
            any: self.texts(section, "any"),
            all: self.texts(section, "all"),
            regex: self.texts(section, "regex"),
            include: self.texts(section, "include"),
            view: self.word(section, "view", &VIEWS, view).unwrap_or(View::Folded),
            need,
            span: section.span,
        }
    }

    fn matches(&mut self, section: Section<'_>) -> Vec<NamedMatch> {
        let Some(value) = section.table.get("match") else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(
                value,
                "match",
                "表：match.名字 = { any = […] }",
                "a table: match.name = { any = […] }",
            );
            return Vec::new();
        };
        let mut matches = Vec::new();
        for (key, value) in table {
            let name = Text::bare(key.get_ref(), self.file, offset(key.span().start));
            let place = format!("match.{}", name.value);
            let DeValue::Table(table) = value.get_ref() else {
                self.wrong_type(value, &place, "表：{ any = […] }", "a table: { any = […] }");
                continue;
            };
            let section = Section { table, place: &place, span: name.span };
            self.only(section, &MATCH_FIELDS);
            matches.push(NamedMatch { name, members: self.members(section) });
        }
        matches
    }

    fn tests(&mut self, section: Section<'_>, field: &str) -> Tests {
        let mut tests = Tests::default();
        let Some(value) = section.table.get(field) else { return tests };
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) if table.contains_key("events") => {
                    let section = Section { table, place: field, span: self.span(item) };
                    tests.sequences.extend(self.sequence(section));
                }
                _ => tests.texts.extend(self.test(item, field)),
            }
        }
        tests
    }

    fn test(&mut self, item: &Spanned<DeValue<'_>>, field: &str) -> Option<TestSource> {
        if let DeValue::Table(table) = item.get_ref() {
            let section = Section { table, place: field, span: self.span(item) };
            self.only(section, &["text", "from", "to", "listed"]);
            let from = self.text(section, "from");
            let to = self.text(section, "to");
            let listed = self.listed(section);
            return Some(TestSource { text: self.required(section, "text")?, from, to, listed });
        }
        let text = self.as_text(item, field)?;
        Some(TestSource { text, from: None, to: None, listed: ListedSource::default() })
    }
}

/// What stands under `hit` or `miss`.
#[derive(Default)]
struct Tests {
    texts: Vec<TestSource>,
    sequences: Vec<SequenceSource>,
}

const LADDERS: [&str; 3] = ["shadow", "flag", "enforce"];
const VIEWS: [&str; 4] = ["folded", "squeezed", "plain", "sound"];
const LIST_KINDS: [&str; 3] = ["exact", "prefix", "domain"];

fn ladder(word: &str) -> Option<Ladder> {
    Some(match word {
        "shadow" => Ladder::Shadow,
        "flag" => Ladder::Flag,
        "enforce" => Ladder::Enforce,
        _ => return None,
    })
}

fn view(word: &str) -> Option<View> {
    Some(match word {
        "folded" => View::Folded,
        "squeezed" => View::Squeezed,
        "plain" => View::Plain,
        "sound" => View::Sound,
        _ => return None,
    })
}

fn list_kind(word: &str) -> Option<ListKind> {
    Some(match word {
        "exact" => ListKind::Exact,
        "prefix" => ListKind::Prefix,
        "domain" => ListKind::Domain,
        _ => return None,
    })
}

fn protected(word: &str) -> Option<Protected> {
    Protected::ALL.into_iter().find(|class| class.id() == word)
}

fn sender_kind(word: &str) -> Option<String> {
    OrganisationKind::from_id(word).map(|kind| kind.id().to_owned())
}

/// The ids of the kinds of organisations.
pub(crate) fn sender_kinds() -> Vec<&'static str> {
    OrganisationKind::ALL.iter().map(|kind| kind.id()).collect()
}
