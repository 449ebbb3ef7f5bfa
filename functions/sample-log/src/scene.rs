//! What each kind of client asks for.

use super::dice::Dice;
use super::encoding::{push_base64url, push_uuid};
use super::log_line::push_decimal;
use super::query::Query;
use super::request::{PIXEL, Request};
use super::visitor::{Visit, Visitor};

/// Value of a validator, as a browser sends back the one that it was given.
const ETAG: &str = "\"a0f4c1d6e2b7938455\"";

/// Screens of an app.
const SCREENS: &[&str] = &[
    "app://app.example/home",
    "app://app.example/list",
    "app://app.example/item/77",
];

/// A browser: mostly the tag's events, else an image without a script, else the files around them.
pub(super) fn browser(request: &mut Request, visitor: &mut Visitor, time_ms: u64, dice: &mut Dice) {
    match dice.below(1000) {
        0..25 => {
            request.path = "/tag.js";
            if dice.chance(400) {
                request.extra_headers.push(("if-none-match", ETAG));
            }
            push_origin(request, visitor);
        }
        25..35 => request.path = "/favicon.ico",
        35..410 => image(request, visitor, dice),
        _ => {
            let shown = visitor.visit.is_some() && !dice.chance(300);
            if !shown {
                visitor.open_page(dice);
            }
            push_origin(request, visitor);
            let event = if shown {
                dice.weighted(visitor.site.follow_ups)
            } else {
                "page_view"
            };
            if let Some(visit) = &visitor.visit {
                tag(request, visitor, visit, event, time_ms, dice);
            }
        }
    }
}

/// `<img src="/p.gif">`: no script runs, the page stands in the referer.
fn image(request: &mut Request, visitor: &mut Visitor, dice: &mut Dice) {
    visitor.open_page(dice);
    if let Some(Visit { page, arrival, .. }) = &visitor.visit {
        visitor
            .site
            .push_url(&mut request.referer, *page, &arrival.query, false);
    }
    if dice.chance(350) {
        request.query.token("s", visitor.site.id);
    }
}

/// One event of the tag, or several at once.
fn tag(request: &mut Request, visitor: &Visitor, visit: &Visit, event: &str, time_ms: u64, dice: &mut Dice) {
    // The image is asked for a little after the event, and the edge is done a little after that.
    let sent_ms = time_ms
        .saturating_sub(dice.between(15, 400))
        .saturating_add_signed(clock_error(dice));
    let event_ms = sent_ms.saturating_sub(dice.below(250));
    let query = &mut request.query;
    query.token("s", visitor.site.id);
    let mut url = Vec::with_capacity(256);
    visitor
        .site
        .push_url(&mut url, visit.page, &visit.arrival.query, visit.readable);
    query.text("u", &url);
    if event != "page_view" && dice.chance(100) {
        query.uuid("pv", visit.page_view);
        query.number("st", sent_ms);
        request.events = batch(query, event, event_ms, dice);
        return;
    }
    if event != "page_view" || dice.chance(500) {
        query.token("e", event);
    }
    query.number("ts", event_ms);
    query.uuid("eid", [dice.bits(), dice.bits()]);
    query.uuid("pv", visit.page_view);
    if event == "page_view" {
        query.text("t", visit.page.title.as_bytes());
        if !visit.arrival.referrer.is_empty() {
            query.text("r", visit.arrival.referrer.as_bytes());
        }
        query.number("st", sent_ms);
        query.token("l", visitor.place.language);
        query.text("tz", visitor.place.time_zone.as_bytes());
        if let Some(sizes) = visitor.client.screen {
            for (name, size) in ["sw", "sh", "vw", "vh"].into_iter().zip(sizes) {
                query.number(name, size);
            }
        }
        if dice.chance(80) {
            query.token("p.theme", dice.choice(&["dark", "light"]));
        }
    }
    details(query, event, visitor.place.currency, dice);
}

/// What an event says besides its name.
fn details(query: &mut Query, event: &str, currency: &str, dice: &mut Dice) {
    match event {
        "scroll" => query.number("v", dice.choice(&[25, 50, 75, 100])),
        "click" => query.token("p.target", dice.choice(&["buy", "menu", "outbound", "more"])),
        "video_play" => query.numbered("p.video", "vid-", dice.between(1, 60)),
        "share" => query.token("p.via", dice.choice(&["mail", "copy", "social"])),
        "add_to_cart" => {
            query.numbered("p.sku", "SKU-", dice.between(1000, 9999));
            query.money(dice.between(199, 24_999), currency);
        }
        "purchase" => {
            query.numbered("oid", "SO-", dice.between(100_000, 999_999));
            query.money(dice.between(499, 99_999), currency);
            query.number("p.items", dice.between(1, 6));
            if dice.chance(200) {
                query.text("p.coupon", "Frühling 15%".as_bytes());
            }
        }
        "ad_impression" | "ad_click" | "ad_conversion" => query.advertisement(event, true, dice),
        _ => {}
    }
}

