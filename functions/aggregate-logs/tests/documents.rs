//! The table of settings is the code's.
//!
//! `UPDATE_DOCS=1 cargo test -p aggregate-logs --test documents` writes it anew.

use std::fs;

use aggregate_logs::settings::SETTINGS;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
const BEGIN: &str = "<!-- begin: settings -->\n";
const END: &str = "<!-- end: settings -->";

#[test]
fn the_settings_are_those_of_the_code() {
    let rows = SETTINGS.iter().map(|setting| {
        let default = setting
            .default
            .map_or_else(String::new, |default| format!("`{default}`"));
        format!("| `{}` | {default} | {} |\n", setting.name, setting.doc)
    });
    let table = format!(
        "| variable | default | what |\n| --- | --- | --- |\n{}",
        rows.collect::<String>()
    );
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update && found != table {
        fs::write(PAGE, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert!(
            found == table,
            "docs/settings.md is out of date: UPDATE_DOCS=1 writes them anew"
        );
    }
}
