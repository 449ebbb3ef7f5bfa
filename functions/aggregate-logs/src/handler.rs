//! Between Lambda's words and ours: an event and a deadline in, batch item failures out.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use aws_lambda_events::streams::KinesisEventResponse;
use lambda_runtime::{Context, Diagnostic};
use log_batch::ports::{Clock as _, DerivedSalt, Outlet, Ports};
use log_batch::{BatchOutcome, BatchSettings, EnvelopeError, Verdict, handle_event};

use crate::clock::SystemClock;
use crate::ledger::{self, Invocation};
use crate::randomness::FastRandomness;

/// The handler of invocations. Nothing is carried from one to the next.
pub struct Handler<E, F> {
    /// The setting that chose the outlet of rows, for the log.
    delivery: &'static str,
    settings: BatchSettings,
    ports: Ports<E, F, SystemClock, FastRandomness, DerivedSalt>,
    is_warm: AtomicBool,
}

impl<E: Outlet, F: Outlet> Handler<E, F> {
    /// A handler that has served nothing yet.
    pub fn new(
        delivery: &'static str,
        settings: BatchSettings,
        ports: Ports<E, F, SystemClock, FastRandomness, DerivedSalt>,
    ) -> Handler<E, F> {
        Handler {
            delivery,
            settings,
            ports,
            is_warm: AtomicBool::new(false),
        }
    }

    /// Serves one invocation and writes its line to the log.
    ///
    /// The answer is a partial batch response: no item failure when the batch is done, else the one item
    /// from which Lambda has to begin again.
    ///
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html>
    pub async fn handle(
        &self,
        event: &[u8],
        context: &Context,
    ) -> Result<KinesisEventResponse, InvocationError> {
        let clock = &self.ports.clock;
        let (started, time) = (clock.monotonic(), self.time_until(context.deadline));
        let cold_start = !self.is_warm.swap(true, Ordering::Relaxed);
        let handled = unless_it_panics(handle_event(event, &self.settings, &self.ports, time)).await;
        let taken = clock.monotonic().saturating_sub(started);
        let invocation = Invocation {
            request_id: &context.request_id,
            delivery: self.delivery,
            event_bytes: event.len(),
            cold_start,
            taken,
            left: time.saturating_sub(taken),
        };
        let outcome = match handled {
            Some(Ok(outcome)) => Ok(outcome),
            Some(Err(error)) => Err(InvocationError::Event(error)),
            None => Err(InvocationError::Panic),
        };
        match &outcome {
            Ok(outcome) => ledger::write_outcome(&invocation, outcome),
            Err(error) => ledger::write_failure(&invocation, error),
        }
        respond(outcome?)
    }

    /// Time from now to a moment in milliseconds since 1970.
    fn time_until(&self, deadline: u64) -> Duration {
        let now = u64::try_from(self.ports.clock.now().as_millis()).unwrap_or_default();
        Duration::from_millis(deadline.saturating_sub(now))
    }
}

/// The verdict in Lambda's words.
///
/// A batch that has to come again as a whole is answered by an error. An item failure with a null
/// identifier would say the same to a mapping that reports item failures; the error says it to every
/// mapping, and shows in the metric `Errors`. Both count as a complete failure.
fn respond(outcome: BatchOutcome) -> Result<KinesisEventResponse, InvocationError> {
    let mut response = KinesisEventResponse::default();
    match outcome.verdict {
        Verdict::Delivered => {}
        Verdict::RetryFrom { sequence_number, .. } => response.add_failure(sequence_number),
        Verdict::RetryAll if outcome.conserved => return Err(InvocationError::NoSequenceNumber),
        Verdict::RetryAll => return Err(InvocationError::Unbalanced),
    }
    Ok(response)
}

/// The future's answer, or none if it panics. The runtime would catch the panic too, but send its message,
/// which may hold input, along with the error.
async fn unless_it_panics<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let poll = poll_fn(|context| {
        // A future that panicked is never polled again; nothing else is shared with it.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    });
    let answer: Result<T, Box<dyn Any + Send>> = poll.await;
    answer.ok()
}

/// Why an invocation has no partial batch response: the batch comes again as a whole.
///
/// The error type that Lambda sees ([`InvocationError::error_type`]) is an interface: alarms select by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvocationError {
    /// The event is not a batch of a stream.
    Event(EnvelopeError),
    /// Something is not stored, and no record up to there has a sequence number to begin again with.
    NoSequenceNumber,
    /// The lines that came in and their fates do not add up: a bug of ours.
    Unbalanced,
    /// The code panicked outside of a single record.
    Panic,
}

