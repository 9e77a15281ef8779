//! From a question to its answer.

use super::Shared;
use super::model::Outcome as OutcomeReport;
use super::model::{
    Answer, Appeal, Object, OutcomeKind, PackName, Question, Redress, RuleHit, Sentence, Verdict,
};
use crate::behaviour::CallOutcome;
use crate::clock;
use crate::doors::session::Now;
use crate::enforce::{Cause, Manner, Ruling};
use crate::pipeline::{Asked, Decision};
use std::time::Instant;
use yumen_rules::language::Language;
use yumen_rules::pack::Pack;
use yumen_rules::verdict::Action;
use yumen_wire::event::{Address, Call, Channel, Direction, Door, Event, Trunk, Verstat};

/// Rules that an answer names.
const RULES_MAX: usize = 8;

/// What is taken from a decision while it is borrowed.
struct Findings {
    score: u8,
    typology: Option<String>,
    title: Option<Sentence>,
    redress: Option<Redress>,
    rules: Vec<RuleHit>,
    pack: PackName,
    pack_expires_s: u64,
    shadow: bool,
    protected: bool,
    flagged: bool,
}

/// Decides on a question that was checked.
pub(super) fn answer(shared: &Shared, question: &Question, instant: Instant) -> Answer {
    let now_ms = clock::now_ms();
    let event = event(question, now_ms);
    let now = Now { instant, time_ms: event.time_ms };
    // The hub learns the id with the sighting, so that whoever quotes it there is found.
    let appeal = |decision: &Decision<'_>, ruling: &Ruling| {
        let verdict = verdict_of(ruling, decision.action != Action::Allow);
        let serial = decision.pack.header().serial;
        (verdict != Verdict::Allow).then(|| appeal_id(shared, &event, verdict, serial))
    };
    let asked = shared.gate.ask(&event, now, appeal, |decision| findings(decision, event.text));
    let Asked { ruling, answer: found, undecided } = asked;
    let flagged = found.as_ref().is_some_and(|found| found.flagged);
    let verdict = verdict_of(&ruling, flagged);
    let reason = reason(verdict, found.as_ref(), undecided);
    let ttl_ms = u64::try_from(shared.answer_ttl.as_millis()).unwrap_or(u64::MAX);
    // An answer isn't worth more than its pack, and one without a decision isn't worth keeping.
    let expires_ms = match &found {
        Some(found) if undecided.is_none() => {
            now_ms.saturating_add(ttl_ms).min(found.pack_expires_s.saturating_mul(1000))
        }
        _ => now_ms,
    };
    let mut answer = Answer {
        verdict,
        block: ruling.blocks(),
        decided: undecided.is_none(),
        cause: undecided.map(|cause| cause.name().to_owned()),
        reason,
        redress: None,
        score: 0,
        typology: None,
        rules: Vec::new(),
        pack: None,
        expires_ms,
        appeal_id: None,
    };
    if let Some(found) = found {
        answer.score = found.score;
        answer.typology = found.typology;
        answer.redress = found.redress.filter(|_| answer.block && answer.decided);
        answer.rules = found.rules;
        answer.pack = Some(found.pack);
    }
    if verdict != Verdict::Allow {
        keep_appeal(shared, &event, &mut answer, now_ms);
    }
    answer
}

fn verdict_of(ruling: &Ruling, flagged: bool) -> Verdict {
    match ruling {
        Ruling::Pass(_) if flagged => Verdict::Flag,
        Ruling::Pass(_) => Verdict::Allow,
        Ruling::Block(Manner::Reject | Manner::Malformed) => Verdict::Reject,
        Ruling::Block(Manner::Drop) => Verdict::Drop,
        Ruling::Block(Manner::Defer) => Verdict::Defer,
    }
}

fn appeal_id(shared: &Shared, event: &Event<'_>, verdict: Verdict, serial: u64) -> String {
    let channel = channel_name(event.channel);
    let parts = [channel, event.originator.digits, event.destination.digits, event.text].map(str::as_bytes);
    let [channel, from, to, text] = parts;
    shared.appeals.id(&[channel, from, to, text, &serial.to_be_bytes(), &[verdict as u8]])
}

fn keep_appeal(shared: &Shared, event: &Event<'_>, answer: &mut Answer, now_ms: u64) {
    let channel = channel_name(event.channel);
    let serial = answer.pack.as_ref().map_or(0, |pack| pack.serial);
    let id = appeal_id(shared, event, answer.verdict, serial);
    shared.appeals.keep(Appeal {
        appeal_id: id.clone(),
        time_ms: now_ms,
        channel: channel.to_owned(),
        verdict: answer.verdict,
        reason: answer.reason.clone(),
        redress: answer.redress.clone(),
        score: answer.score,
        typology: answer.typology.clone(),
        rules: answer.rules.iter().map(|rule| rule.id.clone()).collect(),
        pack: answer.pack.clone(),
    });
    answer.appeal_id = Some(id);
}

const fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "sms",
        Channel::Call => "call",
    }
}

