//! Owns what a socket was told, and how far it has come: its controlling object, credit, what a unit is, the ends.
//!
//! It must not do what it was told, nor know whether the socket listens or is connected.

use tokio::sync::watch;

use super::units::WorkUnits;
use crate::error::{Error, Result};
use crate::reference::interface::Interface;
use crate::reference::reference::Ref;

/// What a socket was told, which has a controlling object of this kind. Whoever does it is told of each change.
pub(super) struct Orders<C: ?Sized>(watch::Sender<Told<C>>);

pub(super) struct Told<C: ?Sized> {
    pub(super) controller: Option<Ref<C>>,
    pub(super) units: WorkUnits,
    pub(super) credit: u64,
    /// The peer sends no more.
    pub(super) peer_has_ended: bool,
    /// How far the end of what is sent is.
    pub(super) sending: Sending,
    /// It is to be closed, and so it is to be told.
    pub(super) closing: Option<Option<Error>>,
    /// It is closed, for this reason.
    pub(super) closed: Option<String>,
}

/// How far the end of what is sent is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sending {
    Open,
    /// Nothing is accepted any more, what was is still written.
    Ending,
    /// All was written, and the peer told so.
    Ended,
}

impl<C: ?Sized + Interface> Orders<C> {
    pub(super) fn new(controller: Option<Ref<C>>) -> Orders<C> {
        Orders(watch::Sender::new(Told {
            controller,
            units: WorkUnits::lines(),
            credit: 0,
            peer_has_ended: false,
            sending: Sending::Open,
            closing: None,
            closed: None,
        }))
    }

    /// To look at them, and to wait for changes.
    pub(super) fn follow(&self) -> watch::Receiver<Told<C>> {
        self.0.subscribe()
    }

    /// Gives another controlling object.
    pub(super) fn control(&self, controller: Ref<C>) -> Result<()> {
        let mut controller = Some(controller);
        self.unless_closed(|told| std::mem::swap(&mut told.controller, &mut controller))
        // What it had goes here, and not under the lock: whatever an object holds may go with it.
    }

    pub(super) fn set_units(&self, units: WorkUnits) -> Result<()> {
        self.unless_closed(|told| told.units = units)
    }

    pub(super) fn issue_credit(&self, units: u64) -> Result<()> {
        self.unless_closed(|told| told.credit = told.credit.saturating_add(units))
    }

    /// A unit was read.
    pub(super) fn spend(&self) {
        self.0.send_modify(|told| told.credit = told.credit.saturating_sub(1));
    }

    pub(super) fn note_end_of_peer(&self) {
        self.0.send_modify(|told| told.peer_has_ended = true);
    }

    /// Fails if nothing can be sent any more.
    pub(super) fn check_sending(&self) -> Result<()> {
        let told = self.0.borrow();
        match (&told.closed, told.sending, &told.closing) {
            (Some(reason), ..) => Err(Error::Ended(reason.clone())),
            (None, Sending::Open, None) => Ok(()),
            _ => Err(Error::Ended("what this socket sends was ended".into())),
        }
    }

    /// Ends what is sent.
    pub(super) fn end(&self) -> Result<()> {
        self.unless_closed(|told| {
            if told.sending == Sending::Open {
                told.sending = Sending::Ending;
            }
        })
    }

    pub(super) fn note_end(&self) {
        self.0.send_modify(|told| told.sending = Sending::Ended);
    }

    /// Has it closed. The first who says so is heard; but a failure also after a good word.
    pub(super) fn close(&self, failure: Option<Error>) {
        self.0.send_modify(|told| match &told.closing {
            Some(None) if told.closed.is_some() => {}
            None | Some(None) => told.closing = Some(failure),
            Some(Some(_)) => {}
        });
    }

    /// Has it closed in good order, and waits until it is; fails if it was not in good order.
    pub(super) async fn see_closed(&self) -> Result<()> {
        self.close(None);
        self.until(|told| told.closed.is_some()).await;
        self.0.borrow().closing.clone().flatten().map_or(Ok(()), Err)
    }

    /// It is closed: for which reason, as later callers are told, and who is to be told at once.
    pub(super) fn note_closed(&self, failure: &Option<Error>) -> (String, Option<Ref<C>>) {
        let reason = match failure {
            None => "the socket was closed".to_owned(),
            Some(Error::Ended(reason)) => reason.clone(),
            Some(error) => error.to_string(),
        };
        let mut controller = None;
        self.0.send_modify(|told| {
            controller = told.controller.take();
            told.closed = Some(reason.clone());
        });
        (reason, controller)
    }

    /// Waits until it is told so.
    pub(super) async fn until(&self, is_so: impl FnMut(&Told<C>) -> bool) {
        // The sender lives as long as this does.
        let _ = self.follow().wait_for(is_so).await;
    }

    /// Waits until it is to be closed, or the peer has ended; how that is to be told.
    pub(super) async fn over(&self) -> Option<Error> {
        self.until(|told| told.closing.is_some() || told.peer_has_ended).await;
        self.0.borrow().closing.clone().flatten()
    }

    /// Why nothing can be done with it any more.
    pub(super) fn ended(&self) -> Error {
        let closed = self.0.borrow().closed.clone();
        Error::Ended(closed.unwrap_or_else(|| "the socket is closing".into()))
    }

    fn unless_closed(&self, change: impl FnOnce(&mut Told<C>)) -> Result<()> {
        let mut result = Ok(());
        self.0.send_modify(|told| match &told.closed {
            None => change(told),
            Some(reason) => result = Err(Error::Ended(reason.clone())),
        });
        result
    }
}
