//! Owns what ends a socket from outside: its controlling object, those who refer to it, its node.
//!
//! It must not know what the socket does, nor end it itself: it has it closed.

use std::pin::pin;

use super::beside::{Aside, unless};
use super::control::Control;
use super::quota::Permit;
use crate::error::Error;
use crate::object::message::Ended;
use crate::reference::interface::Interface;
use crate::reference::monitor::Monitor;
use crate::reference::reference::Ref;

/// What looks out for the ends of a socket, of which there is this monitor, with this permit.
pub(super) fn ends<'a, C: ?Sized + Interface>(
    control: &'a Control<C>,
    own: Monitor,
    permit: &'a mut Permit,
) -> Vec<Aside<'a>> {
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

/// Has the socket closed when the object that controls it has ended.
async fn uncontrolled<C: ?Sized + Interface>(control: &Control<C>) {
    let mut told = control.subscribe();
    loop {
        let controller = told.borrow_and_update().controller.clone();
        let Some(controller) = controller else {
            if told.changed().await.is_err() {
                return;
            }
            continue;
        };
        let another = told.wait_for(|told| told.controller.as_ref() != Some(&controller));
        if let Some(ended) = unless(pin!(another), Ref::monitor(&controller)).await {
            let how = match ended {
                Ended::Stopped(reason) => format!("was stopped: {reason}"),
                ended => format!("is gone: {ended}"),
            };
            return control.close(Some(Error::Ended(format!("its controlling object {how}"))));
        }
    }
}
