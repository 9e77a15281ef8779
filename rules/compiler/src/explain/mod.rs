//! Why an event is judged as it is: views, hits with the words they came from, every condition with its values, scores,
//! what was taken back, what is protected, and the verdict.
//!
//! ```text
//! pack + event → judge (observed) → facts → trees of the conditions → Explanation → text or JSON
//! ```

mod evidence;
mod facts;
mod json;
mod render;
mod tree;

use std::sync::Arc;

use yumen_matcher::Worker;
use yumen_rules::classify::Reason;
use yumen_rules::engine::{ConditionId, JudgeError, Judgement, Site};
use yumen_rules::language::Language;
use yumen_rules::pack::Pack;
use yumen_rules::policy::{Policy, Verdict};
use yumen_rules::signal::{Field, Protected, View};
use yumen_rules::verdict::{Ladder, Typology};
use yumen_wire::event::Event;

pub use evidence::{GroupHits, PatternHit};
pub use facts::FieldValue;
pub(crate) use facts::{Known, Recorder};
pub use json::json;
pub use render::render;
pub use tree::{Leaf, Tree};

/// Why an event is judged as it is.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Name of the pack.
    pub pack: String,
    /// Its serial.
    pub serial: u64,
    /// The message.
    pub text: String,
    /// The views of the text that the pack has patterns for, and always the folded one.
    pub views: Vec<(View, String)>,
    /// Every field's value.
    pub fields: Vec<(Field, FieldValue)>,
    /// The groups that something hit of.
    pub groups: Vec<GroupHits>,
    /// The rules that fired, then those that something hit for.
    pub rules: Vec<RuleOutcome>,
    /// The suppressions that held.
    pub suppressions: Vec<Outcome>,
    /// The pack's protections that held.
    pub protections: Vec<Outcome>,
    /// The classes the event is in, the built-in ones included.
    pub protected: Vec<Protected>,
    /// The score of each typology that a rule fired of and wasn't taken back.
    pub scores: Vec<(Typology, u8)>,
    /// What speaks for each typology of which the classifier is at least [`RESEMBLES_AT`] percent sure, the strongest first: pieces of the
    /// folded text, and fields.
    pub reasons: Vec<(Typology, u8, Vec<String>)>,
    /// What the policy makes of it.
    pub verdict: Verdict,
    /// The id of the rule the verdict names.
    pub decided_by: Option<String>,
    /// What the person who was blocked is told; `None` where nothing is blocked.
    pub redress: Option<Redress>,
}

/// What the person who was blocked is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redress {
    /// The language of the message.
    pub language: Language,
    /// The sentence in every language, by [`Language`].
    pub sentences: [String; Language::COUNT],
}

impl Redress {
    /// The sentence in the language of the message.
    #[must_use]
    pub fn sentence(&self) -> &str {
        self.sentences.get(self.language as usize).map_or("", String::as_str)
    }
}

/// From this percent on the classifier's reasons are shown.
pub const RESEMBLES_AT: u8 = 50;
/// How many of them.
const REASONS_MAX: usize = 6;

/// A condition and how it came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whose it is.
    pub id: String,
    /// Chinese title; may be empty.
    pub title_zh: String,
    /// English title; may be empty.
    pub title_en: String,
    /// Whether it held.
    pub held: bool,
    /// The condition with its values; `None` for one that can't be shown as a tree.
    pub tree: Option<Tree>,
}

/// A rule and how it came out.
#[derive(Clone, Debug)]
pub struct RuleOutcome {
    /// Its condition.
    pub outcome: Outcome,
    /// The practice.
    pub typology: Typology,
    /// 1 to 100.
    pub score: u8,
    /// How far the pack lets it go.
    pub ladder: Ladder,
    /// The suppression that took its hit back.
    pub suppressed_by: Option<String>,
}

