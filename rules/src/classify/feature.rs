//! What of a text is looked at.

/// Rises with every change of what features are made of: weights belong to one version.
pub const FEATURES_VERSION: u16 = 3;

/// One feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feature {
    /// Tells it from others.
    pub hash: u32,
    /// First byte of the folded text; of a signal, its bit.
    pub start: u32,
    /// The byte after the last; 0 for a signal.
    pub end: u32,
}

impl Feature {
    /// The name of the signal it is, if it is one.
    #[must_use]
    pub fn signal(&self) -> Option<&'static str> {
        if self.end == 0 { Signals::NAMES.get(self.start as usize).copied() } else { None }
    }
}

/// What was found in a text beside its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals(pub u16);

impl Signals {
    /// The fields they come from, by bit.
    pub const NAMES: [&'static str; 12] = [
        "contact.mobile",
        "contact.phone",
        "contact.link",
        "contact.wechat",
        "contact.qq",
        "contact.telegram",
        "contact.bank_account",
        "signature.present",
        "signature.registered",
        "text.otp",
        "text.disguised >= 2",
        "link.shortened",
    ];

    /// With the bit set where `found`.
    #[must_use]
    pub const fn with(self, bit: u8, found: bool) -> Self {
        Self(self.0 | (found as u16) << bit)
    }
}

/// Gives every feature of a text in turn, each once: what is said twice isn't twice as true. (One that falls on the bit of another
/// in [`Seen`] is left out too, in training as in judging.)
pub fn features(folded: &[u8], signals: Signals, mut each: impl FnMut(Feature)) {
    let mut seen = Seen([0; SEEN_WORDS]);
    let mut each = |feature: Feature| {
        if seen.first_time(feature.hash) {
            each(feature);
        }
    };
    let mut before: [Token; 2] = [Token::default(); 2];
    let mut at = 0;
    while let Some(token) = next_token(folded, &mut at) {
        let [first, second] = before;
        let feature = |hash, from: Token| Feature { hash, start: from.start, end: token.end };
        each(feature(mix(ONE, token.hash), token));
        if second.end > 0 {
            each(feature(mix(mix(TWO, second.hash), token.hash), second));
        }
        if first.end > 0 {
            each(feature(mix(mix(mix(THREE, first.hash), second.hash), token.hash), first));
            each(feature(mix(mix(SKIP, first.hash), token.hash), first));
        }
        before = [second, token];
    }
    for bit in (0..16).filter(|bit| signals.0 & 1 << bit != 0) {
        each(Feature { hash: mix(SIGNAL, bit), start: bit, end: 0 });
    }
}

/// Words of [`Seen`]: a kilobyte of stack, in which a message of 70 characters loses one feature in fifty.
const SEEN_WORDS: usize = 256;

/// Which features were given, a bit for each hash that ends alike.
struct Seen([u32; SEEN_WORDS]);

impl Seen {
    fn first_time(&mut self, hash: u32) -> bool {
        let at = usize::try_from(hash >> 5).unwrap_or(0) % SEEN_WORDS;
        let bit = 1 << (hash & 31);
        self.0.get_mut(at).is_some_and(|word| {
            let fresh = *word & bit == 0;
            *word |= bit;
            fresh
        })
    }
}

const ONE: u32 = 0x1f0a_3c51;
const TWO: u32 = 0x2b7e_1516;
const THREE: u32 = 0x3c6e_f372;
const SKIP: u32 = 0x4cf5_ad43;
const SIGNAL: u32 = 0x5bd1_e995;

#[derive(Clone, Copy, Default)]
struct Token {
    hash: u32,
    start: u32,
    end: u32,
}

fn next_token(text: &[u8], at: &mut usize) -> Option<Token> {
    loop {
        let start = *at;
        let rest = text.get(start..)?;
        let &lead = rest.first()?;
        let run = |is: fn(&u8) -> bool| rest.iter().take_while(|byte| is(byte)).count();
        let (hash, len) = match lead {
            b'0'..=b'9' => {
                let len = run(u8::is_ascii_digit);
                (Some(mix(u32::from(b'0'), length_class(len))), len)
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                let len = run(u8::is_ascii_alphabetic);
                (Some(hashed(rest.get(..len).unwrap_or_default())), len)
            }
            b'%' => (Some(u32::from(lead)), 1),
            0..=0x7f => (None, 1),
            _ => {
                let continued = rest.iter().skip(1).take(3).take_while(|&byte| byte & 0xc0 == 0x80).count();
                (Some(hashed(rest.get(..=continued).unwrap_or_default())), continued + 1)
            }
        };
        *at = start + len.max(1);
        if let Some(hash) = hash {
            let (start, end) = (u32::try_from(start).ok()?, u32::try_from(*at).ok()?);
            return Some(Token { hash, start, end });
        }
    }
}

/// Lengths that mean much the same.
fn length_class(digits: usize) -> u32 {
    match digits {
        0..=4 => u32::try_from(digits).unwrap_or(4),
        5 | 6 => 5,
        7..=10 => 7,
        11 => 11,
        _ => 12,
    }
}

fn hashed(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

const fn mix(hash: u32, token: u32) -> u32 {
    let hash = (hash ^ token).wrapping_mul(0x9e37_79b1);
    let hash = (hash ^ (hash >> 15)).wrapping_mul(0x85eb_ca77);
    hash ^ (hash >> 13)
}
