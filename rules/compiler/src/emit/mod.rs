//! PackDraft → the bytes of a pack ([`yumen_rules::pack`]), not signed yet.

mod code;
mod section;
mod trigger;

use yumen_rules::classify::{self, Model};
use yumen_rules::engine::FOLD_VERSION;
use yumen_rules::limits::PACK_BYTES_MAX;
use yumen_rules::pack::{
    CanaryOwner, ENGINE_VERSION, FORMAT_VERSION, HEADER_LEN, Header, MAGIC, OrganisationKind, PackError,
    SECTION_ENTRY_LEN, SIGNATURE_LEN, SectionKind,
};

use crate::draft::{Expr, PackDraft, RuleDraft, SenderDraft};
use section::{Sections, wire};

/// Why a draft can't become a pack. Most of it is for `check` to find first, with its place in the source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The name or the channel doesn't fit the header.
    #[error("name {0:?} or channel {1:?} is longer than the header has room for")]
    NameTooLong(String, String),
    /// An index of the draft leads nowhere.
    #[error("{0} refers to something that isn't there")]
    DanglingIndex(String),
    /// A kind of organisation that isn't known.
    #[error("organisation kind {0:?} isn't known")]
    UnknownOrganisationKind(String),
    /// A condition with more tests than an engine follows.
    #[error("the condition of {0} is too large: split it")]
    ConditionTooLarge(String),
    /// Not a classifier's section.
    #[error("the classifier's weights are no section of a pack")]
    Classifier,
    /// A rule that rests on nothing but the classifier.
    #[error("{0} can hold by the classifier alone: it needs words beside it")]
    ClassifierAlone(String),
    /// More than fits.
    #[error("too much for one pack: {0}")]
    TooLarge(&'static str),
    /// The bytes aren't a pack: a defect of this compiler, not of the source.
    #[error("the compiler made a pack that doesn't check: {0}")]
    Defective(PackError),
}

/// The bytes of a pack, with room for the signature at their end. The same draft gives the same bytes.
///
/// # Errors
/// [`EmitError`].
pub fn emit(draft: &PackDraft) -> Result<Vec<u8>, EmitError> {
    let mut sections = Sections::default();
    patterns(draft, &mut sections)?;
    let triggers = rules(draft, &mut sections)?;
    groups(draft, &triggers, &mut sections)?;
    lists(draft, &mut sections)?;
    senders(draft, &mut sections)?;
    suppressions(draft, &mut sections)?;
    protections(draft, &mut sections)?;
    canaries(draft, &mut sections)?;
    classifier(draft, &mut sections)?;
    if !draft.automaton.is_empty() {
        sections.table(SectionKind::Automaton, draft.automaton.clone(), wire(draft.automaton.len())?);
    }
    redress(draft, &mut sections)?;
    let bytes = assemble(draft, &sections)?;
    match yumen_rules::pack::Layout::new_checked(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(EmitError::Defective(error)),
    }
}

fn patterns(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    let mut groups_of = vec![Vec::new(); draft.patterns.len()];
    for (index, group) in draft.groups.iter().enumerate() {
        for &pattern in &group.patterns {
            let groups =
                groups_of.get_mut(pattern).ok_or_else(|| EmitError::DanglingIndex(group.name.clone()))?;
            let group = wire(index)?;
            if groups.last() != Some(&group) {
                groups.push(group);
            }
        }
    }
    for pattern in &draft.patterns {
        let text = sections.string(&pattern.text)?;
        sections.record(
            SectionKind::Patterns,
            &[&text.to_le_bytes(), &[u8::from(pattern.regex), pattern.view as u8, 0, 0]],
        );
    }
    sections.csr(SectionKind::PatternGroups, &groups_of)
}

/// Returns, for each group, the rules it triggers.
fn rules(draft: &PackDraft, sections: &mut Sections) -> Result<Vec<Vec<u32>>, EmitError> {
    let mut triggered = vec![Vec::new(); draft.groups.len()];
    for (index, rule) in draft.rules.iter().enumerate() {
        let triggers = trigger::triggers(&rule.when, draft);
        let always = triggers.is_none();
        if always {
            sections.record(SectionKind::Always, &[&wire(index)?.to_le_bytes()]);
        }
        for group in triggers.into_iter().flatten() {
            let rules = triggered.get_mut(group).ok_or_else(|| EmitError::DanglingIndex(rule.id.clone()))?;
            rules.push(wire(index)?);
        }
        one_rule(draft, rule, always, sections)?;
    }
    Ok(triggered)
}

