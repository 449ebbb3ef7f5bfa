//! The price file: each price with what it is for, its source and its date.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value};

use super::repository;

/// `docs/prices.json`, and which of its prices were asked for.
pub(crate) struct Prices {
    file: Value,
    used: RefCell<BTreeSet<String>>,
}

impl Prices {
    /// The file as it stands.
    pub(crate) fn read() -> Prices {
        let text = fs::read_to_string(repository().join("docs/prices.json")).unwrap();
        Prices {
            file: serde_json::from_str(&text).unwrap(),
            used: RefCell::default(),
        }
    }

    /// A price in USD, per whatever its entry says.
    pub(crate) fn usd(&self, name: &str) -> f64 {
        self.used.borrow_mut().insert(name.to_owned());
        let price = &self.file["prices"][name]["usd"];
        price.as_f64().unwrap_or_else(|| panic!("no price {name}"))
    }

    /// What an account has free each month, in the unit of its entry.
    pub(crate) fn free(&self, name: &str) -> f64 {
        self.file["free"][name]["amount"].as_f64().unwrap()
    }

    /// When and where the prices hold.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.file[name].as_str().unwrap()
    }

    /// The entries of a part of the file, in the order of their names.
    pub(crate) fn part(&self, name: &str) -> &Map<String, Value> {
        self.file[name].as_object().unwrap()
    }

    /// The prices that nobody asked for.
    pub(crate) fn unused(&self) -> Vec<&String> {
        let used = self.used.borrow();
        self.part("prices")
            .keys()
            .filter(|name| !used.contains(*name))
            .collect()
    }
}
