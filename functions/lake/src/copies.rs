//! Which rows of a partition are copies of others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

use arrow::array::{Array as _, AsArray as _, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use parquet::errors::ParquetError;
use pixel_row::Timestamp;

use super::folder::LakeError;
use super::parquet_file;
use super::table::{Kept, Table};

/// When the pipeline took a row's line in.
const INGESTED: &str = "ts_ingested";

/// The rows of a partition's objects, one object after the other: each is kept, or a copy of one that is.
#[derive(Debug)]
pub(super) struct Copies {
    /// For each row, whether it is kept.
    pub(super) kept: Vec<bool>,
    /// Rows that are not.
    pub(super) count: u64,
    /// When the first of the rows was taken in; the latest of all times where no row says so.
    pub(super) first_ingested: Timestamp,
}

impl Copies {
    /// Reads the columns that tell, and nothing else. Of copies that were taken in at the same time, the first is kept.
    pub(super) fn find(table: &Table, objects: &[PathBuf]) -> Result<Copies, LakeError> {
        let columns: Vec<&str> = table.identity.iter().copied().chain([INGESTED]).collect();
        let never = match table.kept {
            Kept::First => i64::MAX,
            Kept::Last => i64::MIN,
        };
        let mut copies = Copies {
            kept: Vec::new(),
            count: 0,
            first_ingested: Timestamp::LATEST,
        };
        let mut seen: HashMap<Vec<i64>, (usize, i64)> = HashMap::new();
        for path in objects {
            for batch in parquet_file::read(path, table, &columns)? {
                let batch = batch.map_err(LakeError::parquet("read", path))?;
                let columns = numbers(&batch).map_err(LakeError::parquet("read", path))?;
                for row in 0..batch.num_rows() {
                    let mut values = columns
                        .iter()
                        .map(|column| column.is_valid(row).then(|| column.value(row)));
                    let ingested = values.next_back().flatten();
                    if let Some(time) = ingested.and_then(Timestamp::from_millis) {
                        copies.first_ingested = copies.first_ingested.min(time);
                    }
                    let mine = (copies.kept.len(), ingested.unwrap_or(never));
                    copies.kept.push(true);
                    // A row that does not say which event it is is a copy of none.
                    let Some(identity) = values.collect() else {
                        continue;
                    };
                    match seen.entry(identity) {
                        Entry::Vacant(entry) => {
                            entry.insert(mine);
                        }
                        Entry::Occupied(mut entry) => {
                            let other = *entry.get();
                            let replaces = match table.kept {
                                Kept::First => mine.1 < other.1,
                                Kept::Last => mine.1 > other.1,
                            };
                            copies.remove(if replaces { entry.insert(mine).0 } else { mine.0 });
                        }
                    }
                }
            }
        }
        Ok(copies)
    }

    fn remove(&mut self, row: usize) {
        if let Some(kept) = self.kept.get_mut(row) {
            *kept = false;
            self.count += 1;
        }
    }
}

/// The columns of a batch as numbers; all that tell what a row is are `bigint` or `timestamp`.
fn numbers(batch: &RecordBatch) -> Result<Vec<Int64Array>, ParquetError> {
    let columns = batch.columns().iter();
    let numbers = columns.map(|column| {
        Ok(cast(column, &DataType::Int64)?
            .as_primitive::<Int64Type>()
            .clone())
    });
    numbers.collect()
}
