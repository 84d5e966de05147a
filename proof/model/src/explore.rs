//! Owns how a world is explored: every state of it, and what was found.
//!
//! It must not know which worlds there are.

use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::action::Action;
use crate::world::World;

/// What was found in a world.
pub struct Explored {
    /// How many states there are in it.
    pub states: usize,
    /// How many steps lead from one to another.
    pub steps: usize,
    /// The longest way from the beginning that was taken.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// What is not true in it, and how that comes about.
    pub broken: Vec<(&'static str, Vec<Action>)>,
    /// What should happen in it and does not, so that nothing is known of it.
    pub missed: Vec<&'static str>,
}

/// Looks at every state of a world; it stops early if something is not true.
pub fn explore(world: World, threads: usize) -> Explored {
    let began = Instant::now();
    let checker = world.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_dfs().join();
    let took = began.elapsed();
    let mut found = checker.discoveries();
    let (mut broken, mut missed) = (Vec::new(), Vec::new());
    for property in world.properties() {
        match (found.remove(property.name), property.expectation.discovery_is_failure()) {
            (Some(path), true) => broken.push((property.name, path.into_actions())),
            (None, false) => missed.push(property.name),
            (Some(_), false) | (None, true) => {}
        }
    }
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    Explored { states, steps, depth: checker.max_depth(), took, broken, missed }
}

/// Looks for a short way on which something is not true any more, no longer than so many actions if that is said.
pub fn break_by(
    world: World,
    property: &'static str,
    longest: Option<usize>,
) -> Option<Vec<Action>> {
    let checker = world.checker().finish_when(HasDiscoveries::AllOf([property].into()));
    let checker = match longest {
        // The depth of a state counts the states before it and itself; what is as deep as the limit is not looked at.
        Some(longest) => checker.target_max_depth(longest + 2),
        None => checker,
    };
    let found = checker.spawn_bfs().join().discovery(property);
    found.map(|path| path.into_actions())
}
