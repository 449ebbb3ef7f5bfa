//! The function on this machine: the handler that runs in Lambda, with the lake behind its outlets.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use log_batch::ports::{Clock as _, DerivedSalt, Ports};
use log_batch::{BatchSettings, Verdict, handle_event};

use crate::error::CommandError;
use crate::lake_outlet::{Accepted, EventLake, FailedEventLake};
use crate::landing::Landing;
use crate::runtime::{SystemClock, SystemRandomness};
use crate::visitor_key;
use lake::Lake;

/// Calls whose records may wait between the function and the lake.
const WAITING_CALLS: usize = 2;
/// A lake on this machine has no deadline; an hour for one batch means that it hangs.
const PATIENCE: Duration = Duration::from_hours(1);

/// The function. It belongs to one thread, the [`Landing`] of what it hands over to another.
pub(crate) struct LocalPipeline {
    settings: BatchSettings,
    ports: Ports<EventLake, FailedEventLake, SystemClock, SystemRandomness, DerivedSalt>,
    accepted: SyncSender<Accepted>,
    runtime: tokio::runtime::Runtime,
}

impl LocalPipeline {
    /// The function with these settings, and where its records land in the lake.
    pub(crate) fn new(
        lake: &Lake,
        settings: BatchSettings,
        clock: SystemClock,
    ) -> Result<(LocalPipeline, Landing), CommandError> {
        let (accepted, receiver) = sync_channel(WAITING_CALLS);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let key = visitor_key::of_lake(lake.root()).map_err(CommandError::job)?;
        let pipeline = LocalPipeline {
            settings,
            ports: Ports {
                events: EventLake {
                    accepted: accepted.clone(),
                },
                failed_events: FailedEventLake {
                    accepted: accepted.clone(),
                },
                clock,
                randomness: SystemRandomness::new(),
                salt: DerivedSalt::new(Some(key)),
            },
            accepted,
            runtime: runtime.map_err(CommandError::job)?,
        };
        Ok((pipeline, Landing::new(lake, receiver, clock.now())?))
    }

    /// Handles an event of lines that came from this input, and hands what became of them over to the lake.
    pub(crate) fn handle(&self, event: &[u8], input: &str) -> Result<(), CommandError> {
        let handled = handle_event(event, &self.settings, &self.ports, PATIENCE);
        let outcome = self.runtime.block_on(handled).map_err(CommandError::job)?;
        if !outcome.conserved {
            return Err(CommandError::Job(
                "a line has no fate: a bug of pixlake; its batch is not counted".to_owned(),
            ));
        }
        let batch = Accepted::Batch(input.to_owned(), outcome.counts);
        if outcome.verdict != Verdict::Delivered || self.accepted.send(batch).is_err() {
            return Err(CommandError::Job("the lake did not take a batch".to_owned()));
        }
        Ok(())
    }
}
