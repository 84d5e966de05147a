//! The control state of a socket: its controlling object, credit, work units, and how far each direction has ended.
//!
//! It must not do I/O, nor know if the socket listens or is connected.

use tokio::sync::watch;

use super::units::WorkUnits;
use crate::error::{Error, Result};
use crate::reference::interface::Interface;
use crate::reference::reference::Ref;

/// The control state of a socket whose controlling object has this interface. The task of the socket observes changes.
pub(super) struct Control<C: ?Sized>(watch::Sender<ControlState<C>>);

pub(super) struct ControlState<C: ?Sized> {
    pub(super) controller: Option<Ref<C>>,
    pub(super) units: WorkUnits,
    pub(super) credit: u64,
    /// True if the peer sends no more.
    pub(super) peer_has_ended: bool,
    /// The state of the sending direction.
    pub(super) sending: Sending,
    /// Set if a close is requested: the failure, or `None` for an orderly close.
    pub(super) closing: Option<Option<Error>>,
    /// Set if the socket is closed: the reason.
    pub(super) closed: Option<String>,
}

/// The state of the sending direction.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sending {
    Open,
    /// Nothing more is accepted; what was accepted is still written.
    Ending,
    /// Everything is written, and the sending direction is shut down.
    Ended,
}

impl<C: ?Sized + Interface> Control<C> {
    pub(super) fn new(controller: Option<Ref<C>>) -> Control<C> {
        Control(watch::Sender::new(ControlState {
            controller,
            units: WorkUnits::lines(),
            credit: 0,
            peer_has_ended: false,
            sending: Sending::Open,
            closing: None,
            closed: None,
        }))
    }

    /// Returns a receiver that reads the state and waits for changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<ControlState<C>> {
        self.0.subscribe()
    }

    /// Replaces the controlling object.
    pub(super) fn set_controller(&self, controller: Ref<C>) -> Result<()> {
        let mut controller = Some(controller);
        self.unless_closed(|state| std::mem::swap(&mut state.controller, &mut controller))
        // The former object is dropped here, after the lock is released: its destructor may be user code.
    }

    pub(super) fn set_units(&self, units: WorkUnits) -> Result<()> {
        self.unless_closed(|state| state.units = units)
    }

    pub(super) fn issue_credit(&self, units: u64) -> Result<()> {
        self.unless_closed(|state| state.credit = state.credit.saturating_add(units))
    }

    /// Spends one unit of credit.
    pub(super) fn spend(&self) {
        self.0.send_modify(|state| state.credit = state.credit.saturating_sub(1));
    }

    pub(super) fn note_end_of_peer(&self) {
        self.0.send_modify(|state| state.peer_has_ended = true);
    }

    /// Returns an error if nothing can be sent any more.
    pub(super) fn check_sending(&self) -> Result<()> {
        let state = self.0.borrow();
        match (&state.closed, state.sending, &state.closing) {
            (Some(reason), ..) => Err(Error::Ended(reason.clone())),
            (None, Sending::Open, None) => Ok(()),
            _ => Err(Error::Ended("the sending direction of this socket was ended".into())),
        }
    }

    /// Ends the sending direction.
    pub(super) fn end(&self) -> Result<()> {
        self.unless_closed(|state| {
            if state.sending == Sending::Open {
                state.sending = Sending::Ending;
            }
        })
    }

    pub(super) fn note_end(&self) {
        self.0.send_modify(|state| state.sending = Sending::Ended);
    }

    /// Requests that the task closes the socket. The first request counts, except that a failure replaces an orderly close.
    pub(super) fn close(&self, failure: Option<Error>) {
        self.0.send_modify(|state| match &state.closing {
            Some(None) if state.closed.is_some() => {}
            None | Some(None) => state.closing = Some(failure),
            Some(Some(_)) => {}
        });
    }

    /// Closes the socket in an orderly way and waits until it is closed. Returns the failure if there was one.
    pub(super) async fn close_and_wait(&self) -> Result<()> {
        self.close(None);
        self.until(|state| state.closed.is_some()).await;
        self.0.borrow().closing.clone().flatten().map_or(Ok(()), Err)
    }

    /// Notes that the socket is closed. Returns the reason for later callers, and the controlling object to notify.
    pub(super) fn note_closed(&self, failure: &Option<Error>) -> (String, Option<Ref<C>>) {
        let reason = match failure {
            None => "the socket was closed".to_owned(),
            Some(Error::Ended(reason)) => reason.clone(),
            Some(error) => error.to_string(),
        };
        let mut controller = None;
        self.0.send_modify(|state| {
            controller = state.controller.take();
            state.closed = Some(reason.clone());
        });
        (reason, controller)
    }

    /// Waits until the state satisfies a condition.
    pub(super) async fn until(&self, is_so: impl FnMut(&ControlState<C>) -> bool) {
        // The sender lives as long as `self`, so that the wait cannot fail.
        let _ = self.subscribe().wait_for(is_so).await;
    }

    /// Waits until a close is requested or the peer has ended. Returns the failure, if there is one.
    pub(super) async fn over(&self) -> Option<Error> {
        self.until(|state| state.closing.is_some() || state.peer_has_ended).await;
        self.0.borrow().closing.clone().flatten()
    }

    /// Returns the error for a socket that is closed or closing.
    pub(super) fn ended(&self) -> Error {
        let closed = self.0.borrow().closed.clone();
        Error::Ended(closed.unwrap_or_else(|| "the socket is closing".into()))
    }

    fn unless_closed(&self, change: impl FnOnce(&mut ControlState<C>)) -> Result<()> {
        let mut result = Ok(());
        self.0.send_modify(|state| match &state.closed {
            None => change(state),
            Some(reason) => result = Err(Error::Ended(reason.clone())),
        });
        result
    }
}
