//! What brings a visitor to a page: campaign parameters and click ids of the page's own address, and referrers.

use super::dice::Dice;
use super::encoding::push_base64url;
use super::log_line::push_decimal;

/// Campaign parameters, as the page's address carries them. Now and then a name or value is encoded there, too.
const CAMPAIGNS: &[&str] = &[
    "utm_source=news&utm_medium=email&utm_campaign=autumn-2026",
    "utm_source=search&utm_medium=cpc&utm_campaign=shoes&utm_term=trail+shoes&utm_content=ad-7",
    "utm_source=social&utm_medium=paid&utm_campaign=Herbst%20%26%20Winter",
    "utm_source=partner&utm_medium=affiliate",
    "utm_campaign=%E7%A7%8B%E3%81%AE%E3%82%BB%E3%83%BC%E3%83%AB&utm_medium=social",
];

/// Click ids with the number of their characters.
const CLICK_IDS: &[(&str, u32)] = &[
    ("gclid", 55),
    ("fbclid", 61),
    ("msclkid", 32),
    ("ttclid", 24),
    ("gbraid", 32),
];

/// Pages elsewhere that link to ours.
const REFERRERS: &[&str] = &[
    "https://search.example/",
    "https://search.example/search?q=trail+shoes",
    "https://social.test/",
    "https://www.partner.example/best/shoes",
    "android-app://com.example.mail/",
    "https://xn--bcher-kva.example/",
];

/// How one visit began.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrival {
    /// Query of the page's address; empty for most.
    pub(super) query: Vec<u8>,
    /// The page before; empty when there is none or its site hides it.
    pub(super) referrer: &'static str,
}

impl Arrival {
    /// Draws how the next visit begins.
    pub(super) fn draw(&mut self, dice: &mut Dice) {
        self.query.clear();
        self.referrer = "";
        if dice.chance(120) {
            self.query.extend_from_slice(dice.choice(CAMPAIGNS).as_bytes());
        }
        if dice.chance(50) {
            if !self.query.is_empty() {
                self.query.push(b'&');
            }
            let (name, characters) = dice.choice(CLICK_IDS);
            self.query.extend_from_slice(name.as_bytes());
            self.query.push(b'=');
            for start in (0..characters).step_by(10) {
                push_base64url(&mut self.query, dice.bits(), (characters - start).min(10));
            }
        }
        if self.query.is_empty() && dice.chance(30) {
            self.query.extend_from_slice(b"page=");
            push_decimal(&mut self.query, dice.between(2, 9));
        }
        if dice.chance(450) {
            self.referrer = dice.choice(REFERRERS);
        }
    }
}
