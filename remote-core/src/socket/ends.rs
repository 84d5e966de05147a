//! The events that close a socket from outside: the end of its controlling object, of the references to it, or of its node.
//!
//! It must not know what the socket does, nor close it: it requests that.

use super::control::Control;
use super::quota::Permit;
use crate::error::Error;
use crate::object::message::Ended;
use crate::reference::interface::Interface;
use crate::reference::monitor::Monitor;
use crate::reference::reference::Ref;

/// Waits for these events, and requests a close for each. Returns when all have occurred. `own` is a monitor of the socket.
pub(super) async fn close_at_end<'a, C: ?Sized + Interface>(
    control: &'a Control<C>,
    own: Monitor,
    permit: &'a mut Permit,
) {
    let released = async move {
        let reason = match own.await {
            Ended::Stopped(reason) => reason,
            ended => ended.to_string(),
        };
        control.close(Some(Error::Ended(reason)));
    };
    let shut_down = async move { control.close(Some(permit.closing().await)) };
    tokio::join!(released, shut_down, uncontrolled(control));
}

/// Requests a close when the controlling object has ended.
async fn uncontrolled<C: ?Sized + Interface>(control: &Control<C>) {
    let mut state = control.subscribe();
    loop {
        let controller = state.borrow_and_update().controller.clone();
        let Some(controller) = controller else {
            if state.changed().await.is_err() {
                return;
            }
            continue;
        };
        let replaced = state.wait_for(|state| state.controller.as_ref() != Some(&controller));
        let ended = tokio::select! {
            biased;
            ended = Ref::monitor(&controller) => Some(ended),
            _ = replaced => None,
        };
        if let Some(ended) = ended {
            let how = match ended {
                Ended::Stopped(reason) => format!("was stopped: {reason}"),
                ended => format!("is gone: {ended}"),
            };
            return control.close(Some(Error::Ended(format!("its controlling object {how}"))));
        }
    }
}
