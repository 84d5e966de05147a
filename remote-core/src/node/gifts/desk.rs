//! The gifts of a node, the callers that wait for a gift, and the task that expires gifts.
//!
//! It must not know the messages by which gifts are deposited and claimed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::table::{Claimed, Gifts};
use crate::error::{Error, Result};
use crate::id::{NodeId, Token};
use crate::mutex::Mutex;
use crate::object::execution::contained;
use crate::object::message::Receiver;

/// The maximum number of gifts. Above it, the sender of the reference continues to forward.
const MOST: usize = 1 << 16;
/// The time limit of a claim that has arrived before its gift.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(5);

/// The gifts of a node.
pub(crate) struct Desk {
    gifts: Mutex<Gifts<Arc<dyn Receiver>>>,
    term: Duration,
    vouched: Notify,
}

impl Desk {
    pub(crate) fn new(term: Duration) -> Arc<Desk> {
        Arc::new(Desk { gifts: Mutex::new(Gifts::new(MOST)), term, vouched: Notify::new() })
    }

    /// Adds a gift: keeps an object for a recipient, for one term of the lease.
    pub(crate) fn vouch(
        self: &Arc<Self>,
        token: Token,
        (giver, recipient): (NodeId, NodeId),
        object: Arc<dyn Receiver>,
    ) -> Result<()> {
        let mut gifts = self.gifts.lock();
        let is_first = gifts.poll_timeout().is_none();
        let refused = gifts.vouch((Instant::now(), self.term), token, (giver, recipient), object);
        drop(gifts);
        if refused.is_err() {
            return Err(Error::Quota(format!("{MOST} objects wait to be claimed")));
        }
        self.vouched.notify_waiters();
        if is_first {
            tokio::spawn(sweep(Arc::clone(self)));
        }
        Ok(())
    }

    /// Returns the object of a gift to its recipient. Waits for a limited time if the gift has not arrived yet.
    pub(crate) async fn claim(&self, token: Token, claimant: NodeId) -> Result<Arc<dyn Receiver>> {
        let wait = async {
            loop {
                // Created before the check, so that no notification is missed.
                let vouched = self.vouched.notified();
                let claimed = self.gifts.lock().claim(Instant::now(), token, claimant);
                match claimed {
                    Claimed::Granted(object) => return Ok(object),
                    Claimed::Refused => return Err(refused()),
                    Claimed::Unknown => vouched.await,
                }
            }
        };
        let timeout = CLAIM_TIMEOUT.min(self.term / 3);
        tokio::time::timeout(timeout, wait).await.unwrap_or_else(|_| Err(refused()))
    }

    /// Withdraws a gift, if this node has vouched for it and it was not claimed.
    pub(crate) fn withdraw(&self, token: Token, giver: NodeId) {
        let withdrawn = self.gifts.lock().withdraw(token, giver);
        contained(|| drop(withdrawn));
    }

    /// Returns the number of gifts that wait.
    pub(crate) fn len(&self) -> usize {
        self.gifts.lock().len()
    }

    /// Returns the object of a gift whose recipient sends this node a reference with the token.
    pub(crate) fn recognize(&self, token: Token, claimant: NodeId) -> Option<Arc<dyn Receiver>> {
        self.gifts.lock().recognize(token, claimant)
    }
}

fn refused() -> Error {
    Error::Refused("nobody vouched for this, or it was claimed already, or too late".into())
}

/// Expires gifts, until there are none.
async fn sweep(desk: Arc<Desk>) {
    loop {
        let Some(next) = desk.gifts.lock().poll_timeout() else { return };
        tokio::time::sleep_until(next.into()).await;
        let over = desk.gifts.lock().expire(Instant::now());
        over.into_iter().for_each(|object| contained(|| drop(object)));
    }
}
