//! Which folder a row goes into.

use pixel_row::{Day, Timestamp};

use super::table::{EVENTS, FAILED_EVENTS, Table};
use pixel_row::Cell;

/// The table that a record is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Destination {
    Events,
    FailedEvents,
}

impl Destination {
    pub(super) fn table(self) -> &'static Table {
        match self {
            Destination::Events => &EVENTS,
            Destination::FailedEvents => &FAILED_EVENTS,
        }
    }

    /// The partition of a row; none where the column that tells it is null.
    pub(super) fn partition(self, cells: &[Cell<'_>], arrival: Timestamp) -> Option<Partition> {
        match self {
            Destination::Events => {
                let time = EVENTS
                    .columns
                    .iter()
                    .zip(cells)
                    .find_map(|(column, cell)| match cell {
                        Cell::Timestamp(time) if column.name == "ts_server" => Some(*time),
                        _ => None,
                    })?;
                Some(Partition::Events {
                    day: time.day(),
                    hour: time.hour(),
                })
            }
            Destination::FailedEvents => Some(Partition::FailedEvents { day: arrival.day() }),
        }
    }
}

/// Where a row goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Partition {
    Events { day: Day, hour: u8 },
    FailedEvents { day: Day },
}

impl Partition {
    pub(super) fn folder(self) -> String {
        match self {
            Partition::Events { day, hour } => format!("{}/dt={day}/hour={hour:02}", EVENTS.folder),
            Partition::FailedEvents { day } => format!("{}/dt={day}", FAILED_EVENTS.folder),
        }
    }
}
