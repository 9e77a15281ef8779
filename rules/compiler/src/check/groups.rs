//! Matches and groups → patterns: includes expanded, literals folded, patterns shared.

use std::collections::{HashMap, HashSet};

use yumen_rules::signal::View;

use super::canonical;
use super::regex::{self, view_name};
use crate::cel::Named;
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::draft::{GroupDraft, GroupIndex, PatternDraft, PatternIndex};
use crate::limits::{INCLUDE_DEPTH_MAX, LITERAL_CHARS_MAX, LITERAL_CHARS_MIN};
use crate::source::Text;
use crate::source::tree::{GroupSource, MatchSource};

/// Patterns and groups so far.
#[derive(Debug, Default)]
pub(super) struct Vocabulary<'a> {
    pub(super) patterns: Vec<PatternDraft>,
    pub(super) groups: Vec<GroupDraft>,
    known: HashMap<PatternDraft, PatternIndex>,
    shared: HashMap<&'a str, &'a GroupSource>,
    /// Literals of a single character, with the place of the first: they must not decide alone.
    pub(super) short: HashMap<PatternIndex, Text>,
    /// Members of shared groups that were already checked.
    expanded: HashMap<&'a str, Vec<PatternIndex>>,
}

impl<'a> Vocabulary<'a> {
    /// With the shared groups of a build; of two with the same id, the first.
    pub(super) fn new(shared: &'a [GroupSource]) -> Self {
        let mut vocabulary = Self::default();
        for group in shared {
            vocabulary.shared.entry(&group.id.value).or_insert(group);
        }
        vocabulary
    }

    /// Makes the groups of a match.
    pub(super) fn named(&mut self, name: &str, members: &'a MatchSource, out: &mut Diagnostics) -> Named {
        let mut some = self.own_some(members, out);
        some.extend(self.includes(members, &mut Vec::new(), out));
        let all = self.literals(&members.all, members.view, out);
        self.finish(name, members, some, all, out)
    }

    /// Makes a shared group.
    pub(super) fn shared(&mut self, group: &'a GroupSource, out: &mut Diagnostics) -> Named {
        let id = group.id.value.as_str();
        let all = self.literals(&group.members.all, group.members.view, out);
        let mut some = self.members_of(id, &mut vec![id], out);
        some.retain(|pattern| !all.contains(pattern));
        self.finish(id, &group.members, some, all, out)
    }

    fn finish(
        &mut self,
        name: &str,
        members: &MatchSource,
        mut some: Vec<PatternIndex>,
        mut all: Vec<PatternIndex>,
        out: &mut Diagnostics,
    ) -> Named {
        distinct(&mut some);
        distinct(&mut all);
        let written = members.any.len() + members.all.len() + members.regex.len() + members.include.len();
        if written == 0 {
            out.at(members.span, Defect::EmptyMatch { name: name.to_owned() });
        }
        let need = members.need.map_or(1, |(need, _)| need);
        if let Some((need, span)) = members.need.filter(|&(need, _)| usize::from(need) > some.len()) {
            let defect = Defect::NeedRange { need: need.to_string(), members: some.len().to_string() };
            out.at(span, defect);
        }
        let all_need = u16::try_from(all.len()).unwrap_or(u16::MAX);
        Named {
            some: self.group(name.to_owned(), some, need),
            all: self.group(format!("{name}.all"), all, all_need),
        }
    }

    fn group(&mut self, name: String, patterns: Vec<PatternIndex>, need: u16) -> Option<GroupIndex> {
        if patterns.is_empty() {
            return None;
        }
        self.groups.push(GroupDraft { name, patterns, need });
        self.groups.len().checked_sub(1)
    }

    /// `any` and `regex`.
    fn own_some(&mut self, members: &MatchSource, out: &mut Diagnostics) -> Vec<PatternIndex> {
        let mut patterns = self.literals(&members.any, members.view, out);
        for text in &members.regex {
            if regex::check(text, members.view, out) {
                let draft = PatternDraft { text: text.value.clone(), regex: true, view: members.view };
                patterns.push(self.pattern(draft));
            }
        }
        patterns
    }

