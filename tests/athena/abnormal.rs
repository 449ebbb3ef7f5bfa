//! What is out of the ordinary, by plain loops.

use std::collections::BTreeSet;

use crate::answer::{Answer, Cell};
use crate::landed::EventRow;
use crate::oracle::{float, group, nulls_last, round, table, text};

/// A site with fewer hours than this tells nothing of what is usual.
const ENOUGH_HOURS: usize = 12;

/// One thing out of the ordinary; the fields stand in the order of the answer's `ORDER BY`.
struct Abnormal {
    dt: String,
    hour: Option<String>,
    site: String,
    what: &'static str,
    name: Option<String>,
    observed: usize,
    expected: Option<f64>,
}

pub(crate) fn abnormal_events(events: &[&EventRow], days: &[String]) -> Answer {
    let mut found = Vec::new();
    for (site, events) in group(events, |event| event.site_id.as_deref().unwrap_or("(none)")) {
        found.extend(rows_with_warnings(site, &events));
        let hours = group(&events, |event| (event.dt(), event.hour()));
        if hours.len() < ENOUGH_HOURS {
            continue;
        }
        let counts: Vec<f64> = hours.values().map(|rows| float(rows.len())).collect();
        let mean = counts.iter().sum::<f64>() / float(counts.len());
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / float(counts.len());
        let abnormal = |dt: &str, hour: &str, what, observed| Abnormal {
            dt: dt.to_owned(),
            hour: Some(hour.to_owned()),
            site: site.to_owned(),
            what,
            name: None,
            observed,
            expected: Some(round(mean, 1)),
        };
        for ((dt, hour), rows) in &hours {
            let count = float(rows.len());
            if (count - mean).abs() > 3.0 * variance.sqrt() {
                let what = if count > mean { "many events" } else { "few events" };
                found.push(abnormal(dt, hour, what, rows.len()));
            }
        }
        let (first, last) = (*hours.keys().next().unwrap(), *hours.keys().last().unwrap());
        for dt in days {
            for hour in (0..24).map(|hour| format!("{hour:02}")) {
                let hour = (dt.as_str(), hour.as_str());
                if first <= hour && hour <= last && !hours.contains_key(&hour) {
                    found.push(abnormal(hour.0, hour.1, "silent hour", 0));
                }
            }
        }
        found.extend(names_in_one_hour(site, &events));
    }
    found.sort_by_cached_key(|one| {
        let site = (one.site.clone(), one.what);
        (
            one.dt.clone(),
            nulls_last(one.hour.as_deref()),
            site,
            nulls_last(one.name.as_deref()),
        )
    });
    let rows = found.into_iter().map(|one| {
        vec![
            text(one.what),
            Cell::Text(one.site),
            Cell::Text(one.dt),
            Cell::text(one.hour),
            Cell::text(one.name),
            Cell::count(one.observed),
            one.expected.map_or(Cell::Null, Cell::Double),
        ]
    });
    table(
        &[
            "what",
            "site_id",
            "dt",
            "hour",
            "event_name",
            "observed",
            "expected",
        ],
        rows,
    )
}

/// The days of a site on which more than one row in twenty says that something is wrong with it.
fn rows_with_warnings(site: &str, events: &[&EventRow]) -> Vec<Abnormal> {
    let warns = |event: &&&EventRow| {
        event.parse_warnings.is_some() || event.truncated_fields.is_some() || event.utf8_ok == Some(false)
    };
    let days = group(events, EventRow::dt).into_iter();
    let days = days.map(|(dt, rows)| (dt, rows.len(), rows.iter().filter(warns).count()));
    days.filter(|(_, rows, warned)| 20 * warned > *rows)
        .map(|(dt, rows, warned)| Abnormal {
            dt: dt.to_owned(),
            hour: None,
            site: site.to_owned(),
            what: "rows with warnings",
            name: None,
            observed: warned,
            expected: Some(round(float(rows) / 20.0, 1)),
        })
        .collect()
}

fn names_in_one_hour(site: &str, events: &[&EventRow]) -> Vec<Abnormal> {
    let names = group(events, |event| event.event_name.as_deref());
    let in_one_hour = names.into_iter().filter_map(|(name, rows)| {
        let hours: BTreeSet<_> = rows.iter().map(|row| (row.dt(), row.hour())).collect();
        let (dt, hour) = hours.first().filter(|_| hours.len() == 1)?;
        Some(Abnormal {
            dt: (*dt).to_owned(),
            hour: Some((*hour).to_owned()),
            site: site.to_owned(),
            what: "name in one hour only",
            name: name.map(str::to_owned),
            observed: rows.len(),
            expected: None,
        })
    });
    in_one_hour.collect()
}
