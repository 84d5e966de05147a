//! A model of reference lifetimes: counted introductions and releases, sessions that lose their connection and resume, leases,
//! and the hand-off of a reference from one holder to another.
//!
//! It owns the rules, as PROTOCOL.md states them, and the properties that must hold in every state. It must not know the
//! product's code. The checker visits every reachable state of a small [`World`]. README.md lists what the model leaves out.

mod action;
pub mod explore;
mod frame;
mod property;
mod queue;
mod receive;
mod session;
mod state;
mod step;
mod world;
pub mod worlds;

use stateright::{Model, Property};

pub use action::Action;
pub use frame::{Frame, Node, Object, Pair, Side, Token};
pub use property::{CLAIMS, COUNTS, GIFTS, GRACE, IDENTITY, LIVE, ORDER, SAFE};
pub use state::{Fault, State};
pub use world::{Budget, Nodes, Rule, World};

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::begin(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        action::possible(self, state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        next.apply(self, action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<World>> {
        property::properties(self)
    }
}