fn one_rule(
    draft: &PackDraft,
    rule: &RuleDraft,
    always: bool,
    sections: &mut Sections,
) -> Result<(), EmitError> {
    let (first, count) = code::condition(draft, &rule.id, &rule.when, sections)?;
    let id = sections.string(&rule.id)?.to_le_bytes();
    let title_zh = sections.string(&rule.title_zh)?.to_le_bytes();
    let title_en = sections.string(&rule.title_en)?.to_le_bytes();
    let channels = u8::from(rule.sms) | u8::from(rule.call) << 1;
    let by_classifier = rule.when.asks_classifier();
    if always && by_classifier {
        return Err(EmitError::ClassifierAlone(rule.id.clone()));
    }
    let flags = u8::from(always) | u8::from(by_classifier) << 1;
    let overrides = rule.overrides.iter().fold(0, |bits, &class| bits | 1 << class as u8);
    let bytes = [rule.typology as u8, channels, rule.ladder as u8, rule.score, overrides, flags];
    let (count, first) = (count.to_le_bytes(), first.to_le_bytes());
    sections.record(SectionKind::Rules, &[&id, &title_zh, &title_en, &bytes, &count, &first]);
    Ok(())
}

/// Whether a condition can hold only where some words are found.
pub(crate) fn needs_words(condition: &Expr, draft: &PackDraft) -> bool {
    trigger::triggers(condition, draft).is_some()
}

fn groups(draft: &PackDraft, triggered: &[Vec<u32>], sections: &mut Sections) -> Result<(), EmitError> {
    let counted = trigger::counted_groups(draft);
    for (index, group) in draft.groups.iter().enumerate() {
        let name = sections.string(&group.name)?.to_le_bytes();
        let need = group.need.max(1);
        let trigger = if counted.contains(&index) { 1 } else { need };
        let members = wire(group.patterns.len())?.to_le_bytes();
        sections.record(SectionKind::Groups, &[&name, &need.to_le_bytes(), &trigger.to_le_bytes(), &members]);
    }
    sections.csr(SectionKind::GroupRules, triggered)
}

fn lists(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    for list in &draft.lists {
        let mut entries: Vec<&String> = list.entries.iter().filter(|entry| !entry.is_empty()).collect();
        entries.sort();
        entries.dedup();
        let first = sections.count(SectionKind::ListEntries)?.to_le_bytes();
        for entry in &entries {
            let entry = sections.string(entry)?.to_le_bytes();
            sections.record(SectionKind::ListEntries, &[&entry]);
        }
        let name = sections.string(&list.name)?.to_le_bytes();
        let count = wire(entries.len())?.to_le_bytes();
        sections.record(SectionKind::Lists, &[&name, &[list.kind as u8, 0, 0, 0], &first, &count]);
    }
    Ok(())
}

fn senders(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    let (mut numbers, mut prefixes, mut signatures) = (Vec::new(), Vec::new(), Vec::new());
    for (index, sender) in draft.senders.iter().enumerate() {
        let index = wire(index)?;
        organisation(sender, sections)?;
        for number in &sender.numbers {
            match number.strip_suffix('*') {
                Some(prefix) => prefixes.push((prefix, index)),
                None => numbers.push((number.as_str(), index)),
            }
        }
        signatures.extend(sender.signatures.iter().map(|signature| (signature.as_str(), index)));
    }
    for (kind, mut keys) in [
        (SectionKind::Numbers, numbers),
        (SectionKind::NumberPrefixes, prefixes),
        (SectionKind::Signatures, signatures),
    ] {
        keys.retain(|(key, _)| !key.is_empty());
        keys.sort_unstable();
        keys.dedup();
        for (key, organisation) in keys {
            let key = sections.string(key)?.to_le_bytes();
            sections.record(kind, &[&key, &organisation.to_le_bytes()]);
        }
    }
    Ok(())
}

