//! Names and types of a condition.

use std::collections::HashMap;
use std::ops::Range;

use yumen_rules::behave::{Measure, Query, RATIO_ONE};
use yumen_rules::numbers::SCORE_MAX;
use yumen_rules::pack::OrganisationKind;
use yumen_rules::signal::{Field, FieldKind};

use yumen_rules::verdict::Typology;

use super::ast::{Kind, Node};
use super::listed::{self, LISTED};
use super::parser::parse;
use super::window;
use crate::check::canonical;
use crate::diagnostic::{Defect, Diagnostic, Diagnostics};
use crate::draft::{Compare, Expr, GroupIndex, ListIndex, ListQuestion};
use crate::source::sender_kinds;
use crate::source::{Span, Text};

/// What a name of a match or group stands for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named {
    /// The members of which `need` must hit.
    pub some: Option<GroupIndex>,
    /// The members that must all hit.
    pub all: Option<GroupIndex>,
}

/// What names mean in a condition, and which of them it used.
#[derive(Debug, Default)]
pub struct Scope {
    /// The section's own matches.
    pub own: HashMap<String, Named>,
    /// Shared groups.
    pub shared: HashMap<String, Named>,
    /// Lists.
    pub lists: HashMap<String, ListIndex>,
    /// Names that were used, own ones first in meaning.
    pub used: Vec<String>,
    /// Lists that were used, with the field and the place.
    pub list_uses: Vec<(ListIndex, Field, Span)>,
}

/// Parses and checks a condition. `None` when something was wrong and reported.
pub fn resolve(when: &Text, scope: &mut Scope, out: &mut Diagnostics) -> Option<Expr> {
    match parse(&when.value) {
        Ok(node) => Checker { when, scope, out }.condition(&node),
        Err(stumble) => {
            let (range, defect) = *stumble;
            out.at(when.span_of(range), defect);
            None
        }
    }
}

struct Checker<'a> {
    when: &'a Text,
    scope: &'a mut Scope,
    out: &'a mut Diagnostics,
}

/// What a node is.
enum Operand {
    Condition(Expr),
    Int(IntSource),
    Text(TextSource),
    IntLiteral(i64),
    /// In thousandths.
    DecimalLiteral(i64),
    TextLiteral(String),
    BoolLiteral(bool),
    ListLiteral,
    List,
}

#[derive(Clone)]
enum IntSource {
    Field(Field),
    Count(GroupIndex),
    Behaviour(Query),
    ListScore(ListQuestion),
}

#[derive(Clone, Copy)]
enum TextSource {
    Field(Field),
    SenderKind,
    SignatureKind,
}

