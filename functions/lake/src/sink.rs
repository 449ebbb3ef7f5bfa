//! One table's rows on their way into files: each waits in the buffer of its partition.

use std::collections::BTreeMap;

use pixel_row::{Cell, Day, Timestamp};

use super::buffer::RowBuffer;
use super::table::{Partitioning, Table};

/// Where a row goes in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partition {
    day: Day,
    hour: Option<u8>,
}

/// A table and its rows that wait for their files.
#[derive(Debug)]
pub(super) struct Sink {
    table: &'static Table,
    /// The place of the column that tells the hour.
    hour_column: Option<usize>,
    waiting: BTreeMap<Partition, RowBuffer>,
    /// Rows that are in the lake by now.
    pub(super) landed: u64,
}

impl Partition {
    /// Its folder in the lake.
    pub(super) fn folder(self, table: &Table) -> String {
        let Partition { day, hour } = self;
        let hour = hour.map_or_else(String::new, |hour| format!("/hour={hour:02}"));
        format!("{}/dt={day}{hour}", table.folder)
    }
}

impl Sink {
    pub(super) fn new(table: &'static Table) -> Sink {
        let hour_column = match table.partitioning {
            Partitioning::HourOf(name) => table.columns.iter().position(|column| column.name == name),
            Partitioning::DayOfArrival => None,
        };
        Sink {
            table,
            hour_column,
            waiting: BTreeMap::new(),
            landed: 0,
        }
    }

    /// The partition of a row, or the column that should tell it and is null.
    pub(super) fn partition(
        &self,
        cells: &[Cell<'_>],
        arrival: Timestamp,
    ) -> Result<Partition, &'static str> {
        match self.table.partitioning {
            Partitioning::HourOf(column) => match self.hour_column.and_then(|at| cells.get(at)) {
                Some(Cell::Timestamp(time)) => Ok(Partition {
                    day: time.day(),
                    hour: Some(time.hour()),
                }),
                _ => Err(column),
            },
            Partitioning::DayOfArrival => Ok(Partition {
                day: arrival.day(),
                hour: None,
            }),
        }
    }

    /// Lets a row wait; says how many bytes of memory that took, about.
    pub(super) fn put(&mut self, partition: Partition, cells: &[Cell<'_>], arrival: Timestamp) -> usize {
        let mut before = 0;
        let buffer = self
            .waiting
            .entry(partition)
            .and_modify(|buffer| before = buffer.bytes)
            .or_insert_with(|| RowBuffer::new(self.table.columns, arrival));
        buffer.append(cells);
        buffer.bytes - before
    }

    /// Bytes of the partition of which most waits.
    pub(super) fn largest_bytes(&self) -> usize {
        self.waiting
            .values()
            .map(|buffer| buffer.bytes)
            .max()
            .unwrap_or_default()
    }

    /// What waits for that partition, and no longer does.
    pub(super) fn take_largest(&mut self) -> Option<(&'static Table, Partition, RowBuffer)> {
        let largest = self.waiting.iter().max_by_key(|(_, buffer)| buffer.bytes);
        let partition = *largest?.0;
        let buffer = self.waiting.remove(&partition)?;
        Some((self.table, partition, buffer))
    }

    /// What waits for the first partition, and no longer does.
    pub(super) fn take_first(&mut self) -> Option<(&'static Table, Partition, RowBuffer)> {
        let (partition, buffer) = self.waiting.pop_first()?;
        Some((self.table, partition, buffer))
    }
}