/// Judges an event and tells why. `rule` names one rule to show whatever came of it.
///
/// # Errors
/// [`JudgeError`], where the matcher failed.
pub fn explain(
    worker: &mut Worker,
    site: &Site<'_>,
    event: &Event<'_>,
    policy: &Policy,
    rule: Option<&str>,
) -> Result<Explanation, JudgeError> {
    let loaded = Arc::clone(worker.pack());
    let pack = loaded.pack();
    let mut recorder = Recorder::default();
    let judgement = worker.judge_observed(site, event, &mut recorder)?;
    let known = Known::new(pack, &judgement, &recorder);
    let verdict = policy.decide(&judgement);
    let with_patterns = View::ALL
        .into_iter()
        .filter(|&view| view == View::Folded || (view != View::Plain && pack.patterns_of(view) > 0));
    let fields = Field::ALL.iter().filter_map(|&field| Some((field, recorder.fields.get(&field)?.clone())));
    Ok(Explanation {
        pack: pack.header().name().to_owned(),
        serial: pack.header().serial,
        text: event.text.to_owned(),
        views: with_patterns.map(|view| (view, evidence::view_text(&judgement, view).into_owned())).collect(),
        fields: fields.collect(),
        groups: evidence::groups(pack, &judgement, &known, event.text),
        rules: rules(pack, &judgement, &known, &recorder, rule),
        suppressions: suppressions(pack, &known, &recorder),
        protections: protections(pack, &known, &recorder),
        protected: judgement.protected.iter().collect(),
        scores: Typology::ALL
            .into_iter()
            .map(|typology| (typology, judgement.score(typology)))
            .filter(|&(_, score)| score > 0)
            .collect(),
        decided_by: verdict.rule.map(|rule| pack.rule_id(rule).to_owned()),
        reasons: reasons(pack, &judgement),
        redress: verdict.typology.filter(|_| verdict.action.blocks()).map(|typology| Redress {
            language: Language::of(event.text),
            sentences: Language::ALL
                .map(|language| pack.redress(verdict.rule, typology, language).to_owned()),
        }),
        verdict,
    })
}

fn rules(
    pack: Pack<'_>,
    judgement: &Judgement<'_>,
    known: &Known<'_>,
    recorder: &Recorder,
    wanted: Option<&str>,
) -> Vec<RuleOutcome> {
    let mut outcomes = Vec::new();
    for (index, rule) in pack.rules() {
        let id = pack.string(rule.id);
        let held = recorder.held(ConditionId::Rule(index));
        let tree = known.tree(id, rule.condition());
        // A rule that nothing hit for says nothing about this text.
        let touched = tree.as_ref().is_some_and(|tree| tree.leaves().iter().any(|leaf| leaf.is_hit()));
        if !held && !touched && wanted != Some(id) {
            continue;
        }
        let fired = judgement.fired.iter().find(|fired| fired.rule == index);
        let suppression =
            fired.and_then(|fired| fired.suppressed_by).and_then(|index| pack.suppression(index));
        outcomes.push(RuleOutcome {
            outcome: Outcome {
                id: id.to_owned(),
                title_zh: pack.string(rule.title_zh).to_owned(),
                title_en: pack.string(rule.title_en).to_owned(),
                held,
                tree,
            },
            typology: rule.typology,
            score: rule.score,
            ladder: rule.ladder,
            suppressed_by: suppression.map(|suppression| pack.string(suppression.id).to_owned()),
        });
    }
    outcomes.sort_by_key(|rule| (!rule.outcome.held, wanted != Some(rule.outcome.id.as_str())));
    outcomes
}

fn suppressions(pack: Pack<'_>, known: &Known<'_>, recorder: &Recorder) -> Vec<Outcome> {
    let held = pack.suppressions().filter(|&(index, _)| recorder.held(ConditionId::Suppression(index)));
    held.map(|(_, suppression)| {
        let id = pack.string(suppression.id);
        Outcome {
            id: id.to_owned(),
            title_zh: pack.string(suppression.title_zh).to_owned(),
            title_en: pack.string(suppression.title_en).to_owned(),
            held: true,
            tree: known.tree(id, suppression.condition()),
        }
    })
    .collect()
}

fn protections(pack: Pack<'_>, known: &Known<'_>, recorder: &Recorder) -> Vec<Outcome> {
    let held = pack.protections().filter(|&(index, _)| recorder.held(ConditionId::Protection(index)));
    held.map(|(_, protection)| {
        let id = pack.string(protection.id);
        Outcome {
            id: id.to_owned(),
            title_zh: String::new(),
            title_en: String::new(),
            held: true,
            tree: known.tree(id, protection.condition()),
        }
    })
    .collect()
}

/// The features that the classifier's percents rest on.
fn reasons(pack: Pack<'_>, judgement: &Judgement<'_>) -> Vec<(Typology, u8, Vec<String>)> {
    let (Some(model), Some((scores, signals))) = (pack.classifier(), judgement.classified()) else {
        return Vec::new();
    };
    let folded = judgement.view(View::Folded);
    let sure = Typology::ALL.into_iter().zip(scores).filter(|&(_, score)| score >= RESEMBLES_AT);
    let why = |(typology, score)| {
        let mut found = [Reason::default(); REASONS_MAX];
        let len = model.reasons(folded, signals, typology, &mut found);
        let words = found.iter().take(len).map(|reason| match reason.feature.signal() {
            Some(field) => field.to_owned(),
            None => {
                let span = reason.feature.start as usize..reason.feature.end as usize;
                String::from_utf8_lossy(folded.get(span).unwrap_or_default()).into_owned()
            }
        });
        (typology, score, words.collect())
    };
    sure.map(why).collect()
}
