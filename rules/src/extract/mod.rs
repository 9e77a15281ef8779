//! Folded text → contacts, signature, form.
//!
//! Costs next to nothing where the pass saw no digits, letters, brackets or invitation words ([`Stats::hints`]).
//!
//! [`Stats::hints`]: crate::fold::Stats::hints

use core::ops::Range;

use crate::fold::{Folded, Hints};

mod cluster;
mod handle;
mod invitation;
mod link;
mod otp;
mod phone;
mod signature;
mod sink;
#[cfg(test)]
mod tests;
mod words;

use cluster::Cluster;
use sink::Sink;

/// What kind of contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ContactKind {
    /// A mobile number, `13800000000`.
    #[default]
    Mobile = 0,
    /// A fixed line or a service number, `01000000000`, `4000000000`, `95588`.
    Phone = 1,
    /// A link without its scheme, `tb.example.com/q7`.
    Link = 2,
    /// A WeChat id; empty for a bare invitation.
    Wechat = 3,
    /// A QQ number or group.
    Qq = 4,
    /// A Telegram handle without `@`.
    Telegram = 5,
    /// An e-mail address.
    Email = 6,
    /// A bank account or card number.
    BankAccount = 7,
}

impl ContactKind {
    /// The kind of indicator it is, as sightings and lists of `kind:value` name it.
    #[must_use]
    pub const fn indicator(self) -> &'static str {
        match self {
            Self::Mobile | Self::Phone => "number",
            Self::Link => "url",
            Self::Wechat => "wechat",
            Self::Qq => "qq",
            Self::Telegram => "telegram",
            Self::Email => "email",
            Self::BankAccount => "bank-account",
        }
    }
}

/// What a link says about its sender, as kind and value: the link without what comes behind `?` or `#`, its host, and the
/// domains that the host lies in.
pub fn link_indicators(link: &str) -> impl Iterator<Item = (&'static str, &str)> {
    let url = link.split(['?', '#']).next().unwrap_or_default();
    let host = url.split(['/', ':']).next().unwrap_or_default();
    let parents = host.match_indices('.').filter_map(move |(at, _)| host.get(at + 1..));
    [("url", url), ("domain", host)].into_iter().chain(parents.map(|parent| ("domain", parent)))
}

/// One contact. `Default` makes the storage to hand in.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    /// What kind.
    pub kind: ContactKind,
    /// What is peculiar about a link.
    pub link: LinkTraits,
    /// Where it stands in the folded text, bytes.
    pub span: Range<u32>,
    value: Range<u32>,
}

impl Contact {
    /// Storage to hand in, where it is made by the compiler.
    pub const EMPTY: Self = Self {
        kind: ContactKind::Mobile,
        link: LinkTraits { shortened: false, ip: false, punycode: false },
        span: 0..0,
        value: 0..0,
    };
}

/// What is peculiar about a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkTraits {
    /// Through a shortener.
    pub shortened: bool,
    /// The host is an IP address.
    pub ip: bool,
    /// The host is punycode or mixes scripts.
    pub punycode: bool,
}

/// What a text holds.
#[derive(Debug)]
pub struct Extract<'b> {
    contacts: &'b [Contact],
    values: &'b [u8],
    /// The signature without its brackets, bytes of the plain text.
    pub signature: Option<Range<usize>>,
    /// The form of a one-time password message.
    pub otp: bool,
    /// More contacts, or longer ones, than there was storage for.
    pub truncated: bool,
}

