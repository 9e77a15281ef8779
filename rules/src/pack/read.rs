//! Little-endian reads that answer 0 past the end: [`super::Layout`] has checked that nothing valid lies there.

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(chunk) => u16::from_le_bytes(*chunk),
        None => 0,
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(chunk) => u32::from_le_bytes(*chunk),
        None => 0,
    }
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => 0,
    }
}

pub(crate) fn u8_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// `N` bytes, or zeros.
pub(crate) fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

/// UTF-8 followed by nothing but NUL.
pub(crate) fn padded(field: &[u8]) -> bool {
    let len = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let (used, rest) = field.split_at(len);
    core::str::from_utf8(used).is_ok() && rest.iter().all(|&byte| byte == 0)
}

/// What stands before the first NUL.
pub(crate) fn text(field: &[u8]) -> &str {
    let len = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    field.get(..len).and_then(|used| core::str::from_utf8(used).ok()).unwrap_or("")
}
