//! The figures of a run, for the assertions and for people.

use std::fmt;

use serde_json::Value;

/// What the function wrote of its invocations, summed up.
#[derive(Debug, Default)]
pub struct Figures {
    /// Invocations that were answered.
    pub invocations: u64,
    /// Of these, those that asked for a part of their batch again.
    pub unfinished: u64,
    /// Lines read, those of a redelivery included.
    pub lines: u64,
    /// Records of rows that were packed.
    pub blobs: u64,
    /// Calls for rows and for failed events.
    pub calls: u64,
    /// Entries that were refused because of a rate.
    pub throttled: u64,
    /// Entries that failed otherwise.
    pub failed: u64,
    /// Calls without an outcome.
    pub unknown: u64,
    /// Invocations of which a call stored some of its entries and was refused others.
    pub partial: u64,
    /// Rows and failed events that landed more often than they stand in the log.
    pub twice: u64,
}

impl Figures {
    /// Of these lines of the log. Each has to say that its lines and their fates add up.
    pub fn of(ledger: &[Value]) -> Figures {
        let mut figures = Figures::default();
        for line in ledger {
            assert_eq!(
                (&line["message"], &line["conserved"]),
                (&"batch".into(), &true.into()),
                "{line}"
            );
            let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{line}"));
            let is_delivered = line["verdict"] == "delivered";
            figures.invocations += 1;
            figures.unfinished += u64::from(!is_delivered);
            figures.lines += number(&line["lines"]);
            figures.blobs += number(&line["blobs"]);
            for puts in [&line["event_puts"], &line["failed_event_puts"]] {
                figures.calls += number(&puts["calls"]);
                figures.throttled += number(&puts["throttled"]);
                figures.failed += number(&puts["failed_entries"]);
                figures.unknown += number(&puts["unknown_calls"]);
            }
            // With one call's worth of blobs: had each call that was refused been refused as a whole, it would
            // have added all of them to the entries throttled.
            let blobs = number(&line["blobs"]);
            let puts = &line["event_puts"];
            let refused_calls = number(&puts["calls"]) - u64::from(is_delivered);
            let throttled = number(&puts["throttled"]);
            let is_plain = blobs <= 500 && puts["failed_entries"] == 0;
            figures.partial += u64::from(is_plain && 0 < throttled && throttled < refused_calls * blobs);
        }
        figures
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures {
            invocations,
            unfinished,
            lines,
            blobs,
            calls,
            throttled,
            failed,
            unknown,
            partial,
            twice,
        } = self;
        write!(
            f,
            "{lines} lines in {invocations} invocations, {unfinished} of them unfinished; {blobs} blobs in \
             {calls} calls; {throttled} entries throttled, {failed} failed, all sent again; {partial} \
             with calls stored in part, {unknown} calls without an outcome; {twice} rows and failed events twice"
        )
    }
}
