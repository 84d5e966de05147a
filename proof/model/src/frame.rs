//! The nodes of the model, their sessions, the objects, and the frames.
//!
//! It must not know the effects of frames.

/// A node. O owns the objects; A and B hold references, and A gives B one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// The owner.
    O,
    /// A holder, which hands its reference off.
    A,
    /// The recipient of the hand-off.
    B,
}

/// A session between the owner of an object and a holder. In `AB`, A owns the entry through which it forwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pair {
    /// O owns, A holds.
    OA,
    /// O owns, B holds.
    OB,
    /// A owns, B holds.
    AB,
}

impl Pair {
    /// All sessions.
    pub const ALL: [Pair; 3] = [Pair::OA, Pair::OB, Pair::AB];

    pub(crate) fn owner(self) -> Node {
        match self {
            Pair::OA | Pair::OB => Node::O,
            Pair::AB => Node::A,
        }
    }

    pub(crate) fn holder(self) -> Node {
        match self {
            Pair::OA => Node::A,
            Pair::OB | Pair::AB => Node::B,
        }
    }
}

/// One of the two sides of a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// The owner of the object.
    Owner,
    /// The holder of a reference to it.
    Holder,
}

/// An object of O. In session `AB`, X is A's entry, through which it forwards to x.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Object {
    /// The object that is handed off.
    X,
    /// Its successor, created after x was dropped.
    Y,
}

impl Object {
    pub(crate) const ALL: [Object; 2] = [Object::X, Object::Y];
}

/// The number of a gift's token.
pub type Token = u8;

/// A frame of a session: numbered, retained until it is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Frame {
    // From the owner.
    /// A message that introduces an object of the sender.
    Introduce(Object),
    /// A's message that introduces its entry for x, with the token of a gift.
    Forward(Token),
    /// A claim is granted: the reply introduces x.
    Granted(Token),
    /// A claim is refused.
    Refused(Token),
    /// All earlier calls have started.
    Settled,
    /// It will never be known whether they have.
    Broken,

    // From the holder.
    /// Renews the lease.
    Renew,
    /// Gives back a number of introductions.
    Release(Object, u8),
    /// A call. The calls that B numbers must start in order.
    Call(Object, u8),
    /// A message that names an object of the receiver.
    Yours(Object),
    /// A hands x off to B: O keeps it until B claims it.
    Vouch(Token),
    /// A withdraws the gift: B has released the reference.
    Withdraw(Token),
    /// B claims the gift.
    Claim(Token),
    /// A message to the owner with a forwarded reference: it names the object by its identity.
    ToOwner(Object),
    /// Requests a reply when all earlier calls have started.
    Settle,
}