/// Adds `b`: an event and some scrolls in one JSON array. Returns how many events it holds.
fn batch(query: &mut Query, event: &str, event_ms: u64, dice: &mut Dice) -> u64 {
    let events = dice.between(2, 5);
    let mut json = Vec::with_capacity(512);
    for number in 0..events {
        json.push(if number == 0 { b'[' } else { b',' });
        json.extend_from_slice(br#"{"e":""#);
        json.extend_from_slice(if number == 0 { event.as_bytes() } else { b"scroll" });
        json.extend_from_slice(br#"","ts":"#);
        push_decimal(&mut json, event_ms.saturating_sub((events - number) * 900));
        json.extend_from_slice(br#","eid":""#);
        push_uuid(&mut json, [dice.bits(), dice.bits()]);
        json.push(b'"');
        if number > 0 {
            json.extend_from_slice(br#","v":"#);
            push_decimal(&mut json, number * 25);
        }
        if event == "purchase" && number == 0 {
            json.extend_from_slice(br#","oid":"SO-7 \"gift\" \u00fc","v":"49.90","cur":"EUR""#);
        }
        json.push(b'}');
    }
    json.push(b']');
    query.text("b", &json);
    events
}

/// Mail: the image names the issue and, as a token, the recipient.
pub(super) fn mail(request: &mut Request, dice: &mut Dice) {
    if dice.chance(30) {
        request.method = "HEAD"; // a scanner looks before it delivers
    }
    request.query.token("e", "email_open");
    request.query.numbered("p.issue", "2026-", dice.between(40, 48));
    let mut token = Vec::with_capacity(10);
    push_base64url(&mut token, dice.bits(), 10);
    request.query.text("eid", &token);
    if dice.chance(300) {
        request.query.token("s", "news");
    }
}

/// An app or a server: short queries, no page.
pub(super) fn app(request: &mut Request, visitor: &Visitor, time_ms: u64, dice: &mut Dice) {
    let event = dice.weighted(&[
        (26, "app_open"),
        (26, "screen_view"),
        (13, "click"),
        (8, "add_to_cart"),
        (5, "purchase"),
        (16, "ad_impression"),
        (4, "ad_click"),
        (2, "ad_conversion"),
    ]);
    let query = &mut request.query;
    query.token("s", visitor.site.id);
    query.token("e", event);
    query.number("ts", time_ms.saturating_sub(dice.between(20, 900)));
    match event {
        "screen_view" => query.text("u", dice.choice(SCREENS).as_bytes()),
        "ad_impression" | "ad_click" | "ad_conversion" => query.advertisement(event, false, dice),
        "app_open" => query.number("p.build", dice.between(805, 812)),
        _ => details(query, event, visitor.place.currency, dice),
    }
}

/// A bot: the files that bots look for, the bare pixel, and for those that run scripts the tag.
pub(super) fn bot(request: &mut Request, visitor: &mut Visitor, time_ms: u64, dice: &mut Dice) {
    let path = dice.weighted(&[
        (22, "/robots.txt"),
        (45, PIXEL),
        (10, "/tag.js"),
        (6, "/favicon.ico"),
        (5, "/wp-login.php"),
        (12, ""),
    ]);
    if path.is_empty() {
        visitor.open_page(dice);
        if let Some(visit) = &visitor.visit {
            tag(request, visitor, visit, "page_view", time_ms, dice);
        }
    } else {
        request.path = path;
        if dice.chance(80) {
            request.method = "HEAD";
        }
    }
}

/// By default a page tells other hosts its origin and no more.
fn push_origin(request: &mut Request, visitor: &Visitor) {
    request.referer.extend_from_slice(b"https://");
    request.referer.extend_from_slice(visitor.site.host.as_bytes());
    request.referer.push(b'/');
}

/// How far the client's clock is off: hardly for most, for hours for some.
fn clock_error(dice: &mut Dice) -> i64 {
    match dice.below(100) {
        0 => 3_600_000,
        1 => -7_200_000,
        2 => 95_000,
        _ => 0,
    }
}