impl InvocationError {
    /// The name of the error for Lambda and for alarms.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            InvocationError::Event(_) => "UnreadableEvent",
            InvocationError::NoSequenceNumber => "NoSequenceNumber",
            InvocationError::Unbalanced => "Unbalanced",
            InvocationError::Panic => "Panic",
        }
    }
}

impl fmt::Display for InvocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvocationError::Event(error) => error.fmt(f),
            InvocationError::NoSequenceNumber => f.write_str(
                "the first record that is not stored has no sequence number, nor has one before it",
            ),
            InvocationError::Unbalanced => {
                f.write_str("the lines of the batch and their fates do not add up")
            }
            InvocationError::Panic => f.write_str("the handler panicked; the log says where"),
        }
    }
}

impl std::error::Error for InvocationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            InvocationError::Event(error) => Some(error),
            _ => None,
        }
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Diagnostic {
        Diagnostic {
            error_type: error.error_type().to_owned(),
            error_message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use log_batch::ports::{EntryOutcome, PutEntry, PutError};
    use log_batch::{BatchCounts, Origin, PutCounts, Service};

    use super::*;

    /// Panics as a bug would, with input in its message.
    struct PanickingOutlet;

    impl Outlet for PanickingOutlet {
        const SERVICE: Service = Service::FIREHOSE;

        async fn put(&self, entries: &[PutEntry<'_>]) -> Result<Vec<EntryOutcome>, PutError> {
            let input = entries.first().map(|entry| String::from_utf8_lossy(entry.data));
            panic!("canary {input:?}");
        }
    }

    fn outcome(verdict: Verdict, conserved: bool) -> BatchOutcome {
        BatchOutcome {
            verdict,
            origin: Origin::default(),
            counts: BatchCounts::default(),
            event_puts: PutCounts::default(),
            failed_event_puts: PutCounts::default(),
            conserved,
        }
    }

    fn context() -> Context {
        let mut context = Context::default();
        context.deadline = u64::MAX;
        context
    }

    fn handler() -> Handler<PanickingOutlet, PanickingOutlet> {
        let ports = Ports {
            events: PanickingOutlet,
            failed_events: PanickingOutlet,
            clock: SystemClock::new(),
            randomness: FastRandomness,
            salt: DerivedSalt::new(None),
        };
        Handler::new("DirectPut", BatchSettings::default(), ports)
    }

    #[test]
    fn a_verdict_becomes_the_answer_that_lambda_documents() {
        let sequence_number = "49".to_owned();
        let position = 3;
        let json = |response| serde_json::to_string(&response).unwrap();
        let delivered = respond(outcome(Verdict::Delivered, true)).unwrap();
        assert_eq!(json(delivered), r#"{"batchItemFailures":[]}"#);
        let retry = Verdict::RetryFrom {
            sequence_number,
            position,
        };
        let retry = respond(outcome(retry, true)).unwrap();
        assert_eq!(json(retry), r#"{"batchItemFailures":[{"itemIdentifier":"49"}]}"#);
        let all = |conserved| respond(outcome(Verdict::RetryAll, conserved)).unwrap_err();
        assert_eq!(all(true), InvocationError::NoSequenceNumber);
        assert_eq!(all(false), InvocationError::Unbalanced);
    }

    #[tokio::test]
    async fn a_panic_becomes_an_error_without_its_message() {
        let event = br#"{"Records":[{"kinesis":{"data":"Y2FuYXJ5","sequenceNumber":"1"}}]}"#;
        let error = handler().handle(event, &context()).await.unwrap_err();
        assert_eq!(error, InvocationError::Panic);
        let diagnostic = Diagnostic::from(error);
        assert_eq!(diagnostic.error_type, "Panic");
        assert_eq!(
            diagnostic.error_message,
            "the handler panicked; the log says where"
        );
    }

    #[tokio::test]
    async fn an_event_that_is_no_batch_has_an_error_type_of_its_own() {
        for event in [&b""[..], b"null", b"{}", br#"{"Records":[}"#] {
            let error = handler().handle(event, &context()).await.unwrap_err();
            assert_eq!(Diagnostic::from(error).error_type, "UnreadableEvent");
        }
        let empty = handler().handle(br#"{"Records":[]}"#, &context()).await.unwrap();
        assert!(empty.batch_item_failures.is_empty());
    }
}
