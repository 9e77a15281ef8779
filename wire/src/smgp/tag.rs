//! Tags of SMGP's optional parameters (6.3).

use super::Tag;

/// TP-PID, 1 octet.
pub const TP_PID: Tag = Tag(0x0001);
/// TP-UDHI, 1 octet.
pub const TP_UDHI: Tag = Tag(0x0002);
/// Transaction id, 20 octets.
pub const LINK_ID: Tag = Tag(0x0003);
/// Who is charged: 0 receiver, 1 sender, 2 SP, 3 `ChargeTermID` or `ChargeTermPseudo`.
pub const CHARGE_USER_TYPE: Tag = Tag(0x0004);
/// 0 real number, 1 pseudonym.
pub const CHARGE_TERM_TYPE: Tag = Tag(0x0005);
/// Pseudonym of the charged number.
pub const CHARGE_TERM_PSEUDO: Tag = Tag(0x0006);
/// 0 real number, 1 pseudonym.
pub const DEST_TERM_TYPE: Tag = Tag(0x0007);
/// Pseudonyms of the destinations, of one length.
pub const DEST_TERM_PSEUDO: Tag = Tag(0x0008);
/// Pieces of the message.
pub const PK_TOTAL: Tag = Tag(0x0009);
/// This piece, from 1.
pub const PK_NUMBER: Tag = Tag(0x000A);
/// Why the message was sent: plain, subscription, charge notice.
pub const SUBMIT_MSG_TYPE: Tag = Tag(0x000B);
/// How the SP dealt with it.
pub const SP_DEAL_RESULT: Tag = Tag(0x000C);
/// 0 real number, 1 pseudonym.
pub const SRC_TERM_TYPE: Tag = Tag(0x000D);
/// Pseudonym of the sender.
pub const SRC_TERM_PSEUDO: Tag = Tag(0x000E);
/// Gateways passed.
pub const NODES_COUNT: Tag = Tag(0x000F);
/// Code of the SP, 8 octets.
pub const MSG_SRC: Tag = Tag(0x0010);
/// 0 or 1.
pub const SRC_TYPE: Tag = Tag(0x0011);
/// Product id, 21 octets.
pub const M_SERVICE_ID: Tag = Tag(0x0012);
