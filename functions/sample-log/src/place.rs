//! Where visitors are: country, edge locations near it, languages and time zone.

/// One region with what its visitors have in common.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// ISO 3166-1 alpha-2 code.
    pub(super) country: &'static str,
    /// `CloudFront`'s edge locations there.
    pub(super) edges: &'static [&'static str],
    /// `Accept-Language`.
    pub(super) accept_language: &'static str,
    /// The browser's own language.
    pub(super) language: &'static str,
    /// IANA time zone.
    pub(super) time_zone: &'static str,
    /// Currency of its orders.
    pub(super) currency: &'static str,
    /// Autonomous systems; all from the range for documentation (RFC 5398).
    pub(super) systems: [u64; 2],
}

/// All places with how many visitors they send.
#[rustfmt::skip]
pub(super) const PLACES: &[(u64, Place)] = &[
    (24, Place { country: "US", edges: &["SFO53-C1", "SFO5-P2", "LAX50-C4"], accept_language: "en-US,en;q=0.9", language: "en-US",
        time_zone: "America/Los_Angeles", currency: "USD", systems: [64_496, 64_497] }),
    (14, Place { country: "US", edges: &["IAD89-P3", "JFK52-P4", "ORD58-P6"], accept_language: "en-US,en;q=0.5", language: "en-US",
        time_zone: "America/New_York", currency: "USD", systems: [64_496, 65_536] }),
    (20, Place { country: "DE", edges: &["HAM50-C2", "HAM50-P2", "FRA60-P4"], accept_language: "de-DE,de;q=0.9,en;q=0.8", language: "de-DE",
        time_zone: "Europe/Berlin", currency: "EUR", systems: [64_500, 65_540] }),
    (8, Place { country: "AT", edges: &["VIE50-P1"], accept_language: "de-AT,de;q=0.9", language: "de-AT",
        time_zone: "Europe/Vienna", currency: "EUR", systems: [64_501, 65_541] }),
    (9, Place { country: "GB", edges: &["LHR61-P5", "MAN51-P1"], accept_language: "en-GB,en;q=0.9", language: "en-GB",
        time_zone: "Europe/London", currency: "GBP", systems: [64_502, 65_542] }),
    (10, Place { country: "JP", edges: &["NRT57-P2", "KIX56-C1"], accept_language: "ja", language: "ja",
        time_zone: "Asia/Tokyo", currency: "JPY", systems: [64_503, 65_543] }),
    (5, Place { country: "AE", edges: &["DXB52-P1"], accept_language: "ar-AE,ar;q=0.9,en-US;q=0.8,en;q=0.7", language: "ar-AE",
        time_zone: "Asia/Dubai", currency: "AED", systems: [64_504, 65_544] }),
    (5, Place { country: "BR", edges: &["GRU3-C1"], accept_language: "pt-BR,pt;q=0.9", language: "pt-BR",
        time_zone: "America/Sao_Paulo", currency: "BRL", systems: [64_505, 65_545] }),
    (5, Place { country: "IN", edges: &["BOM78-P5"], accept_language: "en-IN,hi-IN;q=0.9", language: "en-IN",
        time_zone: "Asia/Kolkata", currency: "INR", systems: [64_506, 65_546] }),
];