impl Checker<'_> {
    fn condition(&mut self, node: &Node) -> Option<Expr> {
        match &node.kind {
            Kind::Bool(value) => Some(Expr::Bool(*value)),
            Kind::Not(inner) => self.condition(inner).map(|expr| Expr::Not(Box::new(expr))),
            Kind::And(nodes) => self.conditions(nodes).map(Expr::And),
            Kind::Or(nodes) => self.conditions(nodes).map(Expr::Or),
            Kind::Compare(compare, left, right) => self.compare(*compare, left, right),
            Kind::In(left, right) => self.membership(left, right),
            Kind::Call { path: Some(_), method, .. } if listed::is_call(method) => {
                let question = self.list_question(node)?;
                if method == LISTED {
                    return Some(Expr::Listed(question, Compare::Ge, 1));
                }
                self.not_a_condition(node, "整数", "a whole number");
                None
            }
            Kind::Call { path: Some((path, _)), method, .. } if window::is_call(path, method) => {
                self.window_call(node)?;
                self.not_a_condition(node, "整数", "a whole number");
                None
            }
            Kind::Call { path: Some(path), method, method_range, arguments } => {
                self.call(node, Some(path), (method, method_range), arguments)
            }
            Kind::Path(_)
            | Kind::Int(_)
            | Kind::Thousandths(_)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Call { path: None, .. } => match self.operand(node)? {
                Operand::Condition(expr) => Some(expr),
                operand => {
                    let (kind_zh, kind_en) = operand.kind();
                    let what = self.written(node);
                    self.report(
                        node,
                        Defect::NotACondition { what, kind_zh: kind_zh.into(), kind_en: kind_en.into() },
                    );
                    None
                }
            },
        }
    }

    /// The question that a window call asks.
    fn window_call(&mut self, node: &Node) -> Option<Query> {
        let Kind::Call { path: Some((path, _)), method, arguments, .. } = &node.kind else { return None };
        let argument = match arguments.as_slice() {
            [Node { kind: Kind::Text(text), .. }] => Some(text.as_str()),
            _ => None,
        };
        let query = window::query(path, method, argument);
        if query.is_none() {
            let call = self.written(node);
            let measures = window::measures_of(path).join(", ");
            self.report(node, Defect::WindowCall { call, subject: path.clone(), measures });
        }
        query
    }

    /// The question to a number list that a call asks.
    fn list_question(&mut self, node: &Node) -> Option<ListQuestion> {
        let Kind::Call { path: Some((path, _)), arguments, .. } = &node.kind else { return None };
        let question = listed::question(path, arguments);
        if question.is_none() {
            let call = self.written(node);
            self.report(node, Defect::ListCall { call });
        }
        question
    }

    fn not_a_condition(&mut self, node: &Node, kind_zh: &str, kind_en: &str) {
        let what = self.written(node);
        self.report(node, Defect::NotACondition { what, kind_zh: kind_zh.into(), kind_en: kind_en.into() });
    }

    /// All sides are checked even when one is wrong.
    fn conditions(&mut self, nodes: &[Node]) -> Option<Vec<Expr>> {
        let checked: Vec<Option<Expr>> = nodes.iter().map(|node| self.condition(node)).collect();
        checked.into_iter().collect()
    }

    fn operand(&mut self, node: &Node) -> Option<Operand> {
        match &node.kind {
            Kind::Bool(value) => Some(Operand::BoolLiteral(*value)),
            Kind::Int(number) => Some(Operand::IntLiteral(*number)),
            Kind::Thousandths(number) => Some(Operand::DecimalLiteral(*number)),
            Kind::Call { path: Some(_), method, .. } if listed::is_call(method) && method != LISTED => {
                self.list_question(node).map(|question| Operand::Int(IntSource::ListScore(question)))
            }
            Kind::Call { path: Some((path, _)), method, .. }
                if window::is_call(path, method) && !listed::is_call(method) =>
            {
                self.window_call(node).map(|query| Operand::Int(IntSource::Behaviour(query)))
            }
            Kind::Text(text) => Some(Operand::TextLiteral(text.clone())),
            Kind::List(_) => Some(Operand::ListLiteral),
            Kind::Call { path: None, method, arguments, .. } if method == "classifier" => {
                self.classifier(node, arguments)
            }
            Kind::Call { path: None, method, method_range, arguments } => {
                self.call(node, None, (method, method_range), arguments).map(Operand::Condition)
            }
            Kind::Path(path) => self.path(node, path),
            _ => self.condition(node).map(Operand::Condition),
        }
    }

    fn path(&mut self, node: &Node, path: &str) -> Option<Operand> {
        let (head, member) = path.split_once('.').map_or((path, None), |(head, member)| (head, Some(member)));
        if let Some(named) = self.scope.own.get(head).or_else(|| self.scope.shared.get(head)).copied() {
            self.scope.used.push(head.to_owned());
            return match member {
                None => Some(Operand::Condition(named.holds())),
                Some("count") => named.some.or(named.all).map(|group| Operand::Int(IntSource::Count(group))),
                Some(member) => {
                    let defect = Defect::UnknownMember { name: head.to_owned(), member: member.to_owned() };
                    self.report(node, defect);
                    None
                }
            };
        }
        if let Some(field) = Field::ALL.iter().copied().find(|field| field.name() == path) {
            return Some(match field.kind() {
                FieldKind::Bool => Operand::Condition(Expr::Field(field)),
                FieldKind::Int => Operand::Int(IntSource::Field(field)),
                FieldKind::Text => Operand::Text(TextSource::Field(field)),
            });
        }
        match path {
            "sender.kind" => Some(Operand::Text(TextSource::SenderKind)),
            "signature.kind" => Some(Operand::Text(TextSource::SignatureKind)),
            _ if self.scope.lists.contains_key(path) => Some(Operand::List),
            _ => {
                self.unknown_name(node, path);
                None
            }
        }
    }

    fn unknown_name(&mut self, node: &Node, path: &str) {
        let span = self.when.span_of(node.range.clone());
        let diagnostic = Diagnostic::at(span, Defect::UnknownName { name: path.to_owned() });
        let known: Vec<&str> = self
            .scope
            .own
            .keys()
            .chain(self.scope.shared.keys())
            .map(String::as_str)
            .chain(Field::ALL.iter().map(|field| field.name()))
            .chain(["sender.kind", "signature.kind"])
            .collect();
        let head = path.strip_suffix(".count").unwrap_or(path);
        self.out.push(diagnostic.nearest(head, known));
    }

    fn compare(&mut self, compare: Compare, left: &Node, right: &Node) -> Option<Expr> {
        let (first, second) = (self.operand(left), self.operand(right));
        let (first, second) = (first?, second?);
        if first.literal() && !second.literal() {
            return self.compare_with(flipped(compare), compare, (right, second), (left, first));
        }
        self.compare_with(compare, compare, (left, first), (right, second))
    }

    /// `written` is the operator as it stands in the source, `compare` the one with the field on its left.
    fn compare_with(
        &mut self,
        compare: Compare,
        written: Compare,
        (left, first): (&Node, Operand),
        (right, second): (&Node, Operand),
    ) -> Option<Expr> {
        let equality = matches!(compare, Compare::Eq | Compare::Ne);
        match (first, second) {
            (Operand::Int(source), Operand::IntLiteral(number)) => {
                self.compare_int(source, compare, number, right)
            }
            (Operand::Int(IntSource::Behaviour(query)), Operand::DecimalLiteral(number))
                if query.measure == Measure::AnsweredRatio =>
            {
                Some(Expr::Behaviour(query, compare, number))
            }
            (Operand::Text(source), Operand::TextLiteral(text)) if equality => {
                let expr = self.text_is(source, &text, right)?;
                Some(if compare == Compare::Ne { Expr::Not(Box::new(expr)) } else { expr })
            }
            (Operand::Condition(expr), Operand::BoolLiteral(value)) if equality => {
                Some(if value == (compare == Compare::Eq) { expr } else { Expr::Not(Box::new(expr)) })
            }
            (first @ (Operand::Text(_) | Operand::Condition(_)), second)
                if !equality && first.same_kind(&second) =>
            {
                let (kind_zh, kind_en) = first.kind();
                let defect = Defect::BadComparison {
                    what: self.written(left),
                    operator: symbol(written).to_owned(),
                    kind_zh: kind_zh.into(),
                    kind_en: kind_en.into(),
                };
                let whole = left.range.start.min(right.range.start)..left.range.end.max(right.range.end);
                self.out.at(self.when.span_of(whole), defect);
                None
            }
            (first, second) => {
                self.sides_differ((left, &first), (right, &second));
                None
            }
        }
    }

    fn compare_int(&mut self, source: IntSource, compare: Compare, number: i64, node: &Node) -> Option<Expr> {
        // A pack keeps numbers in 32 bits, and nothing can be counted below zero.
        let fits = match &source {
            IntSource::Field(_) => i32::try_from(number).is_ok(),
            IntSource::Count(_) | IntSource::Behaviour(_) => (0..=i64::from(i32::MAX)).contains(&number),
            IntSource::ListScore(_) => (0..=i64::from(SCORE_MAX)).contains(&number),
        };
        if !fits {
            self.report(node, Defect::NumberRange { number: number.to_string() });
            return None;
        }
        match source {
            IntSource::Behaviour(query) if query.measure == Measure::AnsweredRatio => {
                Some(Expr::Behaviour(query, compare, number.saturating_mul(RATIO_ONE)))
            }
            IntSource::Behaviour(query) => Some(Expr::Behaviour(query, compare, number)),
            IntSource::Field(field) => Some(Expr::FieldInt(field, compare, number)),
            IntSource::ListScore(question) => Some(Expr::Listed(question, compare, number)),
            IntSource::Count(group) => {
                u32::try_from(number).ok().map(|number| Expr::GroupCount(group, compare, number))
            }
        }
    }

    fn text_is(&mut self, source: TextSource, text: &str, node: &Node) -> Option<Expr> {
        match source {
            TextSource::Field(field) => Some(Expr::FieldText(field, canonical::text_of(field, text))),
            TextSource::SenderKind | TextSource::SignatureKind
                if OrganisationKind::from_id(text).is_none() =>
            {
                let defect = Defect::BadWord {
                    field: "kind".to_owned(),
                    value: text.to_owned(),
                    allowed: sender_kinds().join(", "),
                };
                let span = self.when.span_of(node.range.clone());
                self.out.push(Diagnostic::at(span, defect).nearest(text, sender_kinds()));
                None
            }
            TextSource::SenderKind => Some(Expr::SenderKind(text.to_owned())),
            TextSource::SignatureKind => Some(Expr::SignatureKind(text.to_owned())),
        }
    }

    fn membership(&mut self, left: &Node, right: &Node) -> Option<Expr> {
        let first = self.operand(left);
        match &right.kind {
            Kind::List(items) => {
                let first = first?;
                let any: Vec<Option<Expr>> =
                    items.iter().map(|item| self.is_item(left, &first, item)).collect();
                any.into_iter().collect::<Option<Vec<_>>>().map(Expr::Or)
            }
            Kind::Path(name) => {
                let list = self.scope.lists.get(name).copied();
                let Some(list) = list else {
                    let span = self.when.span_of(right.range.clone());
                    let diagnostic = Diagnostic::at(span, Defect::UnknownList { name: name.clone() });
                    self.out.push(diagnostic.nearest(name, self.scope.lists.keys().map(String::as_str)));
                    return None;
                };
                match first? {
                    Operand::Text(TextSource::Field(field)) => {
                        self.scope.list_uses.push((list, field, self.when.span_of(left.range.clone())));
                        Some(Expr::FieldIn(field, list))
                    }
                    other => {
                        self.sides_differ((left, &other), (right, &Operand::List));
                        None
                    }
                }
            }
            _ => {
                let second = self.operand(right)?;
                self.sides_differ((left, &first?), (right, &second));
                None
            }
        }
    }

    fn is_item(&mut self, left: &Node, first: &Operand, item: &Node) -> Option<Expr> {
        let second = self.operand(item)?;
        match (first, &second) {
            (Operand::Text(source), Operand::TextLiteral(text)) => self.text_is(*source, text, item),
            (Operand::Int(source), Operand::IntLiteral(number)) => {
                self.compare_int(source.clone(), Compare::Eq, *number, item)
            }
            _ => {
                self.sides_differ((left, first), (item, &second));
                None
            }
        }
    }

    /// `classifier("debt-collection")`.
    fn classifier(&mut self, node: &Node, arguments: &[Node]) -> Option<Operand> {
        let ids = Typology::ALL.map(Typology::id);
        let [Node { kind: Kind::Text(id), range }] = arguments else {
            let defect = Defect::Unexpected {
                found: format!("`{}`", self.written(node)),
                expected_zh: "一个用引号括起来的手法类型".to_owned(),
                expected_en: "one quoted typology".to_owned(),
            };
            self.report(node, defect);
            return None;
        };
        let Some(typology) = Typology::from_id(id) else {
            let (field, value) = ("classifier".to_owned(), id.clone());
            let defect = Defect::BadWord { field, value, allowed: ids.join(", ") };
            self.out.push(Diagnostic::at(self.when.span_of(range.clone()), defect).nearest(id, ids));
            return None;
        };
        Some(Operand::Int(IntSource::Field(Field::classifier(typology))))
    }

    fn call(
        &mut self,
        node: &Node,
        path: Option<&(String, Range<usize>)>,
        (method, method_range): (&str, &Range<usize>),
        arguments: &[Node],
    ) -> Option<Expr> {
        let (Some((path, path_range)), "startsWith") = (path, method) else {
            let defect = Defect::UnknownMethod { method: method.to_owned() };
            self.out.push(
                Diagnostic::at(self.when.span_of(method_range.clone()), defect)
                    .nearest(method, ["startsWith", "classifier", "listed", "list_score"]),
            );
            return None;
        };
        let subject = Node { kind: Kind::Path(path.clone()), range: path_range.clone() };
        let operand = self.operand(&subject)?;
        match (operand, arguments) {
            (Operand::Text(TextSource::Field(field)), [Node { kind: Kind::Text(text), .. }]) => {
                Some(Expr::FieldStartsWith(field, canonical::text_of(field, text)))
            }
            (Operand::Text(TextSource::Field(_)), _) => {
                let defect = Defect::Unexpected {
                    found: format!("`{}`", self.written(node)),
                    expected_zh: "一个用引号括起来的开头".to_owned(),
                    expected_en: "one quoted beginning".to_owned(),
                };
                self.report(node, defect);
                None
            }
            (operand, _) => {
                let (kind_zh, kind_en) = operand.kind();
                let defect = Defect::BadComparison {
                    what: path.clone(),
                    operator: "startsWith".to_owned(),
                    kind_zh: kind_zh.into(),
                    kind_en: kind_en.into(),
                };
                self.report(node, defect);
                None
            }
        }
    }

    fn sides_differ(&mut self, (left, first): (&Node, &Operand), (right, second): (&Node, &Operand)) {
        let (left_text, right_text) = (self.written(left), self.written(right));
        let start = left.range.start.min(right.range.start);
        let whole = start..left.range.end.max(right.range.end);
        let defect = if first.same_kind(second) {
            Defect::NeedsLiteral { left: left_text, right: right_text }
        } else {
            let ((left_zh, left_en), (right_zh, right_en)) = (first.kind(), second.kind());
            Defect::TypesDiffer {
                left: left_text,
                left_zh: left_zh.into(),
                left_en: left_en.into(),
                right: right_text,
                right_zh: right_zh.into(),
                right_en: right_en.into(),
            }
        };
        self.out.at(self.when.span_of(whole), defect);
    }

    fn written(&self, node: &Node) -> String {
        self.when.value.get(node.range.clone()).unwrap_or_default().to_owned()
    }

    fn report(&mut self, node: &Node, defect: Defect) {
        self.out.at(self.when.span_of(node.range.clone()), defect);
    }
}

