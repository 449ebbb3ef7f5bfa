//! How the edge answered.

use super::dice::Dice;
use super::request::{PIXEL, Request};
use super::visitor::Visitor;

/// An answer. What is empty or `None` is `-` in the log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer {
    /// Status.
    pub(super) status: &'static str,
    /// `x-edge-response-result-type`.
    pub(super) response_result: &'static str,
    /// `x-edge-result-type`.
    pub(super) result: &'static str,
    /// `x-edge-detailed-result-type`.
    pub(super) detailed_result: &'static str,
    /// `Content-Type`.
    pub(super) content_type: &'static str,
    /// `Content-Length`.
    pub(super) content_length: Option<u64>,
    /// Bytes to the viewer.
    pub(super) bytes: u64,
    /// Milliseconds to the first byte.
    pub(super) first_byte_ms: u64,
    /// Milliseconds to the last byte.
    pub(super) taken_ms: u64,
    /// Milliseconds to the origin's first and last byte, when it was asked.
    pub(super) origin_ms: Option<(u64, u64)>,
    /// Whether the viewer came without TLS.
    pub(super) is_plain_http: bool,
}

impl Answer {
    /// Draws an answer to the request.
    pub(super) fn draw(request: &Request, visitor: &Visitor, dice: &mut Dice) -> Answer {
        if request.events > 1 {
            // Whether a refused batch reports anything is for its reader to say; the sample does not ask.
            return Answer::pixel(dice);
        }
        let (content_type, length) = match request.path {
            PIXEL => ("image/gif", 43),
            "/tag.js" => ("application/javascript", 2_913),
            "/robots.txt" => ("text/plain", 26),
            _ => return Answer::refused(dice),
        };
        if !request.extra_headers.is_empty() && request.path == "/tag.js" {
            return Answer::of("304", "Hit", dice);
        }
        let mut answer = match dice.below(1000) {
            0..10 => return Answer::abandoned(dice),
            10..16 => return Answer::refused(dice),
            16..60 if visitor.client.protocol == "HTTP/1.1" => return Answer::redirected(dice),
            60..75 => Answer::from_origin("Miss", dice),
            75..90 => Answer::from_origin("RefreshHit", dice),
            _ => Answer::of("200", "Hit", dice),
        };
        answer.content_type = content_type;
        answer.content_length = Some(length);
        if request.method != "HEAD" {
            answer.bytes += length;
        }
        answer
    }

    /// An answer without a body.
    fn of(status: &'static str, result: &'static str, dice: &mut Dice) -> Answer {
        let first_byte_ms = dice.below(4);
        Answer {
            status,
            response_result: result,
            result,
            detailed_result: result,
            bytes: dice.between(310, 520),
            first_byte_ms,
            taken_ms: first_byte_ms + dice.below(2),
            ..Answer::default()
        }
    }

    /// The pixel as nearly every request gets it.
    pub(super) fn pixel(dice: &mut Dice) -> Answer {
        let answer = Answer::of("200", "Hit", dice);
        Answer {
            content_type: "image/gif",
            content_length: Some(43),
            bytes: answer.bytes + 43,
            ..answer
        }
    }

    /// The edge had to ask the origin.
    fn from_origin(result: &'static str, dice: &mut Dice) -> Answer {
        let origin_first_ms = dice.between(18, 240);
        let origin_last_ms = origin_first_ms + dice.below(9);
        Answer {
            first_byte_ms: origin_first_ms + 2,
            taken_ms: origin_last_ms + 3,
            origin_ms: Some((origin_first_ms, origin_last_ms)),
            ..Answer::of("200", result, dice)
        }
    }

    /// The viewer left before the answer.
    fn abandoned(dice: &mut Dice) -> Answer {
        Answer {
            detailed_result: "ClientCommError",
            bytes: 0,
            taken_ms: dice.between(40, 900),
            ..Answer::of("000", "Error", dice)
        }
    }

    /// No such file; storage that may not be listed says "forbidden" instead.
    fn refused(dice: &mut Dice) -> Answer {
        let status = dice.choice(&["403", "404"]);
        Answer {
            content_type: "application/xml",
            ..Answer::of(status, "Error", dice)
        }
    }

    /// Plain HTTP is sent on to HTTPS.
    fn redirected(dice: &mut Dice) -> Answer {
        Answer {
            content_type: "text/html",
            content_length: Some(167),
            is_plain_http: true,
            ..Answer::of("301", "Redirect", dice)
        }
    }
}
