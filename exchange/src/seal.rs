//! Who says a message: each sighting and status is signed by its agent's own Ed25519 key, so that the hub needn't trust
//! the broker, nor whoever could write to it.
//!
//! The signature is over the exact bytes of the payload and the topic they are published on: what is replayed on another
//! topic doesn't verify. It travels beside the payload, as two MQTT 5 user properties, since an attribute inside a
//! CloudEvent in structured JSON couldn't sign the bytes it stands in. It is what RFC 7797 calls a detached signature with
//! an unencoded payload, without JOSE's header: the algorithm is fixed by the version, so that nobody can choose a weaker
//! one.
//!
//! ```text
//! signed = "yumen message v1" 00 topic 00 payload
//! yumen-key       first 8 bytes of the public key, 16 hexadecimal digits
//! yumen-signature Ed25519 over `signed`, 128 hexadecimal digits
//! ```

/// The user property that names the key.
pub const KEY: &str = "yumen-key";

/// The user property with the signature.
pub const SIGNATURE: &str = "yumen-signature";

/// The bytes that are signed. No topic has a zero byte (MQTT 5 §1.5.4), so that no two messages give the same.
#[must_use]
pub fn signed(topic: &str, payload: &[u8]) -> Vec<u8> {
    [b"yumen message v1\0", topic.as_bytes(), b"\0", payload].concat()
}

/// Key and signature among user properties; none where either is missing or stands there twice.
#[must_use]
pub fn find(properties: &[(String, String)]) -> Option<(&str, &str)> {
    let one = |name: &str| {
        let mut values = properties.iter().filter(|(key, _)| key == name).map(|(_, value)| &value[..]);
        values.next().filter(|_| values.next().is_none())
    };
    Some((one(KEY)?, one(SIGNATURE)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_frozen_and_no_two_messages_give_the_same() {
        assert_eq!(signed("a/b", b"c"), b"yumen message v1\0a/b\0c");
        assert_ne!(signed("a", b"/b\0c"), signed("a/b", b"c"), "the zero byte parts topic and payload");
    }

    #[test]
    fn one_of_each_is_needed() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut properties = vec![pair("x", "y"), pair(KEY, "k")];
        assert_eq!(find(&properties), None);
        properties.push(pair(SIGNATURE, "s"));
        assert_eq!(find(&properties), Some(("k", "s")));
        properties.push(pair(SIGNATURE, "t"));
        assert_eq!(find(&properties), None);
    }
}
