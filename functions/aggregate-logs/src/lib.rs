//! The Lambda function `aggregate-logs`: real-time log lines in, blobs of rows out.
//!
//! The work itself is `log-batch`'s. This crate is its shell: [`settings`] from the environment, adapters
//! for the ports ([`EventStream`], [`FirehoseStream`], [`SystemClock`], [`FastRandomness`]), the secret under
//! which visitors are counted ([`VisitorKey`]), the [`handler`] between Lambda's words and ours, and the one
//! log line of an invocation ([`ledger`]).
//!
//! Nothing of the input reaches the log: not through the ledger, not through an error, not through a panic.

pub mod clients;
mod clock;
mod event_bytes;
mod event_stream;
mod firehose_stream;
pub mod handler;
pub mod ledger;
pub mod panic_hook;
mod put_error;
mod randomness;
mod refusal;
pub mod settings;
mod settings_error;
mod visitor_key;

use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use log_batch::ports::{DerivedSalt, Outlet, Ports};

pub use clock::SystemClock;
pub use event_bytes::EventBytes;
pub use event_stream::EventStream;
pub use firehose_stream::FirehoseStream;
pub use handler::{Handler, InvocationError};
pub use randomness::FastRandomness;
pub use refusal::Refusal;
pub use settings::{EventDelivery, Settings};
pub use settings_error::SettingsError;
pub use visitor_key::{VisitorKey, VisitorKeyError};

/// Serves invocations until the process ends. What can be wrong at start is found before the first of them is
/// asked for.
pub async fn run() -> Result<(), Refusal> {
    let settings = Settings::from_env()?;
    let config = clients::sdk_config().await;
    let visitor_key = match &settings.visitor_key_secret {
        Some(secret) => Some(VisitorKey::read(&config, secret).await?),
        None => None,
    };
    let firehose = aws_sdk_firehose::Client::new(&config);
    match settings.delivery.clone() {
        EventDelivery::Kpl { event_stream } => {
            let kinesis = aws_sdk_kinesis::Client::new(&config);
            let events = EventStream::new(kinesis, event_stream);
            serve(settings, visitor_key, events, firehose).await?;
        }
        EventDelivery::DirectPut { event_firehose } => {
            let events = FirehoseStream::new(firehose.clone(), event_firehose);
            serve(settings, visitor_key, events, firehose).await?;
        }
    }
    Ok(())
}

async fn serve(
    settings: Settings,
    visitor_key: Option<VisitorKey>,
    events: impl Outlet,
    firehose: aws_sdk_firehose::Client,
) -> Result<(), lambda_runtime::Error> {
    let ports = Ports {
        events,
        failed_events: FirehoseStream::new(firehose, settings.failed_events_firehose),
        clock: SystemClock::new(),
        randomness: FastRandomness,
        salt: DerivedSalt::new(visitor_key.map(VisitorKey::into_bytes)),
    };
    let handler = Handler::new(settings.delivery.name(), settings.batch, ports);
    let event_bytes = EventBytes::default();
    let service = service_fn(|event: LambdaEvent<()>| {
        let (handler, bytes) = (&handler, event_bytes.take());
        async move { handler.handle(&bytes, &event.context).await }
    });
    Runtime::new(service).layer(event_bytes.clone()).run().await
}
