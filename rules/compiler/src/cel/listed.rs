//! Questions to number lists: `caller.listed("reported")`, `caller.list_score("reported", "fraud") >= 60`.

use yumen_rules::engine::ListSubject;
use yumen_rules::numbers::is_name;
use yumen_rules::verdict::Typology;

use super::ast::{Kind, Node};
use crate::draft::ListQuestion;

/// Whether the number is in the list at all.
pub(crate) const LISTED: &str = "listed";
/// The score that the list gives it.
pub(crate) const LIST_SCORE: &str = "list_score";

/// Whether a call asks a number list.
pub(super) fn is_call(method: &str) -> bool {
    method == LISTED || method == LIST_SCORE
}

/// The question; `None` where nobody of that name has a number, or where the arguments are others than a list's name and a typology.
pub(super) fn question(path: &str, arguments: &[Node]) -> Option<ListQuestion> {
    let subject = ListSubject::ALL.into_iter().find(|subject| subject.name() == path)?;
    let text = |node: &Node| match &node.kind {
        Kind::Text(text) => Some(text.clone()),
        _ => None,
    };
    let (list, typology) = match arguments {
        [list] => (text(list)?, None),
        [list, typology] => (text(list)?, Some(Typology::from_id(&text(typology)?)?)),
        _ => return None,
    };
    is_name(&list).then_some(ListQuestion { subject, list, typology })
}