impl Named {
    /// The condition that the name stands for.
    fn holds(self) -> Expr {
        match (self.some, self.all) {
            (Some(some), Some(all)) => Expr::And(vec![Expr::Group(some), Expr::Group(all)]),
            (Some(group), None) | (None, Some(group)) => Expr::Group(group),
            (None, None) => Expr::Bool(false),
        }
    }
}

impl Operand {
    const fn literal(&self) -> bool {
        matches!(
            self,
            Self::IntLiteral(_)
                | Self::DecimalLiteral(_)
                | Self::TextLiteral(_)
                | Self::BoolLiteral(_)
                | Self::ListLiteral
        )
    }

    const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Condition(_) | Self::BoolLiteral(_) => ("真假值", "true or false"),
            Self::Int(_) | Self::IntLiteral(_) => ("整数", "a whole number"),
            Self::DecimalLiteral(_) => ("小数", "a decimal"),
            Self::Text(_) | Self::TextLiteral(_) => ("文字", "a text"),
            Self::ListLiteral | Self::List => ("列表", "a list"),
        }
    }

    fn same_kind(&self, other: &Self) -> bool {
        self.kind() == other.kind()
    }
}

const fn flipped(compare: Compare) -> Compare {
    match compare {
        Compare::Eq => Compare::Eq,
        Compare::Ne => Compare::Ne,
        Compare::Lt => Compare::Gt,
        Compare::Le => Compare::Ge,
        Compare::Gt => Compare::Lt,
        Compare::Ge => Compare::Le,
    }
}

const fn symbol(compare: Compare) -> &'static str {
    match compare {
        Compare::Eq => "==",
        Compare::Ne => "!=",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
    }
}
