//! Tokens → tree.
//!
//! ```text
//! or      = and ("||" and)*
//! and     = unary ("&&" unary)*
//! unary   = "!" unary | compare
//! compare = primary (("==" | "!=" | "<" | "<=" | ">" | ">=") primary | "in" primary)?
//! primary = "(" or ")" | "[" (primary ("," primary)*)? "]" | path ("(" arguments ")")? | text | int | "true" | "false"
//! ```

use std::ops::Range;

use super::ast::{Kind, Node};
use super::lexer::{Stumble, Token, TokenKind, tokens};
use crate::diagnostic::Defect;
use crate::draft::Compare;
use crate::limits::{CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX};

/// Parses a whole condition.
pub(super) fn parse(source: &str) -> Result<Node, Stumble> {
    if source.len() > CONDITION_BYTES_MAX {
        return Err(Box::new((
            0..source.len(),
            Defect::TooComplex { limit: format!("{CONDITION_BYTES_MAX} B") },
        )));
    }
    let mut parser = Parser { tokens: tokens(source)?, at: 0, depth: 0 };
    let node = parser.or()?;
    match parser.peek().kind {
        TokenKind::End => Ok(node),
        _ => Err(parser.unexpected("`&&`、`||` 或者条件结束", "`&&`, `||` or the end")),
    }
}

struct Parser {
    /// Never empty: ends with [`TokenKind::End`], which is never passed.
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

const END: Token = Token { kind: TokenKind::End, range: 0..0 };

impl Parser {
    fn or(&mut self) -> Result<Node, Stumble> {
        self.deeper(|parser| parser.chain("||", Self::and, Kind::Or))
    }

