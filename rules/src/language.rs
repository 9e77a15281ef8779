//! The language a person is to be answered in: that of the message.

use crate::fold;

/// A language that a pack explains itself in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Language {
    /// Chinese in simplified characters.
    Chinese = 0,
    /// Chinese in traditional characters.
    TraditionalChinese = 1,
    /// English.
    English = 2,
}

impl Language {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// All of them, in the order of a pack.
    pub const ALL: [Self; Self::COUNT] = [Self::Chinese, Self::TraditionalChinese, Self::English];

    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::TraditionalChinese => "zh-Hant",
            Self::English => "en",
        }
    }

    /// The language of a text. A Han character weighs as much as four Latin letters; one in ten that is traditional makes the
    /// text so (plain text has about three in ten, and a single one may be a disguise). Without letters: Chinese.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (mut han, mut traditional, mut latin) = (0usize, 0usize, 0usize);
        for char in text.chars() {
            match fold::script_of(char) {
                fold::Script::Latin => latin = latin.saturating_add(1),
                fold::Script::Han => han = han.saturating_add(1),
                fold::Script::TraditionalHan => {
                    han = han.saturating_add(1);
                    traditional = traditional.saturating_add(1);
                }
                fold::Script::Other => {}
            }
        }
        if latin > han.saturating_mul(4) {
            Self::English
        } else if traditional.saturating_mul(10) > han {
            Self::TraditionalChinese
        } else {
            Self::Chinese
        }
    }

    /// What is said where a pack says nothing.
    #[must_use]
    pub const fn redress(self) -> &'static str {
        match self {
            Self::Chinese => "已被安全规则拦截；如属误拦，可向您的运营商申诉。",
            Self::TraditionalChinese => "已被安全規則攔截；如屬誤攔，可向您的電信業者申訴。",
            Self::English => {
                "Stopped by a safety rule; if that is a mistake, you can appeal to your operator."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_answered_in_its_language() {
        for (text, language) in [
            ("您的包裹无法派送，请点击链接", Language::Chinese),
            ("您的包裹無法派送，請點擊連結", Language::TraditionalChinese),
            ("Your parcel could not be delivered", Language::English),
            ("Ｙｏｕｒ 𝗽𝗮𝗿𝗰𝗲𝗹 could not be delivered", Language::English),
            ("【DHL】您的包裹 JD0000 无法派送 http://example.com", Language::Chinese),
            ("专业代办贷欵，当天下款，无需抵押，额度高", Language::Chinese),
            ("12345", Language::Chinese),
            ("", Language::Chinese),
        ] {
            assert_eq!(Language::of(text), language, "{text}");
        }
    }
}
