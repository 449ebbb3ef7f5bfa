//! The questions that come with the lake, in SQL that Athena and the embedded engine both take as it is.

use pixel_row::Day;

/// One question: a query with its definitions in its first comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Name of the file, and of the report in commands: `events_per_hour`.
    pub name: &'static str,
    /// Title for people: `events per hour`.
    pub title: &'static str,
    /// The SQL, with the tokens `:from_day` and `:to_day` in place of the range of days, both ends included.
    pub sql: &'static str,
}

macro_rules! report {
    ($name:literal, $title:literal) => {
        Report {
            name: $name,
            title: $title,
            sql: include_str!(concat!("../../../infra/athena/queries/", $name, ".sql")),
        }
    };
}

/// All reports, in the order in which they are shown.
pub const REPORTS: [Report; 7] = [
    report!("events_per_hour", "events per hour"),
    report!("visitor_count", "visitor count"),
    report!("user_agents", "user agents"),
    report!("abnormal_events", "abnormal events"),
    report!("aggregate_event_count", "aggregate event count"),
    report!("referrers", "referrers"),
    report!("recent_events", "recent events"),
];

impl Report {
    /// The SQL for a range of UTC days, both ends included.
    pub fn render(&self, from_day: Day, to_day: Day) -> String {
        replace_days(self.sql, &from_day.to_string(), &to_day.to_string())
    }
}

/// Puts the two days, as texts, in place of the tokens `:from_day` and `:to_day`.
pub fn replace_days(sql: &str, from_day: &str, to_day: &str) -> String {
    replace_tokens(
        sql,
        &[(":from_day", &quote(from_day)), (":to_day", &quote(to_day))],
    )
}

/// The UTC day that `2026-11-01` names, for [`Report::render`]; none for anything else.
pub fn parse_day(text: &str) -> Option<Day> {
    Day::parse(text)
}

/// A text as an SQL string literal: in single quotes, with its own single quotes doubled. There is no other
/// escape in Athena's SQL.
/// Source: <https://trino.io/docs/476/language/types.html#varchar>
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Puts each token's text in its place, in one pass: what has been put in is not looked at again.
fn replace_tokens(sql: &str, tokens: &[(&str, &str)]) -> String {
    let mut rendered = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    loop {
        let next = tokens
            .iter()
            .filter_map(|(token, text)| {
                rest.split_once(token)
                    .map(|(before, after)| (before, text, after))
            })
            .min_by_key(|(before, ..)| before.len());
        let Some((before, text, after)) = next else {
            rendered.push_str(rest);
            return rendered;
        };
        rendered.push_str(before);
        rendered.push_str(text);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_of_days_stands_in_place_of_the_tokens() {
        let (from_day, to_day) = (parse_day("2026-11-01").unwrap(), parse_day("2026-11-30").unwrap());
        for report in REPORTS {
            let sql = report.render(from_day, to_day);
            assert!(
                sql.contains("BETWEEN '2026-11-01' AND '2026-11-30'"),
                "{}",
                report.name
            );
            assert!(
                !sql.contains(":from_day") && !sql.contains(":to_day"),
                "{}",
                report.name
            );
        }
    }

    #[test]
    fn every_report_says_what_it_counts_and_takes_a_range_of_days() {
        for report in REPORTS {
            let (comments, code): (Vec<&str>, Vec<&str>) =
                report.sql.lines().partition(|line| line.starts_with("--"));
            assert!(
                report.sql.starts_with("-- ") && comments.len() >= 3,
                "{}",
                report.name
            );
            // A token in a comment would be replaced as well: harmless for days, and still wrong.
            assert!(!comments.join("\n").contains(":from_day"), "{}", report.name);
            assert!(
                code.join("\n").contains("dt BETWEEN :from_day AND :to_day"),
                "{}",
                report.name
            );
            assert!(
                !code.join("\n").contains(';'),
                "{}: one statement without an end",
                report.name
            );
        }
    }

    #[test]
    fn quotes_are_doubled_and_nothing_else_is_touched() {
        assert_eq!(quote("2026-11-01"), "'2026-11-01'");
        assert_eq!(quote("it's"), "'it''s'");
        assert_eq!(quote("' OR 1=1 --"), "''' OR 1=1 --'");
        assert_eq!(quote("a\\'b\n"), "'a\\''b\n'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn what_was_put_in_is_not_replaced_again() {
        let tokens = [(":from_day", "':to_day'"), (":to_day", "':from_day'")];
        assert_eq!(
            replace_tokens(":from_day-:to_day-:from_day.", &tokens),
            "':to_day'-':from_day'-':to_day'."
        );
        assert_eq!(replace_tokens("plain", &tokens), "plain");
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_one_literal_that_means_the_text(text in ".*") {
            let quoted = quote(&text);
            let inside = quoted.strip_prefix('\'').and_then(|quoted| quoted.strip_suffix('\'')).unwrap();
            // Every quote inside is one of a pair, so the literal ends where it should.
            prop_assert!(!inside.replace("''", "").contains('\''));
            prop_assert_eq!(inside.replace("''", "'"), text);
        }
    }
}