fn event(question: &Question, now_ms: u64) -> Event<'_> {
    let (channel, direction, from, to, text, time_ms, call) = match question {
        Question::Sms(Object(sms)) => {
            (Channel::Sms, sms.direction, &sms.from, &sms.to, sms.text.as_str(), sms.time_ms, Call::NONE)
        }
        Question::Call(Object(call)) => {
            let known = Call {
                asserted: Address::new(call.asserted.as_deref().unwrap_or_default()),
                diverted_from: Address::new(call.diverted_from.as_deref().unwrap_or_default()),
                display_name: call.display_name.as_deref().unwrap_or_default(),
                user_agent: call.user_agent.as_deref().unwrap_or_default(),
                verstat: call.verstat.map_or(Verstat::Absent, Verstat::from),
                attestation: call.attestation.map(Into::into),
                private: call.private.unwrap_or_default(),
                trunk: call.trunk.map_or(Trunk::Unknown, Trunk::from),
            };
            (Channel::Call, call.direction, &call.from, &call.to, "", call.time_ms, known)
        }
    };
    Event {
        channel,
        direction: direction.map_or(Direction::Submit, Direction::from),
        door: Door::Http,
        originator: Address::new(from),
        destination: Address::new(to),
        destinations: 1,
        text,
        segments: None,
        call,
        time_ms: time_ms.unwrap_or(now_ms),
    }
}

fn findings(decision: &Decision<'_>, text: &str) -> Findings {
    let (pack, verdict) = (&decision.pack, decision.verdict);
    let mut fired: Vec<_> = decision.judgement.effective().collect();
    fired.sort_by_key(|fired| {
        (std::cmp::Reverse(Some(fired.typology) == verdict.typology), std::cmp::Reverse(fired.score))
    });
    let rules = fired.into_iter().take(RULES_MAX).map(|fired| RuleHit {
        id: pack.rule_id(fired.rule).to_owned(),
        title: title(pack, fired.rule),
        score: fired.score.min(100),
    });
    Findings {
        score: verdict.score.min(100),
        typology: verdict.typology.map(|typology| typology.id().to_owned()),
        title: verdict.rule.map(|rule| title(pack, rule)),
        redress: verdict.typology.map(|typology| {
            let language = Language::of(text);
            let sentence = pack.redress(verdict.rule, typology, language).to_owned();
            Redress { language: language.tag().to_owned(), sentence }
        }),
        rules: rules.collect(),
        pack: PackName { name: pack.header().name().to_owned(), serial: pack.header().serial },
        pack_expires_s: pack.header().expires_s,
        shadow: verdict.is_reportable(),
        protected: !verdict.protected.is_empty(),
        flagged: decision.action != Action::Allow,
    }
}

fn title(pack: &Pack<'_>, rule: u32) -> Sentence {
    let text = |id| pack.string(id).to_owned();
    pack.rule(rule).map_or_else(
        || Sentence { zh: String::new(), en: String::new() },
        |rule| {
            let (zh, en) = (text(rule.title_zh), text(rule.title_en));
            let or = |one: &str, other: &str| if one.is_empty() { other.to_owned() } else { one.to_owned() };
            Sentence { zh: or(&zh, &en), en: or(&en, &zh) }
        },
    )
}

/// Why, in a sentence each.
fn reason(verdict: Verdict, found: Option<&Findings>, undecided: Option<Cause>) -> Sentence {
    let sentence = |zh: String, en: String| Sentence { zh, en };
    if let Some(cause) = undecided {
        let (zh, en) = if verdict == Verdict::Defer || verdict == Verdict::Reject {
            ("按策略暂不放行", "kept back by policy")
        } else {
            ("按策略放行", "let pass by policy")
        };
        let name = cause.name();
        return sentence(
            format!("未能及时判定（{name}），{zh}。"),
            format!("No decision was to be had ({name}): {en}."),
        );
    }
    let Some((found, title)) = found.and_then(|found| Some((found, found.title.as_ref()?))) else {
        return sentence("没有规则命中。".to_owned(), "No rule matched.".to_owned());
    };
    let (typology, score) = (found.typology.as_deref().unwrap_or("-"), found.score);
    let (zh, en) = match verdict {
        Verdict::Reject => ("按策略拒绝", "refused by policy"),
        Verdict::Drop => ("按策略丢弃", "dropped by policy"),
        Verdict::Defer => ("按策略暂不放行", "kept back by policy"),
        Verdict::Flag => ("已上报，放行", "reported and let pass"),
        Verdict::Allow if found.protected => ("属受保护类别，放行", "protected, let pass"),
        Verdict::Allow if found.shadow => ("规则处于观察期，放行", "the rule is in shadow, let pass"),
        Verdict::Allow => ("未达到阈值，放行", "below the threshold, let pass"),
    };
    sentence(
        format!("命中规则“{}”（{typology}，{score} 分）：{zh}。", title.zh),
        format!("Matched the rule \"{}\" ({typology}, score {score}): {en}.", title.en),
    )
}

/// Tells behaviour how a call went on, or that somebody complained about a call or a message.
pub(super) fn outcome(shared: &Shared, report: &OutcomeReport) {
    let time_ms = report.time_ms.unwrap_or_else(clock::now_ms);
    let ring_ms = report.ring_ms.unwrap_or_default();
    let outcome = match report.outcome {
        OutcomeKind::Answered => CallOutcome::Answered { ring_ms },
        OutcomeKind::Ended => CallOutcome::Ended { duration_ms: report.duration_ms.unwrap_or_default() },
        OutcomeKind::Cancelled => CallOutcome::Cancelled { ring_ms },
        OutcomeKind::Failed => CallOutcome::Failed,
        OutcomeKind::Complaint => {
            shared.counters.add(|counters| &counters.complaints);
            return shared.behaviour.complaint(&report.from, &report.to, time_ms);
        }
    };
    shared.behaviour.outcome(&report.from, &report.to, outcome, time_ms);
}
