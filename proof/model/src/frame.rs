//! Owns the names of the model: its nodes, their sessions, the objects, and the frames that travel.
//!
//! It must not know what becomes of them.

/// A node. O owns the objects; A and B hold references, and A gives B one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// The owner.
    O,
    /// A holder, and who hands a reference on.
    A,
    /// To whom it is handed.
    B,
}

/// A session: between the owner of what is referred to, and its holder. In `AB`, A owns the entry through which it
/// forwards.
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
    /// Who owns what is referred to.
    Owner,
    /// Who refers to it.
    Holder,
}

/// An object of O's. In session `AB`, X is A's entry, through which it forwards to x.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Object {
    /// The one that is handed about.
    X,
    /// Its successor, made when x is gone.
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
    /// A message that names an object of the sender's.
    Introduce(Object),
    /// A's message that names its entry for x, with the token of a gift.
    Forward(Token),
    /// A claim is granted: the answer names x.
    Granted(Token),
    /// A claim is refused.
    Refused(Token),
    /// Everything sent before has been started.
    Settled,
    /// It is not known whether it has, and never will be.
    Broken,

    // From the holder.
    /// Says only that the sender lives.
    Renew,
    /// So many introductions are given back.
    Release(Object, u8),
    /// A call; those that B numbers must start in order.
    Call(Object, u8),
    /// A message that names an object of the receiver's.
    Yours(Object),
    /// A will give B a reference to x: it is to be kept until B claims it.
    Vouch(Token),
    /// B asks for what was vouched for.
    Claim(Token),
    /// A message by which a reference comes home that was never the sender's own: it names the object's identity.
    Home(Object),
    /// To be answered when everything sent before has been started.
    Settle,
}
