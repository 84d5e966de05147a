//! A model of how references live: counted introductions and releases, sessions that are cut and resumed, leases, and
//! the hand-off of a reference from one holder to another.
//!
//! It owns the rules, as PROTOCOL.md has them, and what must be true of every state; it must not know the product's
//! code. Every state that can be reached in a small [`World`] is looked at. What is left out of it, README.md says.

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
pub use property::{COUNTS, GIFTS, IDENTITY, LIVE, ORDER, PATIENCE, PROMISES, SAFE};
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
        next.follow(self, action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<World>> {
        property::properties(self)
    }
}
