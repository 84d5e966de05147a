//! Values that stay on the thread on which they were made: the only worker thread of the runtime. Tasks on it use them
//! directly. The contract begins and ends a run on another thread; a use there is executed as a task of the worker.

use std::sync::Arc;

use contract::{Failure, Result};
use send_wrapper::SendWrapper;
use tokio::runtime::Handle;

/// Runs a future that is not `Send` as a task. The runtime has one worker, so that the task stays on one thread.
pub(crate) async fn run<Work, Output>(
    work: impl FnOnce() -> Work + Send + 'static,
) -> Result<Output>
where
    Work: Future<Output = Result<Output>> + 'static,
    Output: Send + 'static,
{
    tokio::spawn(async { SendWrapper::new(work()).await }).await?
}

/// Spawns a future that is not `Send`, from a task.
pub(crate) fn start(work: impl Future<Output = ()> + 'static) {
    tokio::spawn(SendWrapper::new(work));
}

/// A value that stays on the worker. Clones share it, on any thread.
pub(crate) struct Pinned<Value: 'static> {
    held: Arc<Held<Value>>,
}

impl<Value: 'static> Pinned<Value> {
    /// Pins a value to this thread, which must be the worker.
    pub(crate) fn new(value: Value) -> Self {
        let value = Some(SendWrapper::new(value));
        Self { held: Arc::new(Held { value, runtime: Handle::current() }) }
    }

    /// Uses the value on its thread: here, if that is this one.
    pub(crate) async fn with<Work, Output>(
        &self,
        work: impl FnOnce(&Value) -> Work + Send + 'static,
    ) -> Result<Output>
    where
        Work: Future<Output = Result<Output>> + 'static,
        Output: Send + 'static,
    {
        if self.held.value().valid() {
            return SendWrapper::new(work(self.held.value())).await;
        }
        let held = self.held.clone();
        run(move || work(held.value())).await
    }
}

impl<Value> Clone for Pinned<Value> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone() }
    }
}

struct Held<Value: 'static> {
    /// None once dropped.
    value: Option<SendWrapper<Value>>,
    runtime: Handle,
}

impl<Value> Held<Value> {
    fn value(&self) -> &SendWrapper<Value> {
        self.value.as_ref().expect("it is taken only when this is dropped")
    }
}

impl<Value> Drop for Held<Value> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take().filter(|value| !value.valid()) {
            self.runtime.spawn(async move { drop(value) });
        }
    }
}

/// Converts an error of capnp into a failure of the run.
pub(crate) fn failure(error: capnp::Error) -> Failure {
    error.to_string().into()
}