impl Extract<'_> {
    /// The contacts with their values in canonical form, in the order of the text.
    pub fn contacts(&self) -> impl Iterator<Item = (&Contact, &str)> {
        self.contacts.iter().map(|contact| {
            let value = self.values.get(contact.value.start as usize..contact.value.end as usize);
            (contact, core::str::from_utf8(value.unwrap_or_default()).unwrap_or_default())
        })
    }

    /// Whether there is one of that kind.
    #[must_use]
    pub fn any(&self, kind: ContactKind) -> bool {
        self.contacts.iter().any(|contact| contact.kind == kind)
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.contacts.len()
    }

    /// The domain of the first link; empty where there is none.
    #[must_use]
    pub fn link_domain(&self) -> &str {
        let link = self.contacts().find(|(contact, _)| contact.kind == ContactKind::Link);
        link.and_then(|(_, value)| value.split(['/', ':', '?', '#']).next()).unwrap_or_default()
    }

    /// What is peculiar about any of the links.
    #[must_use]
    pub fn link_traits(&self) -> LinkTraits {
        self.contacts.iter().fold(LinkTraits::default(), |all, contact| LinkTraits {
            shortened: all.shortened || contact.link.shortened,
            ip: all.ip || contact.link.ip,
            punycode: all.punycode || contact.link.punycode,
        })
    }
}

/// Extracts from `text` and its folded view into the caller's storage. Sixteen contacts and 512 bytes of values are
/// more than honest messages have; what doesn't fit is left out and said in [`Extract::truncated`].
#[must_use]
pub fn extract<'b>(
    text: &str,
    folded: &Folded<'_>,
    contacts: &'b mut [Contact],
    values: &'b mut [u8],
) -> Extract<'b> {
    let stats = folded.stats();
    let mut sink = Sink::new(contacts, values);
    let chinese = stats.hints.any(Hints::CHINESE_DIGITS) || stats.digits >= MIXED_DIGITS_MIN;
    let around = Around { plain: text, folded: folded.bytes(), latin: folded.is_latin() };
    if stats.letters + stats.digits >= ASCII_MIN || chinese {
        let mut at = 0;
        let mut cluster = Cluster::new();
        while cluster.read_next(around.folded, at, chinese) {
            at = cluster.end.max(at + 1);
            if cluster.is_short() && !words::starts_with(around.after(cluster.offset(usize::MAX)), "点") {
                continue;
            }
            link::find(&mut cluster, &around, &mut sink);
            handle::find(&mut cluster, &around, &mut sink);
            phone::find(&cluster, &around, &mut sink);
            at = cluster.end.max(at + 1);
        }
    }
    if stats.letters > 0 || stats.hints.any(Hints::INVITATION) {
        invitation::find(&around, &mut sink);
    }
    let otp = has_otp_form(folded);
    let (contacts, values, truncated) = sink.finish();
    Extract { contacts, values, signature: signature::find(text), otp, truncated }
}

/// Whether a folded text has the form of a one-time password message: what [`Extract::otp`] says, without the contacts.
#[must_use]
pub fn has_otp_form(folded: &Folded<'_>) -> bool {
    let stats = folded.stats();
    stats.letters + stats.digits >= CODE_LEN_MIN && otp::is_otp(folded.bytes(), stats.letters)
}

/// Letters and digits of the shortest code.
const CODE_LEN_MIN: u32 = 3;

/// Letters and digits of the shortest contact that has a value.
const ASCII_MIN: u32 = 4;

/// With so many other digits, a Chinese one may complete a number.
const MIXED_DIGITS_MIN: u32 = 6;

/// What a contact stands in.
struct Around<'t> {
    plain: &'t str,
    folded: &'t [u8],
    latin: bool,
}

impl<'t> Around<'t> {
    /// The folded text before an offset.
    fn before(&self, offset: u32) -> &'t [u8] {
        self.folded.get(..offset as usize).unwrap_or_default()
    }

    /// The folded text from an offset.
    fn after(&self, offset: u32) -> &'t [u8] {
        self.folded.get(offset as usize..).unwrap_or_default()
    }

    /// The same letters as the sender wrote them, if they weren't disguised.
    fn as_written(&self, text: &[u8]) -> Option<&'t [u8]> {
        let first = *text.first()?;
        let plain = self.plain.as_bytes();
        let starts = plain.iter().enumerate().filter(|(_, byte)| byte.eq_ignore_ascii_case(&first));
        starts
            .filter_map(|(at, _)| plain.get(at..at + text.len()))
            .find(|window| window.eq_ignore_ascii_case(text))
    }
}
