//! The pixel's query, as the page's tag writes it.

use super::dice::Dice;
use super::encoding::{push_uri_component, push_uuid};
use super::log_line::push_decimal;

/// A query under construction; every value is encoded once, as on the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    bytes: Vec<u8>,
}

impl Query {
    /// The bytes on the wire.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Back to none.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a value that needs encoding.
    pub(super) fn text(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        push_uri_component(&mut self.bytes, value);
    }

    /// Adds a value that needs no encoding.
    pub(super) fn token(&mut self, name: &str, value: &str) {
        self.name(name);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Adds a number.
    pub(super) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        push_decimal(&mut self.bytes, value);
    }

    /// Adds an id that a person can read, such as `SO-1042`.
    pub(super) fn numbered(&mut self, name: &str, prefix: &str, number: u64) {
        self.token(name, prefix);
        push_decimal(&mut self.bytes, number);
    }

    /// Adds a UUID.
    pub(super) fn uuid(&mut self, name: &str, bits: [u64; 2]) {
        self.name(name);
        push_uuid(&mut self.bytes, bits);
    }

    /// Adds an amount and its currency; yen have no decimals.
    pub(super) fn money(&mut self, cents: u64, currency: &str) {
        self.number("v", cents / 100);
        if currency != "JPY" {
            self.bytes.push(b'.');
            push_decimal(&mut self.bytes, cents / 10 % 10);
            push_decimal(&mut self.bytes, cents % 10);
        }
        self.token("cur", currency);
    }

    /// Adds the ids of an advertisement, as an ad tag fills them in. `full` tags name the whole chain.
    pub(super) fn advertisement(&mut self, event: &str, full: bool, dice: &mut Dice) {
        self.uuid("ad.impression", [dice.bits(), dice.bits()]);
        if matches!(event, "ad_click" | "ad_conversion") {
            self.uuid("ad.click", [dice.bits(), dice.bits()]);
        }
        if event == "ad_conversion" {
            self.numbered("ad.conversion", "cv-", dice.between(1, 99_999));
        }
        let campaign = dice.between(1, 12);
        self.numbered("ad.campaign", "c", campaign);
        self.numbered("ad.creative", "cr", campaign * 10 + dice.below(4));
        if full {
            self.numbered("ad.line", "l", campaign * 3);
            self.token(
                "ad.placement",
                dice.choice(&["top", "sidebar", "in-article", "footer"]),
            );
            self.numbered("ad.advertiser", "adv", campaign % 5 + 1);
            self.token("ad.publisher", "daily");
            self.token("ad.model", dice.choice(&["cpm", "cpm", "cpc", "cpa"]));
        }
    }

    fn name(&mut self, name: &str) {
        if !self.bytes.is_empty() {
            self.bytes.push(b'&');
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(b'=');
    }
}
