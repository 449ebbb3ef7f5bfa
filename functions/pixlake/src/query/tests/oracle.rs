//! The reports over made-up events, against the same questions answered by plain loops.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// An event as it landed.
#[derive(Debug, Clone)]
struct Landed {
    key: i64,
    line_hash: i64,
    server: Timestamp,
    ingested: Timestamp,
    site: Option<&'static str>,
    name: &'static str,
    visitor: Option<String>,
    user_agent: Option<&'static str>,
    ref_host: Option<&'static str>,
    internal: Option<bool>,
    source: Option<&'static str>,
    warned: bool,
}

impl Landed {
    fn json(&self) -> String {
        let mut row = json!({
            "event_key": self.key, "line_hash": self.line_hash, "ts_server": self.server.to_string(),
            "ts_ingested": self.ingested.to_string(), "site_id": self.site, "event_name": self.name,
            "visitor_day_id": self.visitor, "user_agent": self.user_agent, "ref_host": self.ref_host,
            "ref_is_internal": self.internal, "utm_source": self.source, "utf8_ok": true,
        });
        if self.warned {
            row["parse_warnings"] = json!(["v"]);
        }
        row.to_string()
    }

    fn dt(&self) -> String {
        self.server.day().to_string()
    }

    fn hour(&self) -> String {
        format!("{:02}", self.server.hour())
    }

    fn is_request(&self) -> bool {
        self.name == "request"
    }
}

const DAYS: [&str; 4] = ["2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03"];

/// Events of four days with a burst, silent hours, names that come once and deliveries that come twice.
fn made_up(seed: u64) -> Vec<Landed> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut landed: Vec<Landed> = Vec::new();
    for key in 0..300_i64 {
        let day = midnight(DAYS[random.usize(0..4)]);
        let server = match random.u32(0..10) {
            0..=2 => midnight("2026-11-01").plus_millis(13 * 3_600_000 + random.i64(0..3_600_000)), // the burst
            // Never at 3 o'clock, and little at night.
            _ => day.plus_millis(
                [0, 1, 2, 4, 8, 9, 10, 11, 12, 13, 14, 23][random.usize(0..12)] * 3_600_000
                    + random.i64(0..3_600_000),
            ),
        };
        let site = if random.bool() {
            Some("shop.example")
        } else {
            [Some("blog.example"), None][random.usize(0..2)]
        };
        let event = Landed {
            key,
            line_hash: random.i64(..),
            server,
            ingested: server.plus_millis(random.i64(0..100_000)),
            site,
            name: match random.u32(0..60) {
                0 => "once",
                1..=5 => "request",
                6..=20 => "click",
                _ => "page_view",
            },
            visitor: random
                .bool()
                .then(|| format!("{}-{}", server.day(), random.u32(0..20))),
            user_agent: [
                None,
                Some("Mozilla/5.0 (A)"),
                Some("Mozilla/5.0 (B)"),
                Some("=bot"),
            ][random.usize(0..4)],
            ref_host: [None, Some("a.example"), Some("b.example")][random.usize(0..3)],
            internal: [None, Some(true), Some(false)][random.usize(0..3)],
            source: [None, Some("mail")][random.usize(0..2)],
            warned: random.u32(0..20) == 0,
        };
        if random.u32(0..8) == 0 {
            let again = Landed {
                ingested: event.ingested.plus_millis(random.i64(-1..2)),
                line_hash: random.i64(..),
                name: "click",
                site: Some("shop.example"),
                ..event.clone()
            };
            landed.push(again);
        }
        landed.push(event);
    }
    landed
}

fn naive_events(landed: &[Landed], from: &str, to: &str) -> Vec<Landed> {
    let mut events: BTreeMap<(Timestamp, i64), Landed> = BTreeMap::new();
    for row in landed
        .iter()
        .filter(|row| (from..=to).contains(&row.dt().as_str()))
    {
        let best = events.entry((row.server, row.key)).or_insert_with(|| row.clone());
        if (row.ingested, row.line_hash) > (best.ingested, best.line_hash) {
            *best = row.clone();
        }
    }
    events.into_values().collect()
}

fn group<'a, K: Ord>(
    events: impl IntoIterator<Item = &'a Landed>,
    key: impl Fn(&Landed) -> K,
) -> BTreeMap<K, Vec<&'a Landed>> {
    let mut groups: BTreeMap<K, Vec<&Landed>> = BTreeMap::new();
    for event in events {
        groups.entry(key(event)).or_default().push(event);
    }
    groups
}