    fn includes(
        &mut self,
        members: &'a MatchSource,
        chain: &mut Vec<&'a str>,
        out: &mut Diagnostics,
    ) -> Vec<PatternIndex> {
        let mut patterns = Vec::new();
        for include in &members.include {
            let Some(group) = self.shared.get(include.value.as_str()).copied() else {
                let diagnostic =
                    Diagnostic::at(include.span, Defect::UnknownGroup { name: include.value.clone() });
                out.push(diagnostic.nearest(&include.value, self.shared.keys().copied()));
                continue;
            };
            let id = group.id.value.as_str();
            if chain.contains(&id) || chain.len() >= INCLUDE_DEPTH_MAX {
                chain.push(id);
                out.at(include.span, Defect::IncludeCycle { chain: chain.join(" → ") });
                chain.pop();
                continue;
            }
            chain.push(id);
            patterns.extend(self.members_of(id, chain, out));
            chain.pop();
        }
        patterns
    }

    /// All members of a shared group, those of `all` and of included groups too.
    fn members_of(
        &mut self,
        id: &'a str,
        chain: &mut Vec<&'a str>,
        out: &mut Diagnostics,
    ) -> Vec<PatternIndex> {
        if let Some(known) = self.expanded.get(id) {
            return known.clone();
        }
        let Some(group) = self.shared.get(id).copied() else { return Vec::new() };
        let mut patterns = self.own_some(&group.members, out);
        // The literals of `all` are reported where the group itself is made.
        patterns.extend(self.literals(&group.members.all, group.members.view, &mut Diagnostics::default()));
        patterns.extend(self.includes(&group.members, chain, out));
        distinct(&mut patterns);
        self.expanded.insert(id, patterns.clone());
        patterns
    }

    fn literals(&mut self, texts: &[Text], view: View, out: &mut Diagnostics) -> Vec<PatternIndex> {
        let mut patterns = Vec::new();
        let mut first: HashMap<String, &Text> = HashMap::new();
        for text in texts {
            let Some(folded) = literal(text, view, out) else { continue };
            if let Some(other) = first.get(&folded) {
                let defect = Defect::SameLiteral { literal: text.value.clone(), folded };
                let label = Words::new("另一个在这里", "the other one");
                out.push(Diagnostic::at(text.span, defect).and(other.span, label));
                continue;
            }
            let pattern = self.pattern(PatternDraft { text: folded.clone(), regex: false, view });
            if canonical::literal(&text.value, short_view(view)).chars().count() < LITERAL_CHARS_MIN {
                self.short.entry(pattern).or_insert_with(|| text.clone());
            }
            patterns.push(pattern);
            first.insert(folded, text);
        }
        patterns
    }

    fn pattern(&mut self, draft: PatternDraft) -> PatternIndex {
        if let Some(&known) = self.known.get(&draft) {
            return known;
        }
        let index = self.patterns.len();
        self.known.insert(draft.clone(), index);
        self.patterns.push(draft);
        index
    }
}

/// A literal in its view, or nothing after an error.
fn literal(text: &Text, view: View, out: &mut Diagnostics) -> Option<String> {
    let chars = text.value.chars().count();
    if chars > LITERAL_CHARS_MAX {
        let defect = Defect::LongLiteral { chars: chars.to_string(), limit: LITERAL_CHARS_MAX.to_string() };
        out.at(text.span, defect);
        return None;
    }
    let folded = canonical::literal(&text.value, view);
    if folded.is_empty() {
        let defect = Defect::EmptyLiteral { literal: text.value.clone(), view: view_name(view).to_owned() };
        out.at(text.span, defect);
        return None;
    }
    Some(folded)
}

/// The view that characters are counted in: by sound, one character becomes several letters and is still one.
const fn short_view(view: View) -> View {
    match view {
        View::Sound => View::Folded,
        view => view,
    }
}

fn distinct(patterns: &mut Vec<PatternIndex>) {
    let mut seen = HashSet::new();
    patterns.retain(|&pattern| seen.insert(pattern));
}
