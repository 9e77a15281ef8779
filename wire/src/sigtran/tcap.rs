//! TCAP messages and components (Q.773).

use super::ber::{Class, Element, Elements, Tag};
use crate::error::ParseError;

/// A TCAP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Which.
    pub kind: Kind,
    /// Originating transaction.
    pub originating: Option<&'a [u8]>,
    /// Destination transaction.
    pub destination: Option<&'a [u8]>,
    /// The dialogue portion, where there is one.
    pub dialogue: Option<Dialogue<'a>>,
    components: &'a [u8],
}

/// A dialogue portion (Q.773 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialogue<'a> {
    /// Its abstract syntax as an encoded object identifier.
    pub syntax: &'a [u8],
    /// Which.
    pub kind: DialogueKind,
    /// Protocol version: a bit string, its octet of unused bits included.
    pub version: Option<&'a [u8]>,
    /// Application context name as an encoded object identifier.
    pub application_context: Option<&'a [u8]>,
    /// Of a response: 0 accepted, 1 rejected.
    pub result: Option<i32>,
    /// Of a response: who says why (1 the user, 2 the provider), and what.
    pub diagnostic: Option<(u32, i32)>,
}

/// Dialogue PDUs (Q.773 §3.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogueKind {
    /// AARQ.
    Request,
    /// AARE.
    Response,
    /// ABRT.
    Abort,
    /// AUDT.
    Unidirectional,
}

/// Message types (Q.773 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Outside of any transaction.
    Unidirectional,
    /// Begins one.
    Begin,
    /// Ends one.
    End,
    /// Goes on with one.
    Continue,
    /// Breaks one off.
    Abort,
}

/// A component (Q.773 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component<'a> {
    /// Which.
    pub kind: ComponentKind,
    /// Pairs invoke and result.
    pub invoke_id: Option<i32>,
    /// Local operation of an invoke or a result; local error of an error.
    pub code: Option<i32>,
    /// The parameter.
    pub parameter: Option<Element<'a>>,
}

/// Component types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentKind {
    /// Asks for an operation.
    Invoke,
    /// Its last, or only, result.
    ResultLast,
    /// Its error.
    Error,
    /// It was malformed.
    Reject,
    /// Not its last result.
    ResultNotLast,
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// [`ParseError::WrongCommand`] for anything that isn't one of ITU's; [`ParseError::Truncated`].
    pub fn parse(octets: &'a [u8]) -> Result<Self, ParseError> {
        let (_, message) = Element::parse(octets)?;
        let kind = match (message.tag.class, message.tag.number) {
            (Class::Application, 1) => Kind::Unidirectional,
            (Class::Application, 2) => Kind::Begin,
            (Class::Application, 4) => Kind::End,
            (Class::Application, 5) => Kind::Continue,
            (Class::Application, 7) => Kind::Abort,
            _ => return Err(ParseError::WrongCommand(message.tag.number)),
        };
        let mut parsed = Self { kind, originating: None, destination: None, dialogue: None, components: &[] };
        for element in message.children() {
            match element.tag.number {
                _ if element.tag.class != Class::Application => {}
                8 => parsed.originating = Some(element.value),
                9 => parsed.destination = Some(element.value),
                11 => parsed.dialogue = dialogue(&element),
                12 => parsed.components = element.value,
                _ => {}
            }
        }
        Ok(parsed)
    }

    /// The components, up to the first that can't be read.
    pub fn components(&self) -> impl Iterator<Item = Component<'a>> + use<'a> {
        Elements::new(self.components).filter_map(|element| component(&element))
    }
}

fn component<'a>(element: &Element<'a>) -> Option<Component<'a>> {
    if element.tag.class != Class::Context {
        return None;
    }
    let kind = match element.tag.number {
        1 => ComponentKind::Invoke,
        2 => ComponentKind::ResultLast,
        3 => ComponentKind::Error,
        4 => ComponentKind::Reject,
        7 => ComponentKind::ResultNotLast,
        _ => return None,
    };
    let mut fields = element.children().peekable();
    let invoke_id = fields.next_if(|field| field.tag == Tag::INTEGER).and_then(|id| id.integer());
    let mut component = Component { kind, invoke_id, code: None, parameter: None };
    match kind {
        ComponentKind::Invoke => {
            // The linked id.
            fields.next_if(|field| field.tag.is_context(0));
            component.code =
                fields.next().filter(|code| code.tag == Tag::INTEGER).and_then(|code| code.integer());
            component.parameter = fields.next();
        }
        ComponentKind::Error => {
            component.code =
                fields.next().filter(|code| code.tag == Tag::INTEGER).and_then(|code| code.integer());
            component.parameter = fields.next();
        }
        ComponentKind::ResultLast | ComponentKind::ResultNotLast => {
            if let Some(result) = fields.next().filter(|result| result.tag == Tag::SEQUENCE) {
                let mut inner = result.children();
                component.code =
                    inner.next().filter(|code| code.tag == Tag::INTEGER).and_then(|code| code.integer());
                component.parameter = inner.next();
            }
        }
        ComponentKind::Reject => {}
    }
    Some(component)
}

