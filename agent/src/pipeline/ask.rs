//! Decisions for who asks instead of standing in the path: the same engine, policy and reports as the doors'.

use super::{Gate, Hit, Unjudged};
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::enforce::{self, Cause, Outcome, Ruling, Waiver};
use crate::limits::JUDGED_BYTES_MAX;
use yumen_rules::engine::Judgement;
use yumen_rules::pack::Pack;
use yumen_rules::policy::Verdict;
use yumen_rules::verdict::Action;
use yumen_wire::event::Event;

/// A judgement, what the thresholds made of it, and what is done in the end.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// What held.
    pub judgement: &'a Judgement<'a>,
    /// What the thresholds made of it.
    pub verdict: &'a Verdict,
    /// What is done in the end: the policy may be milder than the verdict.
    pub action: Action,
    /// The pack it was judged by.
    pub pack: Pack<'a>,
}

/// What became of a question.
#[derive(Debug)]
pub struct Asked<T> {
    /// What is to be done.
    pub ruling: Ruling,
    /// What was read off the decision; `None` where there is none.
    pub answer: Option<T>,
    /// Why there is no decision, or why it doesn't count.
    pub undecided: Option<Cause>,
}

impl Gate {
    /// Decides on a whole event, reports it like any other, and lets `read` take what it needs of the decision; `appeal` says
    /// what is given out for an appeal, so that the report carries it too. A text longer than [`JUDGED_BYTES_MAX`] is the
    /// caller's to refuse: it is not judged.
    pub fn ask<T>(
        &self,
        event: &Event<'_>,
        now: Now,
        appeal: impl Fn(&Decision<'_>, &Ruling) -> Option<String>,
        mut read: impl FnMut(&Decision<'_>) -> T,
    ) -> Asked<T> {
        if !self.policy.judges(event.direction) {
            let ruling = Ruling::Pass(enforce::waive(Waiver::DirectionNotJudged));
            return Asked { ruling, answer: None, undecided: None };
        }
        Counters::add(&self.counters.judged);
        self.pipeline.behaviour().attempt(event);
        if event.text.len() > JUDGED_BYTES_MAX {
            return self.unanswered(Cause::MemoryShort);
        }
        let mut asked = None;
        let judged = self.pipeline.judge.judge(event, &mut |judged| {
            let verdict = self.thresholds.decide(judged.judgement);
            let late = now.instant.elapsed() > self.policy.deadline;
            let outcome = if late {
                self.counters.add_undecided(Cause::Late);
                Outcome::Late(verdict.action)
            } else {
                Outcome::Judged(verdict.action)
            };
            let (ruling, action) = enforce::rule(&self.policy, outcome);
            self.count(&ruling, action, verdict.is_reportable() && action == Action::Allow);
            let (judgement, pack) = (judged.judgement, judged.pack);
            let decision = Decision { judgement, verdict: &verdict, action, pack };
            if verdict.is_reportable() {
                let appeal = appeal(&decision, &ruling);
                let hit = Hit {
                    listener: &self.name,
                    event,
                    judgement,
                    verdict: &verdict,
                    action,
                    pack,
                    appeal: appeal.as_deref(),
                };
                if self.pipeline.reporter.report(&hit).is_err() {
                    Counters::add(&self.counters.reports_lost);
                }
            }
            let answer = read(&decision);
            asked = Some(Asked { ruling, answer: Some(answer), undecided: late.then_some(Cause::Late) });
        });
        match (judged, asked) {
            (Ok(()), Some(asked)) => asked,
            (Err(Unjudged::NoPack), _) => self.unanswered(Cause::NoPack),
            (Err(Unjudged::Engine(_)) | Ok(()), _) => self.unanswered(Cause::Engine),
        }
    }

    fn unanswered<T>(&self, cause: Cause) -> Asked<T> {
        Asked { ruling: self.undecided(cause), answer: None, undecided: Some(cause) }
    }
}