fn organisation(sender: &SenderDraft, sections: &mut Sections) -> Result<(), EmitError> {
    let kind = OrganisationKind::from_id(&sender.kind)
        .ok_or_else(|| EmitError::UnknownOrganisationKind(sender.kind.clone()))?;
    let first = sections.count(SectionKind::Domains)?.to_le_bytes();
    for domain in &sender.domains {
        let domain = sections.string(domain)?.to_le_bytes();
        sections.record(SectionKind::Domains, &[&domain]);
    }
    let name = sections.string(&sender.organisation)?.to_le_bytes();
    let domains = wire(sender.domains.len())?.to_le_bytes();
    sections.record(SectionKind::Organisations, &[&name, &[kind as u8, 0, 0, 0], &first, &domains]);
    Ok(())
}

fn suppressions(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    for suppression in &draft.suppressions {
        let (first, count) = code::condition(draft, &suppression.id, &suppression.when, sections)?;
        let rules_first = sections.count(SectionKind::SuppressedRules)?.to_le_bytes();
        for &rule in &suppression.rules {
            sections.record(SectionKind::SuppressedRules, &[&wire(rule)?.to_le_bytes()]);
        }
        let id = sections.string(&suppression.id)?.to_le_bytes();
        let title_zh = sections.string(&suppression.title_zh)?.to_le_bytes();
        let title_en = sections.string(&suppression.title_en)?.to_le_bytes();
        let typologies = suppression.typologies.iter().fold(0, |bits, &typology| bits | 1 << typology as u8);
        let rules = wire(suppression.rules.len())?.to_le_bytes();
        let (count, first) = (count.to_le_bytes(), first.to_le_bytes());
        let record: [&[u8]; 8] =
            [&id, &title_zh, &title_en, &[typologies, 0], &count, &first, &rules_first, &rules];
        sections.record(SectionKind::Suppressions, &record);
    }
    Ok(())
}

fn protections(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    for protection in &draft.protections {
        let (first, count) = code::condition(draft, &protection.id, &protection.when, sections)?;
        let id = sections.string(&protection.id)?.to_le_bytes();
        let (count, first) = (count.to_le_bytes(), first.to_le_bytes());
        sections.record(SectionKind::Protections, &[&id, &[protection.class as u8, 0], &count, &first]);
    }
    Ok(())
}

fn canaries(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    for (index, rule) in draft.rules.iter().enumerate() {
        canaries_of(CanaryOwner::Rule(wire(index)?), &rule.hits, &rule.misses, sections)?;
    }
    for (index, suppression) in draft.suppressions.iter().enumerate() {
        canaries_of(
            CanaryOwner::Suppression(wire(index)?),
            &suppression.hits,
            &suppression.misses,
            sections,
        )?;
    }
    Ok(())
}

fn canaries_of(
    owner: CanaryOwner,
    hits: &[String],
    misses: &[String],
    sections: &mut Sections,
) -> Result<(), EmitError> {
    let (index, kind) = match owner {
        CanaryOwner::Rule(index) => (index, 0),
        CanaryOwner::Suppression(index) => (index, 1),
    };
    for (text, hit) in hits.iter().map(|text| (text, 1)).chain(misses.iter().map(|text| (text, 0))) {
        let text = sections.string(text)?.to_le_bytes();
        sections.record(SectionKind::Canaries, &[&text, &index.to_le_bytes(), &[kind, hit, 0, 0]]);
    }
    Ok(())
}

fn classifier(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    if draft.classifier.is_empty() {
        return Ok(());
    }
    let Some(model) = Model::new_checked(&draft.classifier) else { return Err(EmitError::Classifier) };
    // What has an automaton is for a device: there, room is worth more than time.
    let section = if draft.automaton.is_empty() {
        with_directory(&draft.classifier, model.len())
    } else {
        draft.classifier.clone()
    };
    sections.table(SectionKind::Classifier, section, wire(model.len())?);
    Ok(())
}

/// A classifier's section with a directory of about four hashes an entry, where it had none.
fn with_directory(section: &[u8], features: usize) -> Vec<u8> {
    let bits = (features / 4).checked_ilog2().unwrap_or(0).min(classify::DIRECTORY_BITS_MAX.into());
    let (Some((header, table)), Some(&[v0, v1, 0, ref reserved @ ..])) =
        (section.split_at_checked(classify::HEADER_LEN), section.first_chunk::<8>())
    else {
        return section.to_vec();
    };
    let Some(bits) = u8::try_from(bits).ok().filter(|&bits| bits > 0) else { return section.to_vec() };
    let mut made = [&[v0, v1, bits], reserved.as_slice(), header.get(8..).unwrap_or_default()].concat();
    let hashes: Vec<u32> =
        table.as_chunks().0.iter().take(features).map(|&hash| u32::from_le_bytes(hash)).collect();
    for bucket in 0..=1u64 << bits {
        let below = hashes.partition_point(|&hash| (u64::from(hash) << bits >> 32) < bucket);
        made.extend_from_slice(&u32::try_from(below).unwrap_or(u32::MAX).to_le_bytes());
    }
    made.extend_from_slice(table);
    made
}