/// Dialogue portion → EXTERNAL → object identifier, and `[0]` → AARQ, AARE, ABRT (Q.773 §3.4).
fn dialogue<'a>(portion: &Element<'a>) -> Option<Dialogue<'a>> {
    /// AUDT has AARQ's tag: its syntax tells them apart.
    const UNIDIRECTIONAL_SYNTAX: &[u8] = &[0x00, 0x11, 0x86, 0x05, 0x01, 0x02, 0x01];
    let external = portion.children().next()?;
    let syntax = external.children().find(|element| element.tag == Tag::OBJECT_ID)?.value;
    let single = external.children().find(|element| element.tag.is_context(0))?;
    let apdu = single.children().next()?;
    let kind = match apdu.tag.number {
        _ if apdu.tag.class != Class::Application => return None,
        0 if syntax == UNIDIRECTIONAL_SYNTAX => DialogueKind::Unidirectional,
        0 => DialogueKind::Request,
        1 => DialogueKind::Response,
        4 => DialogueKind::Abort,
        _ => return None,
    };
    let field = |number| apdu.children().find(|element| element.tag.is_context(number));
    let inner = |number| field(number).and_then(|element| element.children().next());
    let is_abort = kind == DialogueKind::Abort;
    Some(Dialogue {
        syntax,
        kind,
        version: field(0).filter(|_| !is_abort).map(|version| version.value),
        application_context: inner(1).filter(|name| name.tag == Tag::OBJECT_ID).map(|name| name.value),
        result: inner(2).filter(|_| kind == DialogueKind::Response).and_then(|result| result.integer()),
        diagnostic: inner(3)
            .filter(|_| kind == DialogueKind::Response)
            .and_then(|source| Some((source.tag.number, source.children().next()?.integer()?))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begin_with_an_invoke() {
        let message = [
            0x62, 0x13, 0x48, 0x02, 0x12, 0x34, 0x6C, 0x0D, 0xA1, 0x0B, 0x02, 0x01, 0x01, 0x02, 0x01, 0x2C,
            0x30, 0x03, 0x04, 0x01, 0xAA,
        ];
        let parsed = Message::parse(&message).unwrap();
        assert_eq!((parsed.kind, parsed.originating), (Kind::Begin, Some(&[0x12, 0x34][..])));
        let component = parsed.components().next().unwrap();
        assert_eq!(
            (component.kind, component.invoke_id, component.code),
            (ComponentKind::Invoke, Some(1), Some(44))
        );
        assert_eq!(component.parameter.unwrap().value, [4, 1, 0xAA]);
    }

    #[test]
    fn a_dialogue_that_accepts() {
        let message = [
            0x64, 0x31, 0x49, 0x01, 0x07, 0x6B, 0x2A, 0x28, 0x28, 0x06, 0x07, 0x00, 0x11, 0x86, 0x05, 0x01,
            0x01, 0x01, 0xA0, 0x1D, 0x61, 0x1B, 0x80, 0x02, 0x07, 0x80, 0xA1, 0x09, 0x06, 0x07, 0x04, 0x00,
            0x00, 0x01, 0x00, 0x19, 0x02, 0xA2, 0x03, 0x02, 0x01, 0x00, 0xA3, 0x05, 0xA1, 0x03, 0x02, 0x01,
            0x00, 0x00, 0x00,
        ];
        let dialogue = Message::parse(&message).unwrap().dialogue.unwrap();
        assert_eq!(dialogue.kind, DialogueKind::Response);
        assert_eq!(dialogue.version, Some(&[0x07, 0x80][..]));
        assert_eq!(dialogue.application_context, Some(&[4, 0, 0, 1, 0, 0x19, 2][..]));
        assert_eq!((dialogue.result, dialogue.diagnostic), (Some(0), Some((1, 0))));
    }

    #[test]
    fn what_is_no_message() {
        assert!(Message::parse(&[0x30, 0]).is_err());
        assert!(Message::parse(&[0x62, 5]).is_err());
    }
}
