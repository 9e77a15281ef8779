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
    /// Application context name as an encoded object identifier, where a dialogue portion names one.
    pub application_context: Option<&'a [u8]>,
    components: &'a [u8],
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
        let mut parsed =
            Self { kind, originating: None, destination: None, application_context: None, components: &[] };
        for element in message.children() {
            match element.tag.number {
                _ if element.tag.class != Class::Application => {}
                8 => parsed.originating = Some(element.value),
                9 => parsed.destination = Some(element.value),
                11 => parsed.application_context = application_context(&element),
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

/// Dialogue portion → EXTERNAL → AARQ or AARE → `[1]` → object identifier (Q.773 §3.4).
fn application_context<'a>(dialogue: &Element<'a>) -> Option<&'a [u8]> {
    let external = dialogue.children().next()?;
    let single = external.children().find(|element| element.tag.is_context(0))?;
    let apdu = single.children().next()?;
    let name = apdu.children().find(|element| element.tag.is_context(1))?;
    name.children().find(|element| element.tag == Tag::OBJECT_ID).map(|id| id.value)
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
    fn what_is_no_message() {
        assert!(Message::parse(&[0x30, 0]).is_err());
        assert!(Message::parse(&[0x62, 5]).is_err());
    }
}
