//! What comes in at the door, packet by packet (MQTT 5 §2, §3): each is looked at before the broker sees it.
//!
//! Any bytes are taken: what can't be read is a violation, never a panic. Only what the rules need is read; the broker
//! itself reads the rest.

use super::acl::Identity;
use yumen_exchange::limits::PACKET_BYTES_MAX;

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Not MQTT 5, or a packet that only a server sends.
    #[error("it isn't MQTT 5 as a client speaks it")]
    Malformed,
    /// Larger than what agents send.
    #[error("a packet is larger than {PACKET_BYTES_MAX} bytes")]
    TooLarge,
    /// Something before CONNECT, or a second one.
    #[error("CONNECT comes first, and once")]
    Order,
    /// A session's name that is another's.
    #[error("the client id isn't this agent's")]
    ClientId,
    /// A topic that isn't its own.
    #[error("it may not publish on this topic")]
    Publish,
    /// A filter that could match what it may not read.
    #[error("it may not subscribe to this filter")]
    Subscribe,
}

/// Looks at one client's packets.
#[derive(Debug)]
pub struct Inspector {
    identity: Identity,
    is_connected: bool,
}

const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;

impl Inspector {
    /// Before the first packet.
    #[must_use]
    pub const fn new(identity: Identity) -> Self {
        Self { identity, is_connected: false }
    }

    /// The length of the packet at the head of `bytes`, which may go on; none where it isn't whole yet.
    ///
    /// # Errors
    /// [`Violation`]: the connection must be cut, and nothing of `bytes` passed on.
    pub fn admit(&mut self, bytes: &[u8]) -> Result<Option<usize>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let Some((length, at)) = variable(bytes, 1)? else { return Ok(None) };
        let end = at.checked_add(length).filter(|end| *end <= PACKET_BYTES_MAX).ok_or(Violation::TooLarge)?;
        let Some(body) = bytes.get(at..end) else { return Ok(None) };
        let kind = first >> 4;
        if (kind == CONNECT) == self.is_connected {
            return Err(Violation::Order);
        }
        match kind {
            CONNECT => self.connect(body)?,
            PUBLISH => self.publish(body)?,
            SUBSCRIBE => self.subscribe(body)?,
            // PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBSCRIBE, PINGREQ, DISCONNECT.
            4..=7 | 10 | 12 | 14 => {}
            _ => return Err(Violation::Malformed),
        }
        Ok(Some(end))
    }

    /// §3.1: protocol name and level, flags, keep-alive, properties, client id, then the will's properties and topic.
    fn connect(&mut self, body: &[u8]) -> Result<(), Violation> {
        let mut rest = Rest(body);
        if rest.text()? != "MQTT" || rest.byte()? != 5 {
            return Err(Violation::Malformed);
        }
        let has_will = rest.byte()? & 0b100 != 0;
        rest.take(2)?;
        rest.properties()?;
        if rest.text()? != self.identity.client_id() {
            return Err(Violation::ClientId);
        }
        if has_will {
            rest.properties()?;
            if !self.identity.may_publish(rest.text()?) {
                return Err(Violation::Publish);
            }
        }
        self.is_connected = true;
        Ok(())
    }

    /// §3.3. An empty topic stands for an alias, which would have to be remembered: agents use none.
    fn publish(&self, body: &[u8]) -> Result<(), Violation> {
        if self.identity.may_publish(Rest(body).text()?) { Ok(()) } else { Err(Violation::Publish) }
    }

    /// §3.8: packet id, properties, then filters with an octet of options each.
    fn subscribe(&self, body: &[u8]) -> Result<(), Violation> {
        let mut rest = Rest(body);
        rest.take(2)?;
        rest.properties()?;
        while !rest.0.is_empty() {
            if !self.identity.may_subscribe(rest.text()?) {
                return Err(Violation::Subscribe);
            }
            rest.byte()?;
        }
        Ok(())
    }
}

/// A variable byte integer (§1.5.5) and where it ends; none where it isn't whole yet.
fn variable(bytes: &[u8], from: usize) -> Result<Option<(usize, usize)>, Violation> {
    let mut value = 0;
    for (index, shift) in [0, 7, 14, 21].into_iter().enumerate() {
        let at = from.saturating_add(index);
        let Some(&byte) = bytes.get(at) else { return Ok(None) };
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(Some((value, at.saturating_add(1))));
        }
    }
    Err(Violation::Malformed)
}

