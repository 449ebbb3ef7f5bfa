//! The seven questions answered by plain loops, as their comments define them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::abnormal;
use crate::answer::{Answer, Cell};
use crate::landed::EventRow;

/// How many rows the questions for the most frequent and the latest show.
const TOP: usize = 100;

/// The answer to a question about the events of some days.
pub(crate) fn answer(question: &str, rows: &[&EventRow], days: &[String]) -> Answer {
    let rows: Vec<&EventRow> = rows
        .iter()
        .copied()
        .filter(|row| days.iter().any(|day| day == row.dt()))
        .collect();
    let events: Vec<&EventRow> = rows.iter().copied().filter(|row| row.is_event()).collect();
    match question {
        "events_per_hour" => events_per_hour(&rows),
        "visitor_count" => visitor_count(&events),
        "user_agents" => user_agents(&events),
        "abnormal_events" => abnormal::abnormal_events(&events, days),
        "aggregate_event_count" => aggregate_event_count(&rows),
        "referrers" => referrers(&events),
        "recent_events" => recent_events(&rows),
        _ => panic!("no plain loop answers {question}"),
    }
}

fn events_per_hour(rows: &[&EventRow]) -> Answer {
    let hours = group(rows, |row| (row.dt(), row.hour()));
    let rows = hours.into_iter().map(|((dt, hour), rows)| {
        let events: Vec<&EventRow> = rows.iter().copied().filter(|row| row.is_event()).collect();
        let requests = rows
            .iter()
            .filter(|row| row.event_name.as_deref() == Some("request"))
            .count();
        vec![
            text(dt),
            text(hour),
            Cell::count(events.len()),
            Cell::count(visitors(&events)),
            Cell::count(requests),
        ]
    });
    table(&["dt", "hour", "events", "visitors", "requests"], rows)
}

fn visitor_count(events: &[&EventRow]) -> Answer {
    let mut sites: Vec<_> = group(events, |event| (event.dt(), &event.site_id))
        .into_iter()
        .collect();
    sites.sort_by_key(|((dt, site), rows)| {
        (
            *dt,
            Reverse((visitors(rows), rows.len())),
            nulls_last(site.as_deref()),
        )
    });
    let rows = sites.into_iter().map(|((dt, site), rows)| {
        let without = rows.iter().filter(|row| row.visitor_day_id.is_none()).count();
        vec![
            text(dt),
            Cell::text(site.clone()),
            Cell::count(visitors(&rows)),
            Cell::count(rows.len()),
            Cell::count(without),
        ]
    });
    table(
        &["dt", "site_id", "visitors", "events", "events_without_visitor"],
        rows,
    )
}

fn user_agents(events: &[&EventRow]) -> Answer {
    let mut agents: Vec<_> = group(events, |event| &event.user_agent).into_iter().collect();
    agents.sort_by_key(|(agent, rows)| (Reverse(rows.len()), nulls_last(agent.as_deref())));
    let rows = agents.into_iter().take(TOP).map(|(agent, rows)| {
        let share = 100.0 * float(rows.len()) / float(events.len());
        vec![
            Cell::text(agent.clone()),
            Cell::count(rows.len()),
            Cell::Double(round(share, 2)),
            Cell::count(visitors(&rows)),
        ]
    });
    table(&["user_agent", "events", "share_percent", "visitor_days"], rows)
}

fn aggregate_event_count(rows: &[&EventRow]) -> Answer {
    let mut names: Vec<_> = group(rows, |row| (row.dt(), &row.event_name))
        .into_iter()
        .collect();
    names.sort_by_key(|((dt, name), rows)| (*dt, Reverse(rows.len()), nulls_last(name.as_deref())));
    let rows = names.into_iter().map(|((dt, name), rows)| {
        let sites: BTreeSet<&String> = rows.iter().filter_map(|row| row.site_id.as_ref()).collect();
        vec![
            text(dt),
            Cell::text(name.clone()),
            Cell::count(rows.len()),
            Cell::count(visitors(&rows)),
            Cell::count(sites.len()),
        ]
    });
    table(&["dt", "event_name", "events", "visitors", "sites"], rows)
}

fn referrers(events: &[&EventRow]) -> Answer {
    let is_from_outside = |event: &&EventRow| {
        event.event_name.as_deref() == Some("page_view") && event.ref_is_internal != Some(true)
    };
    let views: Vec<&EventRow> = events.iter().copied().filter(is_from_outside).collect();
    let groups = group(&views, |view| {
        (
            &view.ref_host,
            &view.utm_source,
            &view.utm_medium,
            &view.utm_campaign,
        )
    });
    let shown = |host: &Option<String>| host.clone().unwrap_or_else(|| "(direct)".to_owned());
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_cached_key(|((host, source, medium, campaign), rows)| {
        let names = [source, medium, campaign].map(|name| nulls_last(name.as_deref()));
        (Reverse(rows.len()), shown(host), names)
    });
    let rows = groups
        .into_iter()
        .take(TOP)
        .map(|((host, source, medium, campaign), rows)| {
            vec![
                Cell::Text(shown(host)),
                Cell::text(source.clone()),
                Cell::text(medium.clone()),
                Cell::text(campaign.clone()),
                Cell::count(rows.len()),
                Cell::count(visitors(&rows)),
            ]
        });
    table(
        &[
            "referrer",
            "source",
            "medium",
            "campaign",
            "page_views",
            "visitor_days",
        ],
        rows,
    )
}

fn recent_events(rows: &[&EventRow]) -> Answer {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| (Reverse(&row.ts_server), row.event_key));
    let rows = rows.into_iter().take(TOP).map(|row| {
        vec![
            Cell::Time(row.ts_server.clone()),
            Cell::text(row.site_id.clone()),
            Cell::text(row.event_name.clone()),
            Cell::text(row.page_host.clone()),
            Cell::text(row.page_path.clone()),
            Cell::text(row.ref_host.clone()),
            Cell::text(row.country.clone()),
            row.http_status.map_or(Cell::Null, Cell::Integer),
            Cell::text(row.user_agent.clone()),
            row.parse_warnings.clone().map_or(Cell::Null, Cell::Texts),
            row.truncated_fields.clone().map_or(Cell::Null, Cell::Texts),
            Cell::Integer(row.event_key),
        ]
    });
    table(
        &[
            "ts_server",
            "site_id",
            "event_name",
            "page_host",
            "page_path",
            "ref_host",
            "country",
            "http_status",
            "user_agent",
            "parse_warnings",
            "truncated_fields",
            "event_key",
        ],
        rows,
    )
}

/// An answer whose columns' types are those of its cells.
pub(crate) fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> Answer {
    Answer {
        columns: columns
            .iter()
            .map(|name| ((*name).to_owned(), String::new()))
            .collect(),
        rows: rows.into_iter().collect(),
    }
}

pub(crate) fn group<'a, K: Ord>(
    rows: &[&'a EventRow],
    key: impl Fn(&'a EventRow) -> K,
) -> BTreeMap<K, Vec<&'a EventRow>> {
    let mut groups: BTreeMap<K, Vec<&EventRow>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}

fn visitors(rows: &[&EventRow]) -> usize {
    let visitors: BTreeSet<&String> = rows
        .iter()
        .filter_map(|row| row.visitor_day_id.as_ref())
        .collect();
    visitors.len()
}

/// Sorts as Athena does: nulls last.
pub(crate) fn nulls_last(value: Option<&str>) -> (bool, Option<String>) {
    (value.is_none(), value.map(str::to_owned))
}

pub(crate) fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

pub(crate) fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

pub(crate) fn round(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}
