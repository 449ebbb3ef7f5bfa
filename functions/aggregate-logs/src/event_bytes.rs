//! The event's bytes, led past the runtime's JSON reader.
//!
//! `lambda_runtime` reads every event into a type before it calls the handler. Even into a raw JSON value
//! that is one more scan of all bytes and one copy of them, an eighth of what the batch itself costs
//! (`benches/event_bytes.rs` measures both), for an event that `log-batch` reads anyway. So a layer takes the
//! bytes out of the invocation and leaves the JSON `null` in their place; the handler fetches them.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use lambda_runtime::LambdaInvocation;
use lambda_runtime::tower::{Layer, Service};

/// Holds the bytes of the invocation that is being served: one at a time, as `Runtime::run` serves them.
///
/// Were they ever missing, the handler would see an empty event and refuse it: the batch comes again.
#[derive(Clone, Default)]
pub struct EventBytes {
    held: Arc<Mutex<Bytes>>,
}

impl EventBytes {
    /// Hands over the bytes, once.
    #[must_use]
    pub fn take(&self) -> Bytes {
        self.replace(Bytes::new())
    }

    fn replace(&self, bytes: Bytes) -> Bytes {
        mem::replace(
            &mut *self.held.lock().unwrap_or_else(PoisonError::into_inner),
            bytes,
        )
    }
}

impl<S> Layer<S> for EventBytes {
    type Service = EventBytesService<S>;

    fn layer(&self, inner: S) -> EventBytesService<S> {
        EventBytesService {
            inner,
            event_bytes: self.clone(),
        }
    }
}

/// The service that [`EventBytes`] puts around the runtime's own.
pub struct EventBytesService<S> {
    inner: S,
    event_bytes: EventBytes,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for EventBytesService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> S::Future {
        let bytes = mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        self.event_bytes.replace(bytes);
        self.inner.call(invocation)
    }
}
