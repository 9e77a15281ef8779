//! Conditions: rules that another rule makes useless.

use yumen_rules::policy::REJECT_AT_DEFAULT;

use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::draft::{Expr, PackDraft, RuleDraft};
use crate::source::tree::Tree;

pub(super) fn lint(tree: &Tree, draft: &PackDraft, out: &mut Diagnostics) {
    for (index, (rule, source)) in draft.rules.iter().zip(&tree.rules).enumerate() {
        let others = draft.rules.iter().zip(&tree.rules).enumerate().filter(|&(other, _)| other != index);
        let by = others.map(|(_, other)| other).find(|(other, _)| shadows(draft, other, rule));
        if let Some((other, other_source)) = by {
            let defect = Defect::Shadowed { id: rule.id.clone(), other: other.id.clone() };
            let label = Words::new("这条规则", "this rule");
            out.push(Diagnostic::at(source.id.span, defect).and(other_source.id.span, label));
        }
    }
}

/// Whether `other` blocks by itself whenever `rule` holds.
fn shadows(draft: &PackDraft, other: &RuleDraft, rule: &RuleDraft) -> bool {
    other.typology == rule.typology
        && other.score >= REJECT_AT_DEFAULT.max(rule.score)
        && other.ladder >= rule.ladder
        && (other.sms || !rule.sms)
        && (other.call || !rule.call)
        && rule.overrides.iter().all(|class| other.overrides.contains(class))
        && implies(draft, &rule.when, &other.when)
}

/// Whether `then` surely holds where `given` does. `false` where that can't be seen.
fn implies(draft: &PackDraft, given: &Expr, then: &Expr) -> bool {
    if given == then {
        return true;
    }
    match (given, then) {
        (Expr::Or(parts), then) => parts.iter().all(|part| implies(draft, part, then)),
        (given, Expr::And(parts)) => parts.iter().all(|part| implies(draft, given, part)),
        (Expr::Group(given), Expr::Group(then)) => {
            let (Some(given), Some(then)) = (draft.groups.get(*given), draft.groups.get(*then)) else {
                return false;
            };
            then.need <= given.need && given.patterns.iter().all(|pattern| then.patterns.contains(pattern))
        }
        (Expr::And(parts), then) if parts.iter().any(|part| implies(draft, part, then)) => true,
        (given, Expr::Or(parts)) => parts.iter().any(|part| implies(draft, given, part)),
        _ => false,
    }
}
