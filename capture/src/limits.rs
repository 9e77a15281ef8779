//! Every limit of this crate.

/// Longest packet of a capture, in bytes: what tcpdump and Wireshark take at most.
pub const PACKET_BYTES_MAX: usize = 256 * 1024;

/// What is read of a file at a time, in bytes.
pub const READ_BYTES: usize = 1024 * 1024;

/// Room for a block of a capture file, in bytes; it grows up to this where a file needs it.
pub const READ_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Packets of which fragments wait for the rest.
pub const FRAGMENTED_MAX: usize = 1024;

/// Longest packet that fragments make, in bytes (IPv4 and IPv6 alike).
pub const DATAGRAM_BYTES_MAX: usize = 65_535;

/// TCP connections that are followed at a time.
pub const STREAMS_MAX: usize = 8 * 1024;

/// Bytes of one direction of a connection that came out of order.
pub const OUT_OF_ORDER_BYTES_MAX: usize = 256 * 1024;

/// Segments of one direction that came out of order.
pub const OUT_OF_ORDER_SEGMENTS_MAX: usize = 256;

/// How far a segment may lie from what was expected, in bytes; beyond it the connection is another one.
pub const SEQUENCE_WINDOW: u32 = 16 * 1024 * 1024;

/// Bytes of one direction that wait for the rest of a PDU.
pub const UNFRAMED_BYTES_MAX: usize = 128 * 1024;

/// Longest SIP message on a stream, in bytes.
pub const SIP_BYTES_MAX: usize = 64 * 1024;

/// SCTP directions that are followed at a time.
pub const ASSOCIATIONS_MAX: usize = 1024;

/// Chunks of an association that are remembered: against what comes again, and until a message is whole.
pub const CHUNKS_MAX: usize = 256;

/// SCCP messages of which segments wait for the rest.
pub const SEGMENTED_MAX: usize = 1024;

/// Longest SCCP message that segments make, in bytes: sixteen segments.
pub const SEGMENTED_BYTES_MAX: usize = 16 * 272;

const _: () = assert!(READ_BYTES > 2 * PACKET_BYTES_MAX);
const _: () = assert!(UNFRAMED_BYTES_MAX > yumen_wire::limits::SMPP_PDU_BYTES_MAX);
const _: () = assert!(UNFRAMED_BYTES_MAX > SIP_BYTES_MAX);
