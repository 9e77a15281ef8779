//! Where contacts are put.

use core::ops::Range;

use super::{Contact, ContactKind, LinkTraits};

/// The caller's storage, filled from the front.
pub(super) struct Sink<'b> {
    contacts: &'b mut [Contact],
    values: &'b mut [u8],
    count: usize,
    used: usize,
    truncated: bool,
}

impl<'b> Sink<'b> {
    pub(super) fn new(contacts: &'b mut [Contact], values: &'b mut [u8]) -> Self {
        Self { contacts, values, count: 0, used: 0, truncated: false }
    }

    /// Puts a contact in whose value is the pieces one after the other; one that is there already counts once.
    pub(super) fn put(&mut self, kind: ContactKind, span: Range<u32>, pieces: &[&[u8]]) {
        self.put_link(kind, LinkTraits::default(), span, pieces);
    }

    pub(super) fn put_link(
        &mut self,
        kind: ContactKind,
        link: LinkTraits,
        span: Range<u32>,
        pieces: &[&[u8]],
    ) {
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        let end = self.used + len;
        let Some(room) = self.values.get_mut(self.used..end) else {
            self.truncated = true;
            return;
        };
        let mut rest = room;
        for piece in pieces {
            let Some((target, after)) = rest.split_at_mut_checked(piece.len()) else { return };
            target.copy_from_slice(piece);
            rest = after;
        }
        if self.has(kind, self.values.get(self.used..end).unwrap_or_default()) {
            return;
        }
        let Some(slot) = self.contacts.get_mut(self.count) else {
            self.truncated = true;
            return;
        };
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        *slot = Contact { kind, link, span, value: offset(self.used)..offset(end) };
        self.count += 1;
        self.used = end;
    }

    fn has(&self, kind: ContactKind, value: &[u8]) -> bool {
        self.contacts.get(..self.count).unwrap_or_default().iter().any(|contact| {
            let range = contact.value.start as usize..contact.value.end as usize;
            contact.kind == kind && self.values.get(range) == Some(value)
        })
    }

    /// Whether there is one of that kind.
    pub(super) fn any(&self, kind: ContactKind) -> bool {
        self.contacts.get(..self.count).unwrap_or_default().iter().any(|contact| contact.kind == kind)
    }

    pub(super) fn finish(self) -> (&'b [Contact], &'b [u8], bool) {
        let contacts: &'b [Contact] = self.contacts;
        (contacts.get(..self.count).unwrap_or_default(), self.values, self.truncated)
    }
}