    /// Everything that can nest goes through here.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Stumble>) -> Result<T, Stumble> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > CONDITION_DEPTH_MAX {
            return Err(too_deep(self.peek().range.clone()));
        }
        let result = inner(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    fn and(&mut self) -> Result<Node, Stumble> {
        self.chain("&&", Self::unary, Kind::And)
    }

    fn chain(
        &mut self,
        operator: &'static str,
        mut next: impl FnMut(&mut Self) -> Result<Node, Stumble>,
        join: fn(Vec<Node>) -> Kind,
    ) -> Result<Node, Stumble> {
        let first = next(self)?;
        let mut nodes = vec![first];
        while self.take(operator) {
            nodes.push(next(self)?);
        }
        Ok(match <[Node; 1]>::try_from(nodes) {
            Ok([single]) => single,
            Err(nodes) => {
                let range = nodes.first().map_or(0, |node| node.range.start)..self.last_end();
                Node { kind: join(nodes), range }
            }
        })
    }

    fn unary(&mut self) -> Result<Node, Stumble> {
        let start = self.peek().range.start;
        let mut negations = 0usize;
        while self.take("!") {
            negations = negations.saturating_add(1);
            if negations > CONDITION_DEPTH_MAX {
                return Err(too_deep(start..self.last_end()));
            }
        }
        // `!x == y` negates `x` in CEL, as everywhere; comparing a negation is never what a rule wants, so that the
        // operand of `!` is parsed without a comparison and the checker then refuses the comparison.
        let mut node = if negations == 0 { return self.compare() } else { self.primary()? };
        for _ in 0..negations {
            let range = start..node.range.end;
            node = Node { kind: Kind::Not(Box::new(node)), range };
        }
        self.comparison_of(node)
    }

    fn compare(&mut self) -> Result<Node, Stumble> {
        let left = self.primary()?;
        self.comparison_of(left)
    }

    fn comparison_of(&mut self, left: Node) -> Result<Node, Stumble> {
        let compare = match &self.peek().kind {
            TokenKind::Symbol("==") => Some(Compare::Eq),
            TokenKind::Symbol("!=") => Some(Compare::Ne),
            TokenKind::Symbol("<") => Some(Compare::Lt),
            TokenKind::Symbol("<=") => Some(Compare::Le),
            TokenKind::Symbol(">") => Some(Compare::Gt),
            TokenKind::Symbol(">=") => Some(Compare::Ge),
            TokenKind::Name(name) if name == "in" => None,
            _ => return Ok(left),
        };
        self.advance();
        let right = self.primary()?;
        let range = left.range.start..right.range.end;
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = match compare {
            Some(compare) => Kind::Compare(compare, left, right),
            None => Kind::In(left, right),
        };
        Ok(Node { kind, range })
    }

    fn primary(&mut self) -> Result<Node, Stumble> {
        let Token { kind, range } = self.peek().clone();
        match kind {
            TokenKind::Symbol("(") => {
                self.advance();
                let inner = self.or()?;
                self.expect(")")?;
                Ok(Node { kind: inner.kind, range: range.start..self.last_end() })
            }
            TokenKind::Symbol("[") => self.list(range.start),
            TokenKind::Symbol("-") => self.negative(range.start),
            TokenKind::Int(number) => self.leaf(Kind::Int(number), range),
            TokenKind::Thousandths(number) => self.leaf(Kind::Thousandths(number), range),
            TokenKind::Text(text) => self.leaf(Kind::Text(text), range),
            TokenKind::Name(name) if name == "true" => self.leaf(Kind::Bool(true), range),
            TokenKind::Name(name) if name == "false" => self.leaf(Kind::Bool(false), range),
            TokenKind::Name(name) if name != "in" => {
                self.advance();
                self.path(name, range)
            }
            _ => Err(self.unexpected("名字、值、`!` 或 `(`", "a name, a value, `!` or `(`")),
        }
    }

    fn leaf(&mut self, kind: Kind, range: Range<usize>) -> Result<Node, Stumble> {
        self.advance();
        Ok(Node { kind, range })
    }

    fn negative(&mut self, start: usize) -> Result<Node, Stumble> {
        self.advance();
        let TokenKind::Int(number) = self.peek().kind else {
            return Err(self.unexpected("数字", "a number"));
        };
        self.advance();
        Ok(Node { kind: Kind::Int(number.saturating_neg()), range: start..self.last_end() })
    }

    fn list(&mut self, start: usize) -> Result<Node, Stumble> {
        self.advance();
        let items = self.deeper(|parser| parser.items("]"))?;
        Ok(Node { kind: Kind::List(items), range: start..self.last_end() })
    }

    fn items(&mut self, close: &'static str) -> Result<Vec<Node>, Stumble> {
        let mut items = Vec::new();
        while !self.take(close) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.take(close) {
                    break;
                }
            }
            items.push(self.primary_value()?);
        }
        Ok(items)
    }

    /// A list item or an argument: no nesting, so that lists can't recurse.
    fn primary_value(&mut self) -> Result<Node, Stumble> {
        match self.peek().kind {
            TokenKind::Symbol("[" | "(") => Err(self.unexpected("固定的值", "a fixed value")),
            _ => self.primary(),
        }
    }

    fn path(&mut self, first: String, first_range: Range<usize>) -> Result<Node, Stumble> {
        let mut path = first;
        let start = first_range.start;
        let mut last = (path.clone(), first_range);
        let mut before: Option<(String, Range<usize>)> = None;
        while self.take(".") {
            let Token { kind: TokenKind::Name(name), range } = self.peek().clone() else {
                return Err(self.unexpected("名字", "a name"));
            };
            self.advance();
            before = Some((path.clone(), start..last.1.end));
            path = format!("{path}.{name}");
            last = (name, range);
        }
        if self.take("(") {
            let arguments = self.deeper(|parser| parser.items(")"))?;
            let (method, method_range) = last;
            let kind = Kind::Call { path: before, method, method_range, arguments };
            return Ok(Node { kind, range: start..self.last_end() });
        }
        Ok(Node { kind: Kind::Path(path), range: start..self.last_end() })
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&END)
    }

    fn advance(&mut self) {
        if self.at.saturating_add(1) < self.tokens.len() {
            self.at = self.at.saturating_add(1);
        }
    }

    fn take(&mut self, symbol: &'static str) -> bool {
        let there = self.peek().kind == TokenKind::Symbol(symbol);
        if there {
            self.advance();
        }
        there
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), Stumble> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{symbol}`"), &format!("`{symbol}`")))
        }
    }

    /// Where the last token that was taken ends.
    fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.range.end)
    }

    fn unexpected(&self, expected_zh: &str, expected_en: &str) -> Stumble {
        let token = self.peek();
        let found = match &token.kind {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Int(number) => format!("`{number}`"),
            TokenKind::Thousandths(number) => format!("`{}.{:03}`", number / 1000, number % 1000),
            TokenKind::Text(text) => format!("\"{text}\""),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "(end)".to_owned(),
        };
        let defect = Defect::Unexpected {
            found,
            expected_zh: expected_zh.to_owned(),
            expected_en: expected_en.to_owned(),
        };
        Box::new((token.range.clone(), defect))
    }
}

fn too_deep(range: Range<usize>) -> Stumble {
    let limit = format!("{CONDITION_DEPTH_MAX} 层 / {CONDITION_DEPTH_MAX} levels");
    Box::new((range, Defect::TooComplex { limit }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_too_complex(source: &str) -> bool {
        matches!(parse(source).expect_err("too deep").1, Defect::TooComplex { .. })
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let node = parse("a || b && !c").expect("well formed");
        let Kind::Or(sides) = node.kind else { panic!("{node:?}") };
        assert!(matches!(sides[1].kind, Kind::And(_)), "{sides:?}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let source = format!("{}a{}", "(".repeat(200), ")".repeat(200));
        assert!(is_too_complex(&source));
        assert!(is_too_complex(&format!("{}a", "!".repeat(200))));
        assert!(is_too_complex(&"f(".repeat(2000)));
    }

    proptest::proptest! {
        #[test]
        fn any_condition_ends(parts in proptest::collection::vec(
            proptest::sample::select(vec!["a", "b.c", "&&", "||", "!", "(", ")", "==", "in", "[", "]", ",", "1", "\"x\"", ".", "f("]),
            0..24,
        )) {
            let _ = parse(&parts.join(" "));
        }
    }
}
