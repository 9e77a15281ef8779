//! The fields that conditions ask for, each computed when it is first asked for.

use yumen_wire::event::{Direction, Event, Verstat};

use super::call;
use super::listed::{ListHit, ListQuery, ListSubject, can_be_listed};
use super::observer::Observer;
use super::protect::Site;
use crate::behave::{self, Query};
use crate::classify::{Scores, Signals};
use crate::extract::{self, Contact, ContactKind, Extract};
use crate::fold::{self, Folded};
use crate::limits::LISTED_MAX;
use crate::number::{self, CANONICAL_LEN_MAX, Number, NumberKind};
use crate::numbers::Listed;
use crate::pack::node::Test;
use crate::pack::{List, OrganisationKind, Organisations, Pack, SectionKind};
use crate::signal::Field;
use crate::verdict::Typology;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(&'v str),
}

/// What is known about an event.
#[derive(Debug)]
pub struct Facts<'s, 'c> {
    pack: Pack<'s>,
    site: &'c Site<'c>,
    event: Event<'s>,
    folded: Folded<'s>,
    sender: Lazy<&'s mut [u8; CANONICAL_LEN_MAX], Option<Number<'s>>>,
    extract: Lazy<(&'s mut [Contact], &'s mut [u8]), Extract<'s>>,
    signature: Lazy<&'s mut [u8], &'s str>,
    sender_organisations: Option<Organisations<'s>>,
    signature_organisations: Option<Organisations<'s>>,
    classified: Option<(Scores, Signals)>,
    measured: [Option<(Query, i64)>; MEASURED_MAX],
    measured_next: usize,
    asked: [Option<(ListQuery, Option<Listed>)>; LISTED_MAX],
    asked_next: usize,
}

/// Answers about behaviour that are remembered while an event is judged: rules ask the same.
const MEASURED_MAX: usize = 8;

/// What was looked up for an event: the originator and what the text holds.
#[derive(Debug, Default)]
pub(crate) struct Found<'s> {
    /// The originator; `None` where none was given.
    pub(super) sender: Option<Number<'s>>,
    /// Contacts and signature.
    pub(super) extract: Option<Extract<'s>>,
    /// The folded signature; empty where there is none.
    pub(super) signature: &'s str,
    /// What the classifier says, and of which signals; `None` where no rule asked.
    pub(super) classified: Option<(Scores, Signals)>,
    /// What number lists said.
    pub(super) listed: [Option<ListHit>; LISTED_MAX],
}

/// The storage that facts are computed into.
pub(super) struct Storage<'s> {
    pub(super) number: &'s mut [u8; CANONICAL_LEN_MAX],
    pub(super) signature: &'s mut [u8],
    pub(super) contacts: &'s mut [Contact],
    pub(super) values: &'s mut [u8],
}

impl<'s, 'c> Facts<'s, 'c> {
    pub(super) fn new(
        pack: Pack<'s>,
        site: &'c Site<'c>,
        event: &Event<'s>,
        folded: Folded<'s>,
        storage: Storage<'s>,
    ) -> Self {
        Self {
            pack,
            site,
            event: *event,
            folded,
            sender: Lazy::Pending(storage.number),
            extract: Lazy::Pending((storage.contacts, storage.values)),
            signature: Lazy::Pending(storage.signature),
            sender_organisations: None,
            signature_organisations: None,
            classified: None,
            measured: [None; MEASURED_MAX],
            measured_next: 0,
            asked: [None; LISTED_MAX],
            asked_next: 0,
        }
    }

