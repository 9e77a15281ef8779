//! Which agents take a channel's newest pack already, retained at [`topic::rollout`](crate::topic::rollout). A pack that isn't
//! for an agent yet is kept aside, and taken when the share has grown.

use crate::topic::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::limits::ROLLOUT_BYTES_MAX;

/// Everybody.
pub const ALL: u16 = 10_000;

/// How far a pack has been rolled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rollout {
    /// Rises with every change: an older one is not taken.
    pub sequence: u64,
    /// The channel.
    #[schemars(with = "String")]
    pub channel: Name,
    /// The pack.
    pub serial: u64,
    /// So many of 10,000 agents take it: those whose [`bucket`] is below.
    pub share: u16,
}

impl Rollout {
    /// The bytes that are signed for a payload.
    #[must_use]
    pub fn signed(rollout: &str) -> Vec<u8> {
        [b"yumen rollout v1\0", rollout.as_bytes()].concat()
    }

    /// Whether an agent waits with a pack of this serial.
    #[must_use]
    pub const fn holds(&self, serial: u64, bucket: u16) -> bool {
        serial == self.serial && bucket >= self.share
    }
}

/// A [`Rollout`] with the signature of the key that signs packs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedRollout {
    /// JSON of [`Rollout`], as it was signed.
    pub rollout: String,
    /// First 8 bytes of the public key, in hexadecimal.
    pub key: String,
    /// Ed25519 over [`Rollout::signed`], in hexadecimal.
    pub signature: String,
}

/// Where an agent stands in each rollout of a channel, 0 to 9,999: FNV-1a over `channel NUL member / agent`, so that it is
/// the same in every program and version, and other agents come first on another channel.
#[must_use]
pub fn bucket(channel: &Name, member: &Name, agent: &Name) -> u16 {
    let text = format!("{channel}\0{member}/{agent}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The low bits of FNV depend on the last bytes most: the halves are folded first.
    u16::try_from((hash ^ (hash >> 32)) % u64::from(ALL)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn buckets_are_frozen_and_spread_evenly() {
        let of = |agent: &str| bucket(&name("stable"), &name("bank-a"), &name(agent));
        assert_eq!([of("gw0"), of("gw1"), of("gw2")], FROZEN);
        let mut tenths = [0; 10];
        for number in 0..10_000 {
            let bucket =
                bucket(&name("stable"), &name(&format!("m{}", number % 37)), &name(&format!("gw{number}")));
            tenths[usize::from(bucket / 1000)] += 1;
        }
        assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
    }

    const FROZEN: [u16; 3] = [4306, 3633, 6440];

    #[test]
    fn nobody_takes_it_at_none_and_everybody_at_all() {
        let rollout = |share| Rollout { sequence: 1, channel: name("stable"), serial: 5, share };
        assert!(rollout(0).holds(5, 0) && !rollout(ALL).holds(5, ALL - 1));
        assert!(!rollout(0).holds(4, 9_000), "another pack isn't its business");
    }
}
