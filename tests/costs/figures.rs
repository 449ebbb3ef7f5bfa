//! Figures as the tables show them.

use std::fmt::Write as _;

use super::bill::Usd;

/// A row of a table.
pub(crate) fn row(text: &mut String, name: &str, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    writeln!(text, "| {name} | {} |", cells.join(" | ")).unwrap();
}

/// An amount of money, or from where to where.
pub(crate) fn range(usd: Usd) -> String {
    match (money(usd.low), money(usd.high)) {
        (low, high) if low == high => low,
        (low, high) => format!("{low} to {high}"),
    }
}

/// Cents up to a hundred, above that whole USD.
pub(crate) fn money(usd: f64) -> String {
    if usd < 99.995 {
        format!("{usd:.2}")
    } else {
        grouped(usd)
    }
}

/// Three digits that say something, or all of a whole number.
pub(crate) fn amount(number: f64) -> String {
    match number {
        _ if number >= 1000.0 || (number - number.round()).abs() < 1e-9 => grouped(number),
        _ if number >= 100.0 => format!("{number:.0}"),
        _ if number >= 10.0 => format!("{number:.1}"),
        _ if number >= 0.1 => format!("{number:.2}"),
        _ if number >= 0.001 => format!("{number:.4}"),
        _ => format!("{number:.5}"),
    }
}

/// Two digits, rounded down: what follows from an assumption is not known better, and a limit not to be met.
pub(crate) fn rounded(number: f64) -> String {
    let unit = 10_f64.powf(number.log10().floor() - 1.0).max(1.0);
    grouped((number / unit).floor() * unit)
}

/// A whole number with a comma after each three digits.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
