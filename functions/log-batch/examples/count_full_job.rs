//! The full job a number of times over, for whoever counts instructions: `count_full_job uniform 3`. Prints the
//! allocations of one time, per line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that fails says so and stops"
)]

#[allow(dead_code, unused_imports, reason = "the bench uses all of it")]
#[path = "../benches/support/mod.rs"]
mod support;

use std::hint::black_box;

use support::{Blobs, RECORDS, given, job};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect("uniform or mixed");
    let times = arguments.next().and_then(|times| times.parse().ok());
    let times: usize = times.expect("how many times");
    let event = given()
        .iter()
        .find(|given| given.name == name)
        .expect("uniform or mixed")
        .event();
    let mut allocations = 0;
    for _ in 0..times {
        let counted =
            allocation_counter::measure(|| drop(black_box(job(black_box(&event), Blobs::default()))));
        allocations = counted.count_total;
    }
    println!("{allocations} allocations of {RECORDS} lines");
}
