//! Lines of one kind: page views of one site by one browser, every field present, 750 bytes on average.

use std::iter;

use pixel_log::Field;
use pixel_log::fields::FIELD_COUNT;

use super::{Given, RECORDS, SECONDS};

/// The mean length of a line, newline included.
const LINE_BYTES: usize = 750;

/// Lines of every field as a browser's page views make them. The query stands twice, as `CloudFront` logs it.
pub(crate) fn given() -> Given {
    let mut dice = fastrand::Rng::with_seed(1);
    Given {
        name: "uniform",
        lines: (0..RECORDS).map(|index| one_line(index, &mut dice)).collect(),
        events: iter::repeat_n(1, RECORDS).collect(),
    }
}

fn one_line(index: usize, dice: &mut fastrand::Rng) -> String {
    let mut columns = ["-"; FIELD_COUNT].map(str::to_owned);
    let mut set = |field: Field, value: String| columns[field as usize] = value;
    let id: String = (0..54).map(|_| dice.alphanumeric()).chain("==".chars()).collect();
    let query = format!(
        "s=shop&e=page_view&u=https%253A%252F%252Fshop.example%252Fp%252F{}%253Futm_source%253Dnews&ts={}",
        dice.u32(100..9_999),
        1_793_491_200_000_u64 + index as u64
    );
    set(
        Field::Timestamp,
        format!(
            "{}.{:03}",
            SECONDS + i64::from(dice.u16(0..3_600)),
            dice.u32(0..1_000)
        ),
    );
    set(Field::CIp, format!("192.0.2.{}", dice.u8(..)));
    set(Field::TimeToFirstByte, "0.001".to_owned());
    set(Field::ScStatus, "200".to_owned());
    set(Field::ScBytes, dice.u32(300..500).to_string());
    set(Field::CsMethod, "GET".to_owned());
    set(Field::CsProtocol, "https".to_owned());
    set(Field::CsHost, "t.shop.example".to_owned());
    set(Field::CsUriStem, format!("/p.gif?{query}"));
    set(Field::CsBytes, dice.u32(80..300).to_string());
    set(Field::XEdgeLocation, "FRA60-P4".to_owned());
    set(Field::XEdgeRequestId, id);
    set(Field::TimeTaken, "0.002".to_owned());
    set(Field::CsProtocolVersion, "HTTP/2.0".to_owned());
    set(Field::CIpVersion, "IPv4".to_owned());
    set(
        Field::CsUserAgent,
        "Mozilla/5.0%20(X11;%20Linux%20x86_64;%20rv:143.0)%20Gecko/20100101%20Firefox/143.0".to_owned(),
    );
    set(Field::CsReferer, "https://shop.example/".to_owned());
    set(Field::CsUriQuery, query);
    set(Field::XEdgeResultType, "Hit".to_owned());
    set(Field::SslProtocol, "TLSv1.3".to_owned());
    set(
        Field::CCountry,
        ["DE", "CH", "FR", "US"][dice.usize(0..4)].to_owned(),
    );
    set(Field::Asn, dice.u32(1_000..65_000).to_string());
    let headers = "host:t.shop.example%0Asec-fetch-dest:image%0Aaccept-language:de-CH,de;q=0.9%0A";
    set(Field::CsHeaders, headers.to_owned());
    set(
        Field::CsHeaderNames,
        "host%0Asec-fetch-dest%0Aaccept-language%0A".to_owned(),
    );
    set(Field::CsHeadersCount, "3".to_owned());
    let joined = columns.join("\t");
    // To the mean length, by a field that no row needs.
    let missing = LINE_BYTES.saturating_sub(joined.len() + 1) + dice.usize(0..21);
    columns[Field::ViewerResponseLogData as usize] = "x".repeat(missing.saturating_sub(10) + 1);
    format!("{}\n", columns.join("\t"))
}
