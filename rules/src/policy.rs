//! Judgement → Verdict: what an institution lets the rules do.

use crate::engine::{Fired, Judgement, ProtectedSet};
use crate::verdict::{Action, Ladder, Typology};

/// What an institution wants for one typology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypologyPolicy {
    /// How far its rules may go here: a rule goes as far as the lower of the two.
    pub ladder: Ladder,
    /// Report from this score on, 1 to 100.
    pub flag_at: u8,
    /// Block from this score on, 1 to 100.
    pub reject_at: u8,
}

impl Default for TypologyPolicy {
    fn default() -> Self {
        Self { ladder: Ladder::Enforce, flag_at: FLAG_AT_DEFAULT, reject_at: REJECT_AT_DEFAULT }
    }
}

/// Report from this score on, unless a policy says otherwise.
pub const FLAG_AT_DEFAULT: u8 = 50;
/// Block from this score on, unless a policy says otherwise.
pub const REJECT_AT_DEFAULT: u8 = 70;

/// What an institution wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// One a typology, in the order of [`Typology::ALL`].
    pub typologies: [TypologyPolicy; Typology::COUNT],
    /// What blocking is: [`Action::Reject`], [`Action::Drop`] or [`Action::Hold`].
    pub block: Action,
    /// Rules whose own ladder is lower are taken to be here. [`Ladder::Shadow`] leaves every rule where its pack put it.
    pub raise_to: Ladder,
    /// Whether rules that ask the classifier may block with no other rule of the typology beside them.
    pub classifier_alone: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            typologies: [TypologyPolicy::default(); Typology::COUNT],
            block: Action::Reject,
            raise_to: Ladder::Shadow,
            classifier_alone: false,
        }
    }
}

/// What is to be done, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is to be done with the event.
    pub action: Action,
    /// The practice it was decided for; `None` where no rule fired at all.
    pub typology: Option<Typology>,
    /// Score of that practice, 0 to 100, by the rules that count for `action`.
    pub score: u8,
    /// The strongest of those rules, by its index in the pack.
    pub rule: Option<u32>,
    /// What would have been done if every rule and policy enforced and nothing were protected: [`Action::Allow`] or
    /// [`Action::Reject`]. Where it is more severe than `action`, there is a shadow hit to report.
    pub shadow: Action,
    /// The classes that protected the event.
    pub protected: ProtectedSet,
}

impl Verdict {
    /// Nothing fired.
    pub const ALLOW: Self = Self {
        action: Action::Allow,
        typology: None,
        score: 0,
        rule: None,
        shadow: Action::Allow,
        protected: ProtectedSet::NONE,
    };

    /// Whether anything is to be reported: the event was flagged or blocked, or would have been.
    #[must_use]
    pub const fn is_reportable(&self) -> bool {
        !matches!((self.action, self.shadow), (Action::Allow, Action::Allow))
    }
}

impl Policy {
    /// Every rule enforces whatever its pack says: what a gateway would do that has left the shadow.
    #[must_use]
    pub fn enforcing() -> Self {
        Self { raise_to: Ladder::Enforce, ..Self::default() }
    }

    /// Decides.
    #[must_use]
    pub fn decide(&self, judgement: &Judgement<'_>) -> Verdict {
        if judgement.fired.is_empty() {
            return Verdict::ALLOW;
        }
        let protected = judgement.protected;
        let enforcing = self.strongest(judgement, true, |policy, fired| {
            (self.ladder(policy, fired) == Ladder::Enforce && protected.is_overridden_by(fired))
                .then_some(policy.reject_at)
        });
        let flagging = self.strongest(judgement, false, |policy, fired| {
            (self.ladder(policy, fired) >= Ladder::Flag).then_some(policy.flag_at)
        });
        let shadow = self.strongest(judgement, true, |policy, _| Some(policy.reject_at));
        let (action, decided) = match (enforcing, flagging) {
            (Some(tally), _) if tally.reached => (self.block, Some(tally)),
            (_, Some(tally)) if tally.reached => (Action::Flag, Some(tally)),
            _ => (Action::Allow, shadow),
        };
        let shadow = if shadow.is_some_and(|tally| tally.reached) { Action::Reject } else { Action::Allow };
        Verdict {
            action,
            typology: decided.map(|tally| tally.typology),
            score: decided.map_or(0, |tally| tally.score),
            rule: decided.map(|tally| tally.rule),
            shadow,
            protected,
        }
    }

