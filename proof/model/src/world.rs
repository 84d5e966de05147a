//! The configuration of a world: how often each action may happen, the term of a lease, and the rule that is left out.
//!
//! It must not know how the rules work.

/// The maximum number of each action. The other actions (arrivals, acknowledgements, releases, reconnects, expiry,
/// time) may happen whenever they are possible.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Budget {
    /// O introduces x to A.
    pub introductions: u8,
    /// O introduces x to B.
    pub introductions_to_b: u8,
    /// A connection is lost, or the verdict of a handshake.
    pub cuts: u8,
    /// A holder renews its lease.
    pub renewals: u8,
    /// A calls x.
    pub calls: u8,
    /// A sends x to its owner O, in a message that is queued before it is sent.
    pub echoes: u8,
    /// A hands x off to B.
    pub gifts: u8,
    /// Claims beyond the first one for each gift.
    pub more_claims: u8,
    /// A claims a gift that is for B.
    pub thefts: u8,
    /// B sends the reference that it has from A to the owner O.
    pub homes: u8,
    /// B calls the object that it has from A; these calls are ordered.
    pub messages: u8,
    /// A is killed.
    pub kills: u8,
    /// Another object is created after x was dropped.
    pub successors: u8,
}

/// The nodes of a world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nodes {
    /// O and A.
    Two,
    /// O, A and B.
    Three,
}

/// A world to be explored.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// Its name.
    pub name: &'static str,
    /// Its nodes.
    pub nodes: Nodes,
    /// The maximum number of each action.
    pub budget: Budget,
    /// The number of time steps after which the lease expires for a holder; for the owner it is one more. `None` if time does
    /// not pass.
    pub lease: Option<u8>,
    /// The rule that is left out, if any.
    pub without: Option<Rule>,
}

impl World {
    /// Returns the same world without one of the rules.
    pub fn without(self, rule: Rule) -> World {
        World { without: Some(rule), ..self }
    }

    pub(crate) fn holder_end(&self) -> u8 {
        self.lease.unwrap_or(u8::MAX)
    }

    pub(crate) fn owner_end(&self) -> u8 {
        self.lease.map_or(u8::MAX, |lease| lease + 1)
    }

    /// The time steps for which a gift is kept.
    pub(crate) fn gift_end(&self) -> u8 {
        self.holder_end()
    }

    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

/// A rule of the protocol that can be left out, to show that it is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// An introduction counts from when it is sent, not from when its arrival is acknowledged.
    PinInTransit,
    /// A queued message that names the receiver's object delays the release of the object.
    PinWhileWaiting,
    /// A release gives back a number of introductions, not the object, so that it cannot undo an introduction that it crosses.
    CountedRelease,
    /// Frames have numbers, and a frame that was received is ignored when it arrives again.
    Numbers,
    /// Unacknowledged frames are retained, and retransmitted.
    Retention,
    /// Ids are never reused.
    FreshIds,
    /// Input that waits in the sockets is read before a lease expires.
    GracePeriod,
    /// A gift keeps its object until it is claimed.
    PinnedGift,
    /// A forwarding entry keeps its object.
    PinnedForward,
    /// A token is good for one claim.
    SingleUse,
    /// A token is good for one claimant.
    BoundToken,
    /// A gift is withdrawn when its recipient has released the reference.
    Withdrawal,
    /// A gift is dropped after its term.
    GiftTerm,
    /// The lease of an owner expires if it receives nothing from the holder.
    OwnerTerm,
    /// A holder counts from when it *sent* the newest acknowledged frame.
    CountedFromSending,
    /// A node whose lease as a holder expires keeps its own exports in the same session for as long as the peer may rely on
    /// them.
    LeasesApart,
    /// The sender of a verdict does not count its lease as a holder from the handshake: the verdict may be lost.
    LostVerdict,
    /// While a path shortens, new calls wait until those on the old path have started.
    Settling,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 18] = [
        Rule::PinInTransit,
        Rule::PinWhileWaiting,
        Rule::CountedRelease,
        Rule::Numbers,
        Rule::Retention,
        Rule::FreshIds,
        Rule::GracePeriod,
        Rule::PinnedGift,
        Rule::PinnedForward,
        Rule::SingleUse,
        Rule::BoundToken,
        Rule::Withdrawal,
        Rule::GiftTerm,
        Rule::OwnerTerm,
        Rule::CountedFromSending,
        Rule::LeasesApart,
        Rule::LostVerdict,
        Rule::Settling,
    ];
}