    /// The value of a field.
    pub fn value(&mut self, field: Field) -> Value<'_> {
        use Field as F;
        use Value::{Bool, Int, Text};
        let (stats, event) = (self.folded.stats(), self.event);
        match field {
            F::SenderPresent => Bool(!self.event.originator.is_absent()),
            F::SenderRegistered => Bool(self.sender_is_registered()),
            F::SenderMobile => Bool(self.sender_is(NumberKind::Mobile)),
            F::SenderFixed => Bool(self.sender_is(NumberKind::Fixed)),
            F::SenderService => Bool(self.sender_is(NumberKind::Service)),
            F::SenderInternational => Bool(self.sender_is(NumberKind::International)),
            F::SenderAlphanumeric => Bool(self.sender_is(NumberKind::Alphanumeric)),
            F::SenderVirtual => Bool(self.sender().is_some_and(|sender| sender.virtual_operator)),
            F::SenderNumber => Text(self.sender().map_or("", |sender| sender.canonical)),
            F::SenderOrganisation => Text(self.sender_organisation()),
            F::SignaturePresent => Bool(self.extract().is_some_and(|extract| extract.signature.is_some())),
            F::SignatureRegistered => Bool(!self.signature_organisations().is_empty()),
            F::SignatureMismatch => Bool(self.signature_mismatches()),
            F::SignatureText => Text(self.signature()),
            F::SignatureForeignLink => Bool(self.signature_has_foreign_link()),
            F::ContactAny => Bool(self.extract().is_some_and(|extract| extract.count() > 0)),
            F::ContactMobile => Bool(self.has_contact(ContactKind::Mobile)),
            F::ContactPhone => Bool(self.has_contact(ContactKind::Phone)),
            F::ContactLink => Bool(self.has_contact(ContactKind::Link)),
            F::ContactWechat => Bool(self.has_contact(ContactKind::Wechat)),
            F::ContactQq => Bool(self.has_contact(ContactKind::Qq)),
            F::ContactTelegram => Bool(self.has_contact(ContactKind::Telegram)),
            F::ContactEmail => Bool(self.has_contact(ContactKind::Email)),
            F::ContactBankAccount => Bool(self.has_contact(ContactKind::BankAccount)),
            F::ContactCount => Int(self.extract().map_or(0, |extract| int(extract.count()))),
            F::LinkShortened => Bool(self.extract().is_some_and(|extract| extract.link_traits().shortened)),
            F::LinkIp => Bool(self.extract().is_some_and(|extract| extract.link_traits().ip)),
            F::LinkPunycode => Bool(self.extract().is_some_and(|extract| extract.link_traits().punycode)),
            F::LinkDomain => Text(self.extract().map_or("", Extract::link_domain)),
            F::TextChars => Int(stats.chars.into()),
            F::TextDigits => Int(stats.digits.into()),
            F::TextDisguised => Int(stats.disguised.into()),
            F::TextEmoji => Int(stats.emoji.into()),
            F::TextLatin => Bool(self.folded.is_latin()),
            F::TextOtp => Bool(self.has_otp_form()),
            F::DirectionSubmit => Bool(self.event.direction == Direction::Submit),
            F::Destinations => Int(self.event.destinations.into()),
            F::CallVerified => Bool(self.event.call.verstat == Verstat::Passed),
            F::CallFailed => Bool(self.event.call.verstat == Verstat::Failed),
            F::CallVerstat => Text(call::verstat(&self.event)),
            F::CallAttestation => Text(call::attestation(&self.event)),
            F::CallTrunk => Text(call::trunk(&self.event)),
            F::CallUserAgent => Text(self.event.call.user_agent),
            F::CallSoftswitch => Bool(behave::is_softswitch(self.event.call.user_agent)),
            F::CallPrivate => Bool(self.event.call.private),
            F::CallDiverted => Bool(!self.event.call.diverted_from.is_absent()),
            F::CallDisplayName => Text(self.event.call.display_name),
            F::CallerUnvouched => Bool(behave::is_unvouched(&self.event)),
            F::CallerForeignToTrunk => Bool(call::foreign_to_trunk(&event, self.sender())),
            F::CallerDisguisedHotline => Bool(call::disguised_hotline(self.event.originator.digits)),
            F::CallerMalformed => Bool(call::malformed(&event, self.sender())),
            F::CalleeRegistered => Bool(self.callee_is_registered()),
            F::CallerKind => Text(call::kind(&event, self.sender())),
            F::TimeHour => Int(self.site.hour_of_day(self.event.time_ms)),
            // There are several: only `any_indicator_in` asks for them.
            F::Indicators => Text(""),
            F::ClassifierDebtCollection
            | F::ClassifierLoanMediation
            | F::ClassifierDebtEvasion
            | F::ClassifierInsuranceClaims
            | F::ClassifierCreditRepair
            | F::ClassifierStockTips
            | F::ClassifierRightsAgency
            | F::ClassifierFraud => {
                let scores = self.classified().0;
                let of = |typology: Typology| scores.get(typology as usize).copied();
                Int(field.classified().and_then(of).unwrap_or(0).into())
            }
        }
    }

    /// The kinds of the originator's organisations.
    pub(super) fn sender_kinds(&mut self) -> impl Iterator<Item = OrganisationKind> + use<'s> {
        let pack = self.pack;
        self.sender_organisations().filter_map(move |index| Some(pack.organisation(index)?.kind))
    }

    /// The kinds of the signature's organisations.
    pub(super) fn signature_kinds(&mut self) -> impl Iterator<Item = OrganisationKind> + use<'s> {
        let pack = self.pack;
        self.signature_organisations().filter_map(move |index| Some(pack.organisation(index)?.kind))
    }

    /// How a number has been behaving.
    pub(super) fn measure(&mut self, query: Query) -> i64 {
        if let Some((_, value)) = self.measured.iter().flatten().find(|(known, _)| *known == query) {
            return *value;
        }
        let value = self.site.behaviour.measure(&self.event, query);
        if let Some(place) = self.measured.get_mut(self.measured_next % MEASURED_MAX) {
            *place = Some((query, value));
            self.measured_next += 1;
        }
        value
    }

    /// The score that a number list gives; 0 for a number that isn't in it, and for one that the hub took back.
    pub(super) fn list_score(&mut self, query: ListQuery) -> u8 {
        let known = self.asked.iter().flatten().find(|(known, _)| *known == query).map(|(_, listed)| *listed);
        let listed = match known {
            Some(listed) => listed,
            None => {
                let listed = self.listed(query);
                if let Some(place) = self.asked.get_mut(self.asked_next % LISTED_MAX) {
                    *place = Some((query, listed));
                    self.asked_next += 1;
                }
                listed
            }
        };
        listed.map_or(0, |listed| listed.score)
    }

    fn listed(&mut self, query: ListQuery) -> Option<Listed> {
        let (site, list) = (self.site, self.pack.string(query.list));
        let lookup = |canonical: &str| {
            let listed = site.lists.listed(list, canonical)?;
            let asked_for = query.typology.is_none() || query.typology == listed.typology;
            (asked_for && !site.withdrawn.has_indicator("number", canonical)).then_some(listed)
        };
        match query.subject {
            ListSubject::Caller => {
                let caller = self.sender().filter(|caller| can_be_listed(caller.kind))?;
                lookup(caller.canonical)
            }
            ListSubject::Callee => {
                let mut buffer = [0; CANONICAL_LEN_MAX];
                let callee = number::classify(self.event.destination.digits, &mut buffer);
                lookup(callee.filter(|callee| can_be_listed(callee.kind))?.canonical)
            }
            ListSubject::Contact => {
                let contacts = self.extract()?.contacts();
                let numbers = contacts
                    .filter(|(contact, _)| matches!(contact.kind, ContactKind::Mobile | ContactKind::Phone));
                let mut buffer = [0; CANONICAL_LEN_MAX];
                let of = |(_, value)| lookup(number::classify(value, &mut buffer)?.canonical);
                numbers.filter_map(of).max_by_key(|listed| listed.score)
            }
        }
    }

    pub(super) const fn event(&self) -> &Event<'s> {
        &self.event
    }

    pub(super) const fn site(&self) -> &'c Site<'c> {
        self.site
    }

    pub(super) fn sender(&mut self) -> Option<Number<'s>> {
        let digits = self.event.originator.digits;
        self.sender.value(|buffer| number::classify(digits, buffer)).copied().flatten()
    }

    pub(super) fn sender_is_registered(&mut self) -> bool {
        let own = self.sender().is_some_and(|sender| self.site.own.contains(sender.canonical));
        own || !self.sender_organisations().is_empty()
    }

    pub(super) fn has_otp_form(&mut self) -> bool {
        self.extract().is_some_and(|extract| extract.otp)
    }

    pub(super) fn signature_organisations(&mut self) -> Organisations<'s> {
        if let Some(known) = &self.signature_organisations {
            return known.clone();
        }
        let signature = self.signature();
        let found = self.pack.organisations_by_signature(signature);
        self.signature_organisations = Some(found.clone());
        found
    }

    /// Whether the originator or a contact of the text is in a list of `kind:value`, and wasn't withdrawn since the pack
    /// was made. An empty list costs nothing: no contact is looked for.
    pub(super) fn any_indicator_in(&mut self, list: &List) -> bool {
        if list.is_empty() {
            return false;
        }
        let (pack, withdrawn) = (self.pack, self.site.withdrawn);
        let has = |kind: &str, value: &str| {
            pack.list_has_of_kind(list, kind, value) && !withdrawn.has_indicator(kind, value)
        };
        if let Some(sender) = self.sender() {
            let kind = if sender.kind == NumberKind::Alphanumeric { "sender-id" } else { "number" };
            if has(kind, sender.canonical) {
                return true;
            }
        }
        let Some(extract) = self.extract() else { return false };
        extract.contacts().any(|(contact, value)| match contact.kind {
            ContactKind::Link => extract::link_indicators(value).any(|(kind, value)| has(kind, value)),
            kind => has(kind.indicator(), value),
        })
    }

    /// Tells every field.
    pub(super) fn tell(&mut self, observer: &mut impl Observer) {
        for &field in Field::ALL {
            observer.field(field, self.value(field));
        }
        let pack = self.pack;
        for node in (0..pack.count(SectionKind::Nodes)).filter_map(|index| pack.node(index)) {
            if let Test::Behaviour(query, ..) = node.test {
                observer.behaviour(query, self.measure(query));
            }
            if let Test::Listed(query, ..) = node.test {
                observer.listed(query, self.list_score(query));
            }
        }
    }

    /// What was looked up; with `all`, also what nobody asked for.
    pub(super) fn finish(mut self, all: bool) -> Found<'s> {
        if all {
            let _ = (self.sender(), self.signature());
        }
        let mut listed = [None; LISTED_MAX];
        for (place, asked) in listed.iter_mut().zip(self.asked) {
            *place = asked.and_then(|(query, listed)| Some(ListHit { query, listed: listed? }));
        }
        Found {
            sender: self.sender.done().flatten(),
            extract: self.extract.done(),
            signature: self.signature.done().unwrap_or_default(),
            classified: self.classified,
            listed,
        }
    }

    /// What the classifier says, and of which signals.
    fn classified(&mut self) -> (Scores, Signals) {
        if let Some(known) = self.classified {
            return known;
        }
        let signals = self.signals();
        let scores =
            self.pack.classifier().map_or([0; _], |model| model.scores(self.folded.bytes(), signals));
        self.classified = Some((scores, signals));
        (scores, signals)
    }

    fn signals(&mut self) -> Signals {
        use ContactKind as K;
        let registered = !self.signature_organisations().is_empty();
        let disguised = self.folded.stats().disguised >= 2;
        let Some(extract) = self.extract() else { return Signals::default() };
        let kinds = [K::Mobile, K::Phone, K::Link, K::Wechat, K::Qq, K::Telegram, K::BankAccount];
        let contacts = (0..).zip(kinds).map(|(bit, kind)| (bit, extract.any(kind)));
        let others = [
            (7, extract.signature.is_some()),
            (8, registered),
            (9, extract.otp),
            (10, disguised),
            (11, extract.link_traits().shortened),
        ];
        contacts.chain(others).fold(Signals::default(), |signals, (bit, found)| signals.with(bit, found))
    }

    fn sender_is(&mut self, kind: NumberKind) -> bool {
        self.sender().is_some_and(|sender| sender.kind == kind)
    }

    fn sender_organisations(&mut self) -> Organisations<'s> {
        if let Some(known) = &self.sender_organisations {
            return known.clone();
        }
        let number = self.sender().map_or("", |sender| sender.canonical);
        let found = self.pack.organisations_by_number(number);
        self.sender_organisations = Some(found.clone());
        found
    }

    fn callee_is_registered(&self) -> bool {
        let mut buffer = [0; CANONICAL_LEN_MAX];
        number::classify(self.event.destination.digits, &mut buffer).is_some_and(|callee| {
            self.site.own.contains(callee.canonical)
                || !self.pack.organisations_by_number(callee.canonical).is_empty()
        })
    }

    fn sender_organisation(&mut self) -> &'s str {
        let pack = self.pack;
        let first = self.sender_organisations().next().and_then(|index| pack.organisation(index));
        first.map_or("", |organisation| pack.string(organisation.name))
    }

    fn extract(&mut self) -> Option<&Extract<'s>> {
        let (text, folded) = (self.event.text, self.folded);
        self.extract.value(|(contacts, values)| extract::extract(text, &folded, contacts, values))
    }

    fn has_contact(&mut self, kind: ContactKind) -> bool {
        self.extract().is_some_and(|extract| extract.any(kind))
    }

    fn signature(&mut self) -> &'s str {
        let text = self.event.text;
        let span = self.extract().and_then(|extract| extract.signature.clone());
        let plain = span.and_then(|span| text.get(span)).unwrap_or_default();
        self.signature.value(|buffer| fold::fold(plain, buffer).text()).copied().unwrap_or_default()
    }

    fn signature_mismatches(&mut self) -> bool {
        let Some(sender) = self.sender() else { return false };
        let mut claimed = self.signature_organisations();
        if claimed.is_empty() || self.site.own.contains(sender.canonical) {
            return false;
        }
        let actual = self.sender_organisations();
        !claimed.any(|claimed| actual.clone().any(|actual| actual == claimed))
    }

    fn signature_has_foreign_link(&mut self) -> bool {
        let pack = self.pack;
        let claimed = self.signature_organisations();
        if claimed.is_empty() {
            return false;
        }
        let Some(extract) = self.extract() else { return false };
        let mut links = extract.contacts().filter(|(contact, _)| contact.kind == ContactKind::Link);
        links.any(|(_, link)| {
            let host = link.split(['/', ':', '?', '#']).next().unwrap_or_default();
            let organisations = claimed.clone().filter_map(|index| pack.organisation(index));
            let known =
                organisations.filter_map(|organisation| pack.organisation_has_domain(&organisation, host));
            known.reduce(|any, on| any || on) == Some(false)
        })
    }
}

/// A value, or the storage to compute it into.
#[derive(Debug)]
enum Lazy<S, V> {
    Pending(S),
    Busy,
    Done(V),
}

impl<S, V> Lazy<S, V> {
    fn value(&mut self, compute: impl FnOnce(S) -> V) -> Option<&V> {
        if let Self::Pending(_) = self
            && let Self::Pending(storage) = core::mem::replace(self, Self::Busy)
        {
            *self = Self::Done(compute(storage));
        }
        match self {
            Self::Done(value) => Some(value),
            Self::Pending(_) | Self::Busy => None,
        }
    }

    fn done(self) -> Option<V> {
        match self {
            Self::Done(value) => Some(value),
            Self::Pending(_) | Self::Busy => None,
        }
    }
}

fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