fn visitors(events: &[&Landed]) -> usize {
    events
        .iter()
        .filter_map(|event| event.visitor.as_deref())
        .collect::<BTreeSet<_>>()
        .len()
}

/// Sorts as SQL does with nulls last.
fn last<T: Ord>(value: Option<T>) -> (bool, Option<T>) {
    (value.is_none(), value)
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn round(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

fn naive_report(name: &str, all: &[Landed], from: &str, to: &str) -> Vec<Value> {
    let events = || all.iter().filter(|event| !event.is_request());
    match name {
        "events_per_hour" => group(all, |event| (event.dt(), event.hour()))
            .into_iter()
            .map(|((dt, hour), rows)| {
                let events: Vec<&Landed> = rows.iter().copied().filter(|row| !row.is_request()).collect();
                json!({"dt": dt, "hour": hour, "events": events.len(), "visitors": visitors(&events), "requests": rows.len() - events.len()})
            })
            .collect(),
        "visitor_count" => {
            let mut rows: Vec<_> = group(events(), |event| (event.dt(), event.site)).into_iter().collect();
            rows.sort_by_key(|((dt, site), rows)| {
                (dt.clone(), std::cmp::Reverse((visitors(rows), rows.len())), last(*site))
            });
            rows.into_iter()
                .map(|((dt, site), rows)| {
                    let without = rows.iter().filter(|row| row.visitor.is_none()).count();
                    json!({"dt": dt, "site_id": site, "visitors": visitors(&rows), "events": rows.len(), "events_without_visitor": without})
                })
                .collect()
        }
        "user_agents" => {
            let total = events().count();
            let mut rows: Vec<_> = group(events(), |event| event.user_agent).into_iter().collect();
            rows.sort_by_key(|(agent, rows)| (std::cmp::Reverse(rows.len()), last(*agent)));
            rows.into_iter()
                .map(|(agent, rows)| {
                    let share = round(100.0 * float(rows.len()) / float(total), 2);
                    json!({"user_agent": agent, "events": rows.len(), "share_percent": share, "visitor_days": visitors(&rows)})
                })
                .collect()
        }
        "aggregate_event_count" => {
            let mut rows: Vec<_> = group(all, |event| (event.dt(), event.name)).into_iter().collect();
            rows.sort_by_key(|((dt, name), rows)| (dt.clone(), std::cmp::Reverse(rows.len()), *name));
            rows.into_iter()
                .map(|((dt, name), rows)| {
                    let sites: BTreeSet<&str> = rows.iter().filter_map(|row| row.site).collect();
                    json!({"dt": dt, "event_name": name, "events": rows.len(), "visitors": visitors(&rows), "sites": sites.len()})
                })
                .collect()
        }
        "referrers" => {
            let views = all.iter().filter(|event| event.name == "page_view" && event.internal != Some(true));
            let groups = group(views, |event| (event.ref_host.unwrap_or("(direct)"), event.source));
            let mut rows: Vec<_> = groups.into_iter().collect();
            rows.sort_by_key(|((host, source), rows)| (std::cmp::Reverse(rows.len()), *host, last(*source)));
            rows.into_iter()
                .map(|((host, source), rows)| {
                    json!({"referrer": host, "source": source, "medium": null, "campaign": null, "page_views": rows.len(), "visitor_days": visitors(&rows)})
                })
                .collect()
        }
        "recent_events" => {
            let mut rows: Vec<&Landed> = all.iter().collect();
            rows.sort_by_key(|event| (std::cmp::Reverse(event.server), event.key));
            rows.truncate(100);
            rows.into_iter()
                .map(|event| {
                    json!({
                        "ts_server": event.server.to_string(), "site_id": event.site, "event_name": event.name,
                        "page_host": null, "page_path": null, "ref_host": event.ref_host, "country": null,
                        "http_status": null, "user_agent": event.user_agent,
                        "parse_warnings": event.warned.then_some(["v"]), "truncated_fields": null, "event_key": event.key,
                    })
                })
                .collect()
        }
        "abnormal_events" => naive_abnormal_events(&events().cloned().collect::<Vec<_>>(), from, to),
        _ => panic!("no oracle for {name}"),
    }
}

/// Columns of `ORDER BY`, nulls last.
type SortKey = [(bool, Option<String>); 5];

fn naive_abnormal_events(events: &[Landed], from: &str, to: &str) -> Vec<Value> {
    let mut found: Vec<(Value, SortKey)> = Vec::new();
    let mut add = |what: &str,
                   site: &str,
                   dt: &str,
                   hour: Option<&str>,
                   name: Option<&str>,
                   observed: usize,
                   expected: Option<f64>| {
        let value = json!({"what": what, "site_id": site, "dt": dt, "hour": hour, "event_name": name, "observed": observed, "expected": expected});
        let key = [Some(dt), hour, Some(site), Some(what), name].map(|text| last(text.map(str::to_owned)));
        found.push((value, key));
    };
    for (site, rows) in group(events, |event| event.site.unwrap_or("(none)")) {
        for (dt, rows) in group(rows.iter().copied(), Landed::dt) {
            let warned = rows.iter().filter(|row| row.warned).count();
            if warned * 20 > rows.len() {
                add(
                    "rows with warnings",
                    site,
                    &dt,
                    None,
                    None,
                    warned,
                    Some(round(float(rows.len()) / 20.0, 1)),
                );
            }
        }
        let hours = group(rows.iter().copied(), |event| (event.dt(), event.hour()));
        if hours.len() < 12 {
            continue;
        }
        let counts: Vec<f64> = hours.values().map(|rows| float(rows.len())).collect();
        let mean = counts.iter().sum::<f64>() / float(counts.len());
        let deviation =
            (counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / float(counts.len())).sqrt();
        for ((dt, hour), rows) in &hours {
            let count = float(rows.len());
            if (count - mean).abs() > 3.0 * deviation {
                let what = if count > mean { "many events" } else { "few events" };
                add(what, site, dt, Some(hour), None, rows.len(), Some(round(mean, 1)));
            }
        }
        let (first, last) = (hours.keys().next().unwrap(), hours.keys().last().unwrap());
        for dt in DAYS.iter().filter(|dt| (from..=to).contains(*dt)) {
            for hour in 0..24 {
                let hour = ((*dt).to_owned(), format!("{hour:02}"));
                if (first..=last).contains(&&hour) && !hours.contains_key(&hour) {
                    add(
                        "silent hour",
                        site,
                        &hour.0,
                        Some(&hour.1),
                        None,
                        0,
                        Some(round(mean, 1)),
                    );
                }
            }
        }
        for (name, rows) in group(rows.iter().copied(), |event| event.name) {
            let hours: BTreeSet<_> = rows.iter().map(|event| (event.dt(), event.hour())).collect();
            if hours.len() == 1 {
                let (dt, hour) = hours.first().unwrap();
                add(
                    "name in one hour only",
                    site,
                    dt,
                    Some(hour),
                    Some(name),
                    rows.len(),
                    None,
                );
            }
        }
    }
    found.sort_by(|(_, a), (_, b)| a.cmp(b));
    found.into_iter().map(|(value, _)| value).collect()
}

#[tokio::test]
async fn every_report_agrees_with_plain_loops() {
    let mut kinds = BTreeSet::new();
    for seed in 0..3 {
        let landed = made_up(seed);
        let folder = tempfile::tempdir().unwrap();
        let mut writer = LakeWriter::new(&Lake::open(folder.path()).unwrap()).unwrap();
        for (index, row) in landed.iter().enumerate() {
            writer
                .put(&EVENTS, row.json().as_bytes(), midnight("2026-11-04"))
                .unwrap();
            if index == 200 {
                writer.flush().unwrap();
            }
        }
        writer.flush().unwrap();
        assert_eq!(writer.rows(&EVENTS), landed.len() as u64);
        let (from, to) = [("2026-10-31", "2026-11-03"), ("2026-11-01", "2026-11-02")][usize::from(seed == 2)];
        let engine = Engine::open(folder.path()).await.unwrap();
        let events = naive_events(&landed, from, to);
        for report in REPORTS {
            let sql = report.render(parse_day(from).unwrap(), parse_day(to).unwrap());
            let mut found = Vec::new();
            engine.print(&sql, Format::Json, &mut found).await.unwrap();
            let found: Vec<Value> = serde_json::from_slice(&found).unwrap();
            assert_eq!(
                found,
                naive_report(report.name, &events, from, to),
                "{} of seed {seed}",
                report.name
            );
            assert!(!found.is_empty(), "{} of seed {seed} proves nothing", report.name);
            if report.name == "abnormal_events" {
                kinds.extend(found.iter().map(|row| row["what"].as_str().unwrap().to_owned()));
            }
        }
    }
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        [
            "many events",
            "name in one hour only",
            "rows with warnings",
            "silent hour"
        ]
    );
}
