//! Who sends the requests: one client at one address, with the visit it is in.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::campaign::Arrival;
use super::client::{CLIENTS, Client, Role};
use super::dice::Dice;
use super::encoding::push_uuid;
use super::log_line::push_decimal;
use super::place::{PLACES, Place};
use super::site::{NEWSLETTER, Page, SITES, Site};

/// Addresses of visitors and of the edge come from the networks for documentation (RFC 5737, RFC 3849).
const VISITOR_NETWORKS: &[[u8; 3]] = &[[192, 0, 2], [203, 0, 113]];
const EDGE_NETWORK: [u8; 3] = [198, 51, 100];

/// What proxies add, each the address that came to it.
const PROXY_LISTS: &[&str] = &[
    "192.0.2.44",
    "203.0.113.9, 198.51.100.77",
    "2001:db8:52::1f, 203.0.113.80, 192.0.2.3",
];

/// The page that a browser shows, from its page view to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Visit {
    /// The page.
    pub(super) page: Page,
    /// Where the visit came from.
    pub(super) arrival: Arrival,
    /// Id of the page view; what follows on the page repeats it.
    pub(super) page_view: [u64; 2],
    /// Whether the tag sends readable addresses (see [`Site::push_url`]).
    pub(super) readable: bool,
}

/// A client that comes back: its requests share address, user agent and cookie.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor {
    /// Program.
    pub(super) client: Client,
    /// Region.
    pub(super) place: Place,
    /// Site that it visits.
    pub(super) site: Site,
    /// Address, and that of the edge's server, as text.
    pub(super) address: String,
    /// See [`Visitor::address`].
    pub(super) server: String,
    /// `IPv4` or `IPv6`.
    pub(super) address_version: &'static str,
    /// Edge location.
    pub(super) edge: &'static str,
    /// Autonomous system.
    pub(super) system: u64,
    /// Header that objects to tracking, if the visitor sends one.
    pub(super) objection: Option<(&'static str, &'static str)>,
    /// `X-Forwarded-For`; empty without a proxy.
    pub(super) forwarded_for: &'static str,
    /// `Cookie`; empty for most.
    pub(super) cookie: Vec<u8>,
    /// Page that is shown, once there is one.
    pub(super) visit: Option<Visit>,
}

impl Visitor {
    /// Draws somebody new.
    pub(super) fn draw(dice: &mut Dice) -> Visitor {
        let client = dice.weighted(CLIENTS);
        let place = dice.weighted(PLACES);
        let site = match client.role {
            Role::Mail => NEWSLETTER,
            Role::Browser | Role::App | Role::Bot => dice.weighted(SITES),
        };
        let browses = client.role == Role::Browser;
        let (address, server, address_version) = addresses(dice);
        Visitor {
            client,
            place,
            site,
            address,
            server,
            address_version,
            edge: dice.choice(place.edges),
            system: dice.choice(&place.systems),
            objection: match dice.below(100) {
                0..8 if browses => Some(("sec-gpc", "1")),
                8..14 if browses => Some(("dnt", "1")),
                _ => None,
            },
            forwarded_for: if dice.chance(30) {
                dice.choice(PROXY_LISTS)
            } else {
                ""
            },
            cookie: if browses && dice.chance(250) {
                cookie(dice)
            } else {
                Vec::new()
            },
            visit: None,
        }
    }

    /// Draws the next page that the visitor opens.
    pub(super) fn open_page(&mut self, dice: &mut Dice) {
        let visit = self.visit.get_or_insert_default();
        visit.page = dice.choice(self.site.pages);
        visit.arrival.draw(dice);
        visit.page_view = [dice.bits(), dice.bits()];
        visit.readable = dice.chance(60);
    }
}

/// Address of a visitor, that of the server which answers, and their version.
fn addresses(dice: &mut Dice) -> (String, String, &'static str) {
    let [subnet, _, low, ..] = dice.bits().to_be_bytes();
    if dice.chance(180) {
        let prefix = 0x2001_0db8_u128 << 96 | u128::from(subnet) << 88;
        let visitor = prefix | u128::from(dice.bits()) | u128::from(dice.below(0x1_0000)) << 64;
        let server = 0x2001_0db8_u128 << 96 | 0xffff << 80 | u128::from(low);
        return (
            Ipv6Addr::from(visitor).to_string(),
            Ipv6Addr::from(server).to_string(),
            "IPv6",
        );
    }
    let [a, b, c] = dice.choice(VISITOR_NETWORKS);
    let visitor = Ipv4Addr::new(a, b, c, low);
    let [a, b, c] = EDGE_NETWORK;
    let server = Ipv4Addr::new(a, b, c, subnet);
    (visitor.to_string(), server.to_string(), "IPv4")
}

/// The cookies of a site; now and then so many that the log cuts them.
fn cookie(dice: &mut Dice) -> Vec<u8> {
    let mut cookie = b"_ga=GA1.1.".to_vec();
    push_decimal(&mut cookie, dice.between(100_000_000, 2_000_000_000));
    cookie.extend_from_slice(b".1793400000");
    if dice.chance(400) {
        cookie.extend_from_slice(b"; px_id=");
        push_uuid(&mut cookie, [dice.bits(), dice.bits()]);
    }
    if dice.chance(100) {
        for number in 0..dice.between(20, 40) {
            cookie.extend_from_slice(b"; pref_");
            push_decimal(&mut cookie, number);
            cookie.extend_from_slice(b"={\"seen\":true|%7B}");
        }
    }
    cookie
}
