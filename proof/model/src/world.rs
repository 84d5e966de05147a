//! Owns what a world allows: how often each thing may happen in it, how long a lease lasts, and which rule is left out.
//!
//! It must not know how the rules work.

/// How often things may happen. What is not counted here (arrivals, acknowledgements, releases, reconnects, ends of
/// leases, time) may happen whenever it can.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Budget {
    /// O names x to A.
    pub introductions: u8,
    /// O names x to B.
    pub introductions_to_b: u8,
    /// A connection is lost, or the last word of a handshake is.
    pub cuts: u8,
    /// A holder says that it lives.
    pub renewals: u8,
    /// A calls x.
    pub calls: u8,
    /// A sends x home, in a message that has to wait before it is sent.
    pub echoes: u8,
    /// A hands x to B.
    pub gifts: u8,
    /// Claims, more than one for each gift.
    pub more_claims: u8,
    /// A claims what it has given to B.
    pub thefts: u8,
    /// B sends home what it has from A.
    pub homes: u8,
    /// B calls what it has from A: calls with an order.
    pub messages: u8,
    /// A is killed.
    pub kills: u8,
    /// Another object is made when x is gone.
    pub successors: u8,
}

/// Which sessions there are.
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
    /// What it is called.
    pub name: &'static str,
    /// Who is in it.
    pub nodes: Nodes,
    /// How often things may happen.
    pub budget: Budget,
    /// After how many steps of time a holder takes its lease for ended; the owner waits one longer. Nothing, if time
    /// stands still.
    pub lease: Option<u8>,
    /// The rule that is left out, if one is.
    pub without: Option<Rule>,
}

impl World {
    /// The same world without one of the rules.
    pub fn without(self, rule: Rule) -> World {
        World { without: Some(rule), ..self }
    }

    pub(crate) fn holder_end(&self) -> u8 {
        self.lease.unwrap_or(u8::MAX)
    }

    pub(crate) fn owner_end(&self) -> u8 {
        self.lease.map_or(u8::MAX, |lease| lease + 1)
    }

    /// How long a gift is kept.
    pub(crate) fn gift_end(&self) -> u8 {
        self.holder_end()
    }

    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

/// A rule of the protocol that can be left out, to see that it is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// An introduction counts from when it is sent, not from when it is known to have arrived.
    PinInTransit,
    /// A message that names the receiver's object and waits to be sent holds back its release.
    PinWhileWaiting,
    /// A release gives back the introductions that it answers, and not the object: who is introduced again meanwhile
    /// wants it again.
    WantedAgain,
    /// Frames have numbers, and what was acted on is not acted on again.
    Numbers,
    /// What is not acknowledged is retained, and sent again.
    Retention,
    /// Ids are never used again.
    FreshIds,
    /// What waits in the sockets is read before anything expires.
    ReadingFirst,
    /// A gift keeps its object until it is claimed.
    PinnedGift,
    /// What forwards to an object keeps it.
    PinnedForward,
    /// A token is good for one claim.
    SingleUse,
    /// A token is good for one claimant.
    BoundToken,
    /// A gift ends when its term is over.
    GiftTerm,
    /// An owner lets go when the holder was not heard for too long.
    OwnerTerm,
    /// A holder counts from when it *sent* what was acknowledged.
    CountedFromSending,
    /// When a node's lease as a holder ends, what it owns under the same session can still be reached, for as long as
    /// the peer may count on it.
    LeasesApart,
    /// Who has the last word of a handshake does not count its lease as a holder from that: it may never be heard.
    LastWord,
    /// While a path shortens, new calls wait until those on the old path have started.
    Settling,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 17] = [
        Rule::PinInTransit,
        Rule::PinWhileWaiting,
        Rule::WantedAgain,
        Rule::Numbers,
        Rule::Retention,
        Rule::FreshIds,
        Rule::ReadingFirst,
        Rule::PinnedGift,
        Rule::PinnedForward,
        Rule::SingleUse,
        Rule::BoundToken,
        Rule::GiftTerm,
        Rule::OwnerTerm,
        Rule::CountedFromSending,
        Rule::LeasesApart,
        Rule::LastWord,
        Rule::Settling,
    ];
}
