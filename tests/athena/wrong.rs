//! Catalogs with a mistake in them: each has to show in what Trino answers.

use serde_json::{Value, json};

use crate::EVENT;
use crate::deployment::Deployment;
use crate::lake::LAKE;
use crate::landed::{EventRow, all_columns, each_once};

/// A mistake that somebody could make in the catalog's template.
struct Mistake {
    /// The name of its database.
    name: &'static str,
    make: fn(&mut Deployment),
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "types_swapped",
        make: |catalog| {
            let columns = &mut catalog.table("events_landed")["StorageDescriptor"]["Columns"];
            swap(columns, "batch_index", "event_name", "Type");
        },
    },
    Mistake {
        name: "column_misspelt",
        make: |catalog| {
            let columns = &mut catalog.table("events_landed")["StorageDescriptor"]["Columns"];
            *member(columns, "country", "Name") = json!("contry");
        },
    },
    Mistake {
        name: "view_columns_swapped",
        make: |catalog| {
            catalog.edit_view("events", |view| {
                swap(&mut view["columns"], "page_host", "ref_host", "name");
            });
        },
    },
    Mistake {
        name: "every_delivery",
        make: |catalog| {
            catalog.edit_view("events", |view| {
                let sql = view["originalSql"]
                    .as_str()
                    .unwrap()
                    .replace("WHERE delivery_rank = 1", "");
                view["originalSql"] = json!(sql);
            });
        },
    },
    Mistake {
        name: "first_delivery",
        make: |catalog| {
            catalog.edit_view("events", |view| {
                let sql = view["originalSql"].as_str().unwrap();
                view["originalSql"] = json!(
                    sql.replace("line_hash DESC", "line_hash ASC")
                        .replace("ts_ingested DESC", "ts_ingested ASC")
                );
            });
        },
    },
    Mistake {
        name: "hours_of_one_digit",
        make: |catalog| {
            let parameters = catalog.table("events_landed")["Parameters"]
                .as_object_mut()
                .unwrap();
            parameters.remove("projection.hour.digits").unwrap();
        },
    },
    Mistake {
        name: "another_prefix",
        make: |catalog| {
            let template = &mut catalog.table("events_landed")["Parameters"]["storage.location.template"];
            *template = json!(template.as_str().unwrap().replace("/hour=", "/h="));
        },
    },
    Mistake {
        name: "first_day_too_late",
        make: |catalog| {
            catalog.table("events_landed")["Parameters"]["projection.dt.range"] = json!("NOW,NOW+1DAYS");
        },
    },
];

fn member<'a>(columns: &'a mut Value, name: &str, key: &str) -> &'a mut Value {
    let columns = columns.as_array_mut().unwrap();
    let named = |column: &&mut Value| column["Name"] == name || column["name"] == name;
    &mut columns.iter_mut().find(named).unwrap()[key]
}

fn swap(columns: &mut Value, one: &str, other: &str, key: &str) {
    let (of_one, of_other) = (
        member(columns, one, key).clone(),
        member(columns, other, key).clone(),
    );
    assert_ne!(of_one, of_other);
    // By another name in between, for names are what members are found by.
    *member(columns, one, key) = json!("in between");
    *member(columns, other, key) = of_one;
    match key {
        "name" | "Name" => *member(columns, "in between", key) = of_other,
        _ => *member(columns, one, key) = of_other,
    }
}

/// An early hour of a day before the last in which an event came twice with a difference.
fn telling_hour() -> (String, String) {
    let last = LAKE.events.iter().map(EventRow::dt).max().unwrap();
    let kept = each_once(&LAKE.events);
    let kept: std::collections::HashMap<(&str, i64), &&EventRow> = kept
        .iter()
        .map(|event| ((event.ts_server.as_str(), event.event_key), event))
        .collect();
    let twice = LAKE.events.iter().find(|row| {
        let kept = kept[&(row.ts_server.as_str(), row.event_key)];
        row.hour() < "10" && row.dt() < last && row.ts_ingested < kept.ts_ingested
    });
    let twice = twice.expect("an event of the small hours that was delivered at two times");
    (twice.dt().to_owned(), twice.hour().to_owned())
}

#[test]
fn a_mistake_in_the_catalog_shows() {
    let (day, hour) = telling_hour();
    let sql = format!("SELECT * FROM events WHERE dt = '{day}' AND hour = '{hour}'");
    let events = each_once(&LAKE.events).into_iter();
    let expected =
        all_columns(events.filter(|event| event.dt() == day && event.hour() == hour)).sorted_by(EVENT);
    let differs = |database: &str| -> Option<String> {
        let found = LAKE
            .trino
            .query(database, &sql)
            .map(|found| found.sorted_by(EVENT));
        found.map_or_else(Some, |found| expected.difference(&found))
    };
    assert_eq!(differs(&LAKE.deployment.database), None, "without a mistake");

    let wrong = MISTAKES.iter().map(|mistake| {
        let first_day = LAKE.events.iter().map(EventRow::dt).min().unwrap();
        let mut catalog = Deployment::new(mistake.name, &[("FirstDay", first_day)]);
        (mistake.make)(&mut catalog);
        catalog
    });
    let wrong: Vec<Deployment> = wrong.collect();
    Deployment::create(&wrong.iter().collect::<Vec<_>>(), None);
    for catalog in wrong {
        let difference = differs(&catalog.database);
        println!("{}: {difference:?}", catalog.database);
        assert!(difference.is_some(), "{} does not show", catalog.database);
    }
}