    fn ladder(&self, policy: &TypologyPolicy, fired: &Fired) -> Ladder {
        fired.ladder.max(self.raise_to).min(policy.ladder)
    }

    /// The typology with the highest score among the rules that `counts` gives a threshold for; one that reaches its
    /// threshold comes before one that doesn't.
    fn strongest(
        &self,
        judgement: &Judgement<'_>,
        blocks: bool,
        counts: impl Fn(&TypologyPolicy, &Fired) -> Option<u8>,
    ) -> Option<Tally> {
        let mut best: Option<Tally> = None;
        for (typology, policy) in Typology::ALL.into_iter().zip(&self.typologies) {
            let counted = || {
                let of_typology = judgement.effective().filter(move |fired| fired.typology == typology);
                of_typology.filter_map(|fired| counts(policy, fired).map(|threshold| (fired, threshold)))
            };
            let Some((rule, threshold)) =
                counted().max_by_key(|(fired, _)| (fired.score, core::cmp::Reverse(fired.rule)))
            else {
                continue;
            };
            // The classifier is one piece of evidence, however many rules ask it.
            let by_words = || counted().map(|(fired, _)| fired).filter(|fired| !fired.by_classifier);
            let classified = counted().map(|(fired, _)| fired).filter(|fired| fired.by_classifier);
            let classified = classified.map(|fired| fired.score).max();
            let score = noisy_or(by_words().map(|fired| fired.score).chain(classified));
            let supported = !blocks || self.classifier_alone || by_words().next().is_some();
            let reached = supported && score >= threshold.max(1);
            let tally = Tally { typology, score, rule: rule.rule, reached };
            if best.is_none_or(|best| (tally.reached, tally.score) > (best.reached, best.score)) {
                best = Some(tally);
            }
        }
        best
    }
}

#[derive(Clone, Copy)]
struct Tally {
    typology: Typology,
    score: u8,
    rule: u32,
    reached: bool,
}

