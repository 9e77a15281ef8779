//! All limits of what is exchanged, so that the budget of a sighting can be read off one page.

/// Largest sighting on the wire, in bytes; the agent cuts evidence and indicators to stay under it.
pub const SIGHTING_BYTES_MAX: usize = 8 * 1024;

/// Largest status on the wire, in bytes.
pub const STATUS_BYTES_MAX: usize = 2 * 1024;

/// Most kinds of refusals that one status names.
pub const REFUSED_MAX: usize = 8;

/// Largest acknowledgement on the wire, in bytes.
pub const ACK_BYTES_MAX: usize = 16 * 1024;

/// Most sightings that one acknowledgement names.
pub const ACK_IDS_MAX: usize = 128;

/// Largest list of retractions on the wire, in bytes.
pub const RETRACT_BYTES_MAX: usize = 256 * 1024;

/// Most rules and indicators that one list of retractions names.
pub const RETRACTED_MAX: usize = 500;

/// Largest message about a rollout on the wire, in bytes.
pub const ROLLOUT_BYTES_MAX: usize = 2 * 1024;

/// Largest pack that goes over MQTT, in bytes.
pub const SHARED_PACK_BYTES_MAX: usize = 8 << 20;

/// Largest MQTT packet from the hub to an agent: a pack, its topic and properties.
pub const DOWN_PACKET_BYTES_MAX: usize = SHARED_PACK_BYTES_MAX + 4096;

/// Largest MQTT packet that either side sends, and so what a broker between them must let pass: the payload, the
/// longest topic, and the properties.
pub const PACKET_BYTES_MAX: usize = 32 * 1024;

/// Longest member or agent name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Longest word of a closed or growing vocabulary (door, typology, kind of an indicator), in bytes.
pub const WORD_BYTES_MAX: usize = 32;

/// Longest rule id, pack name or listener name, in bytes.
pub const LABEL_BYTES_MAX: usize = 128;

/// Most rules that one sighting names.
pub const RULES_MAX: usize = 16;

/// Most evidence spans a rule.
pub const SPANS_MAX: usize = 8;

/// Most number lists a sighting.
pub const LISTS_MAX: usize = 8;

/// Most indicators a sighting.
pub const INDICATORS_MAX: usize = 16;

/// Longest indicator, in bytes.
pub const INDICATOR_BYTES_MAX: usize = 256;

/// Longest template digest, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 128;

/// Hexadecimal digits of a victim's pseudonym: 128 bits.
pub const PSEUDONYM_HEX: usize = 32;

/// Hexadecimal digits of an appeal id: 128 bits.
pub const APPEAL_HEX: usize = 32;

/// Bytes of one id in an acknowledgement: quoted, with its comma.
const ACK_ID_BYTES: usize = 36 + 3;

const _: () =
    assert!(ACK_IDS_MAX * ACK_ID_BYTES * 2 < ACK_BYTES_MAX, "a full acknowledgement fits, refusals included");
const _: () = assert!(SIGHTING_BYTES_MAX < PACKET_BYTES_MAX && ACK_BYTES_MAX < PACKET_BYTES_MAX);
const _: () = assert!(STATUS_BYTES_MAX <= SIGHTING_BYTES_MAX);
const _: () = assert!(
    INDICATORS_MAX * INDICATOR_BYTES_MAX < SIGHTING_BYTES_MAX,
    "the indicators alone never make a sighting too large"
);
