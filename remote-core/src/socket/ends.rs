//! The events that close a socket from outside: the end of its controlling object, of the references to it, or of its node.
//!
//! It must not know what the socket does, nor close it: it requests that.

use std::pin::pin;

use super::background::{Background, unless};
use super::control::Control;
use super::quota::Permit;
use crate::error::Error;
use crate::object::message::Ended;
use crate::reference::interface::Interface;
use crate::reference::monitor::Monitor;
use crate::reference::reference::Ref;

/// Returns the futures that wait for these events. `own` is a monitor of the socket.
pub(super) fn watch_ends<'a, C: ?Sized + Interface>(
    control: &'a Control<C>,
    own: Monitor,
    permit: &'a mut Permit,
) -> Vec<Background<'a>> {
    let released = async move {
        let reason = match own.await {
            Ended::Stopped(reason) => reason,
            ended => ended.to_string(),
        };
        control.close(Some(Error::Ended(reason)));
    };
    let shut_down = async move { control.close(Some(permit.closing().await)) };
    vec![Box::pin(released), Box::pin(shut_down), Box::pin(uncontrolled(control))]
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
        if let Some(ended) = unless(pin!(replaced), Ref::monitor(&controller)).await {
            let how = match ended {
                Ended::Stopped(reason) => format!("was stopped: {reason}"),
                ended => format!("is gone: {ended}"),
            };
            return control.close(Some(Error::Ended(format!("its controlling object {how}"))));
        }
    }
}