/// What is left of a body.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Violation> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(Violation::Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, Violation> {
        self.take(1)?.first().copied().ok_or(Violation::Malformed)
    }

    fn text(&mut self) -> Result<&'a str, Violation> {
        let length: [u8; 2] = self.take(2)?.try_into().map_err(|_| Violation::Malformed)?;
        let bytes = self.take(usize::from(u16::from_be_bytes(length)))?;
        std::str::from_utf8(bytes).map_err(|_| Violation::Malformed)
    }

    fn properties(&mut self) -> Result<(), Violation> {
        let (length, at) = variable(self.0, 0)?.ok_or(Violation::Malformed)?;
        self.take(at.saturating_add(length)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use proptest::prelude::*;
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{Connect, Filter, LastWill, Packet, PingReq, Publish, Subscribe};

    fn inspector() -> Inspector {
        Inspector::new(Identity::parse("bank-a/gw1").unwrap())
    }

    fn connect(id: &str, will: Option<&str>) -> Packet {
        let will = will.map(|topic| LastWill::new(topic, "x", QoS::AtLeastOnce, true, None));
        let connect = Connect { keep_alive: 5, client_id: id.into(), clean_start: true, properties: None };
        Packet::Connect(connect, will, None)
    }

    fn bytes(packet: &Packet) -> Vec<u8> {
        let mut buffer = BytesMut::new();
        packet.write(&mut buffer, None).unwrap();
        buffer.to_vec()
    }

    fn publish(topic: &str) -> Packet {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, "payload", None);
        publish.pkid = 1;
        Packet::Publish(publish)
    }

    fn subscribe(filters: &[&str]) -> Packet {
        let filters = filters.iter().map(|filter| Filter::new(*filter, QoS::AtLeastOnce));
        let mut subscribe = Subscribe::new_many(filters, None);
        subscribe.pkid = 1;
        Packet::Subscribe(subscribe)
    }

    fn connected() -> Inspector {
        let mut inspector = inspector();
        let packet = bytes(&connect("yumen-bank-a.gw1", Some("yumen/v1/bank-a/gw1/status")));
        assert_eq!(inspector.admit(&packet), Ok(Some(packet.len())));
        inspector
    }

    #[test]
    fn an_agents_own_packets_go_on_and_no_others() {
        let cases = [
            (publish("yumen/v1/bank-a/gw1/sighting"), Ok(())),
            (publish("yumen/v1/bank-b/gw1/sighting"), Err(Violation::Publish)),
            (publish("yumen/v1/pack/stable"), Err(Violation::Publish)),
            (publish("yumen/v1/retract"), Err(Violation::Publish)),
            (subscribe(&["yumen/v1/retract", "yumen/v1/pack/stable", "yumen/v1/bank-a/gw1/ack"]), Ok(())),
            (subscribe(&["yumen/v1/retract", "yumen/v1/bank-b/gw1/ack"]), Err(Violation::Subscribe)),
            (subscribe(&["#"]), Err(Violation::Subscribe)),
            (Packet::PingReq(PingReq), Ok(())),
            (connect("yumen-bank-a.gw1", None), Err(Violation::Order)),
        ];
        for (packet, expected) in cases {
            let bytes = bytes(&packet);
            assert_eq!(connected().admit(&bytes), expected.map(|()| Some(bytes.len())), "{packet:?}");
        }
        let mut alias = bytes(&publish("x"));
        // The topic's length and its one byte.
        alias.drain(3..5);
        alias[2] = 0;
        alias.insert(3, 0);
        alias[1] -= 1;
        assert_eq!(connected().admit(&alias), Err(Violation::Publish), "an alias hides the topic");
    }

    #[test]
    fn a_session_of_another_is_not_taken_over() {
        let first = |packet: &Packet| inspector().admit(&bytes(packet)).map(|_| ());
        assert_eq!(first(&connect("yumen-bank-b.gw1", None)), Err(Violation::ClientId));
        assert_eq!(first(&connect("yumen-hub", None)), Err(Violation::ClientId));
        let will = connect("yumen-bank-a.gw1", Some("yumen/v1/bank-b/gw1/status"));
        assert_eq!(first(&will), Err(Violation::Publish));
        assert_eq!(first(&publish("yumen/v1/bank-a/gw1/sighting")), Err(Violation::Order));
        // CONNECT of MQTT 3.1.1.
        let old = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 5, 0, 0];
        assert_eq!(inspector().admit(&old), Err(Violation::Malformed));
    }

    #[test]
    fn a_packet_is_waited_for_until_it_is_whole_or_too_large() {
        let whole = bytes(&publish("yumen/v1/bank-a/gw1/sighting"));
        for end in 0..whole.len() {
            assert_eq!(connected().admit(&whole[..end]), Ok(None), "{end}");
        }
        assert_eq!(connected().admit(&[0x30, 0xff, 0xff, 0x7f]), Err(Violation::TooLarge));
        assert_eq!(connected().admit(&[0x30, 0xff, 0xff, 0xff, 0xff]), Err(Violation::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), first in 0u8..16) {
            let mut bytes = bytes;
            if let Some(head) = bytes.first_mut() {
                *head = first << 4 | (*head & 15);
            }
            for mut inspector in [inspector(), connected()] {
                if let Ok(Some(length)) = inspector.admit(&bytes) {
                    prop_assert!(length <= bytes.len() && length >= 2);
                }
            }
        }
    }
}