/// The typologies' own first, then those of rules; a sentence that isn't there is the empty string.
fn redress(draft: &PackDraft, sections: &mut Sections) -> Result<(), EmitError> {
    let of_typologies = draft.redress.iter().map(|(typology, texts)| (u32::MAX, *typology, texts));
    let of_rules = (0..).zip(&draft.rules).filter(|(_, rule)| !rule.redress.is_empty());
    let all = of_typologies.chain(of_rules.map(|(index, rule)| (index, rule.typology, &rule.redress)));
    for (rule, typology, texts) in all {
        let mut record = rule.to_le_bytes().to_vec();
        record.extend_from_slice(&[typology as u8, 0, 0, 0]);
        for text in &texts.0 {
            record.extend_from_slice(&sections.string(text)?.to_le_bytes());
        }
        sections.record(SectionKind::Redress, &[&record]);
    }
    Ok(())
}

fn assemble(draft: &PackDraft, sections: &Sections) -> Result<Vec<u8>, EmitError> {
    let kinds: Vec<SectionKind> = SectionKind::ALL
        .iter()
        .copied()
        .filter(|kind| *kind != SectionKind::Automaton || !draft.automaton.is_empty())
        .collect();
    let table_end = HEADER_LEN + kinds.len() * SECTION_ENTRY_LEN;
    let (mut table, mut body) = (Vec::new(), Vec::new());
    for &kind in &kinds {
        let (bytes, count) = sections.finished(kind)?;
        body.resize(body.len().next_multiple_of(8), 0);
        for word in [table_end + body.len(), bytes.len(), count as usize] {
            table.push(wire(word)?);
        }
        body.extend_from_slice(&bytes);
    }
    body.resize(body.len().next_multiple_of(8), 0);
    let total = table_end + body.len() + SIGNATURE_LEN;
    if total > PACK_BYTES_MAX {
        return Err(EmitError::TooLarge("the file"));
    }
    let mut out = header(draft, kinds.len(), total)?;
    for (kind, words) in kinds.iter().zip(table.as_chunks::<3>().0) {
        out.extend_from_slice(&(*kind as u16).to_le_bytes());
        // An engine that knows no automaton scans another way, and one that can't excuse itself still judges right.
        let may_be_passed_over = matches!(kind, SectionKind::Automaton | SectionKind::Redress);
        let flags = if may_be_passed_over { 0 } else { CRITICAL };
        out.extend_from_slice(&flags.to_le_bytes());
        words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }
    out.append(&mut body);
    out.resize(total, 0);
    Ok(out)
}

/// Flag of a section without which a pack can't be understood.
const CRITICAL: u16 = 1;

fn header(draft: &PackDraft, sections: usize, total: usize) -> Result<Vec<u8>, EmitError> {
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(
        &u16::try_from(sections).map_err(|_| EmitError::TooLarge("sections"))?.to_le_bytes(),
    );
    out.extend_from_slice(&wire(total)?.to_le_bytes());
    for word in [draft.serial, draft.created_s, draft.expires_s] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&ENGINE_VERSION.to_le_bytes());
    let fold = u16::try_from(FOLD_VERSION).map_err(|_| EmitError::TooLarge("the fold version"))?;
    out.extend_from_slice(&fold.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    for (text, len) in [(&draft.channel, Header::CHANNEL_LEN_MAX), (&draft.name, Header::NAME_LEN_MAX)] {
        if text.len() > len || text.contains('\0') {
            return Err(EmitError::NameTooLong(draft.name.clone(), draft.channel.clone()));
        }
        let end = out.len() + len;
        out.extend_from_slice(text.as_bytes());
        out.resize(end, 0);
    }
    out.resize(HEADER_LEN, 0);
    Ok(out)
}

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;