/// `1 − ∏(1 − s/100)` in hundredths, rounded down.
#[must_use]
pub fn noisy_or(scores: impl Iterator<Item = u8>) -> u8 {
    const ONE: u64 = 1_000_000_000_000;
    let remaining = scores.fold(ONE, |remaining, score| remaining * u64::from(100 - score.min(100)) / 100);
    u8::try_from((ONE - remaining) / (ONE / 100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(rule: u32, typology: Typology, ladder: Ladder, score: u8) -> Fired {
        Fired { rule, typology, ladder, score, ..Fired::EMPTY }
    }

    fn decide(policy: &Policy, fired: &[Fired], protected: ProtectedSet) -> Verdict {
        policy.decide(&Judgement { fired, protected, ..Judgement::NOTHING })
    }

    #[test]
    fn scores_add_up_as_independent_evidence() {
        assert_eq!(noisy_or([80].into_iter()), 80);
        assert_eq!(noisy_or([50, 40].into_iter()), 70);
        assert_eq!(noisy_or([100, 1].into_iter()), 100);
        assert_eq!(noisy_or(core::iter::empty()), 0);
        assert_eq!(noisy_or([1; 64].into_iter()), 47);
    }

    #[test]
    fn weak_rules_block_together_within_one_typology_only() {
        let policy = Policy::default();
        let same =
            [fired(0, Typology::Fraud, Ladder::Enforce, 50), fired(1, Typology::Fraud, Ladder::Enforce, 45)];
        let verdict = decide(&policy, &same, ProtectedSet::NONE);
        assert_eq!((verdict.action, verdict.score, verdict.rule), (Action::Reject, 72, Some(0)));
        let two = [
            fired(0, Typology::Fraud, Ladder::Enforce, 50),
            fired(1, Typology::StockTips, Ladder::Enforce, 45),
        ];
        let verdict = decide(&policy, &two, ProtectedSet::NONE);
        assert_eq!((verdict.action, verdict.score), (Action::Flag, 50));
    }

    #[test]
    fn the_classifier_raises_a_score_and_never_blocks_alone() {
        let asks = |rule, score| Fired {
            by_classifier: true,
            ..fired(rule, Typology::Fraud, Ladder::Enforce, score)
        };
        let alone = [asks(0, 95), asks(1, 90)];
        let verdict = decide(&Policy::default(), &alone, ProtectedSet::NONE);
        assert_eq!((verdict.action, verdict.shadow, verdict.score), (Action::Flag, Action::Allow, 95));
        let permitted = Policy { classifier_alone: true, ..Policy::default() };
        assert_eq!(decide(&permitted, &alone, ProtectedSet::NONE).action, Action::Reject);
        let beside = [asks(0, 60), asks(1, 60), fired(2, Typology::Fraud, Ladder::Enforce, 30)];
        let verdict = decide(&Policy::default(), &beside, ProtectedSet::NONE);
        assert_eq!((verdict.action, verdict.score), (Action::Reject, 72));
        let elsewhere = [asks(0, 90), fired(1, Typology::StockTips, Ladder::Enforce, 30)];
        assert_eq!(decide(&Policy::default(), &elsewhere, ProtectedSet::NONE).action, Action::Flag);
    }

    #[test]
    fn the_lower_ladder_of_rule_and_policy_counts() {
        let mut policy = Policy::default();
        let shadow = [fired(0, Typology::Fraud, Ladder::Shadow, 90)];
        let verdict = decide(&policy, &shadow, ProtectedSet::NONE);
        assert_eq!((verdict.action, verdict.shadow, verdict.rule), (Action::Allow, Action::Reject, Some(0)));
        assert!(verdict.is_reportable());
        assert_eq!(decide(&Policy::enforcing(), &shadow, ProtectedSet::NONE).action, Action::Reject);
        policy.typologies[Typology::Fraud as usize].ladder = Ladder::Flag;
        let enforce = [fired(0, Typology::Fraud, Ladder::Enforce, 90)];
        assert_eq!(decide(&policy, &enforce, ProtectedSet::NONE).action, Action::Flag);
    }

    #[test]
    fn protection_yields_only_to_a_rule_that_names_the_class() {
        use crate::signal::Protected;
        let otp = ProtectedSet::NONE.with(Protected::Otp);
        let mut rules =
            [fired(0, Typology::Fraud, Ladder::Enforce, 95), fired(1, Typology::Fraud, Ladder::Enforce, 75)];
        let verdict = decide(&Policy::default(), &rules, otp);
        assert_eq!((verdict.action, verdict.shadow), (Action::Flag, Action::Reject));
        rules[1].overrides = otp.bits();
        let verdict = decide(&Policy::default(), &rules, otp);
        assert_eq!((verdict.action, verdict.score, verdict.rule), (Action::Reject, 75, Some(1)));
        let verdict = decide(&Policy::default(), &rules, otp.with(Protected::Own));
        assert_eq!(verdict.action, Action::Flag);
    }

    #[test]
    fn suppressed_rules_count_for_nothing() {
        let mut rules = [fired(0, Typology::Fraud, Ladder::Enforce, 95)];
        rules[0].suppressed_by = Some(0);
        let verdict = decide(&Policy::default(), &rules, ProtectedSet::NONE);
        assert_eq!((verdict.action, verdict.shadow, verdict.typology), (Action::Allow, Action::Allow, None));
    }
}
