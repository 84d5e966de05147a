//! Explores every state of a world, and reports what was found.
//!
//! It must not know which worlds exist.

use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::action::Action;
use crate::world::World;

/// The result of exploring a world.
pub struct Explored {
    /// The number of its states.
    pub states: usize,
    /// The number of steps between its states.
    pub steps: usize,
    /// The length of the longest path that was taken.
    pub depth: usize,
    /// The time that it took.
    pub took: Duration,
    /// The violated properties, each with the actions that lead to the violation.
    pub violated: Vec<(&'static str, Vec<Action>)>,
    /// The required situations that were not reached.
    pub unreached: Vec<&'static str>,
}

/// Visits every state of a world; stops early if a property is violated.
pub fn explore(world: World, threads: usize) -> Explored {
    let began = Instant::now();
    let checker = world.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_dfs().join();
    let took = began.elapsed();
    let mut found = checker.discoveries();
    let (mut violated, mut unreached) = (Vec::new(), Vec::new());
    for property in world.properties() {
        match (found.remove(property.name), property.expectation.discovery_is_failure()) {
            (Some(path), true) => violated.push((property.name, path.into_actions())),
            (None, false) => unreached.push(property.name),
            (Some(_), false) | (None, true) => {}
        }
    }
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    Explored { states, steps, depth: checker.max_depth(), took, violated, unreached }
}

/// Searches for a shortest list of actions that violates a property. `longest` is the maximum length, if any.
pub fn find_violation(
    world: World,
    property: &'static str,
    longest: Option<usize>,
) -> Option<Vec<Action>> {
    let checker = world.checker().finish_when(HasDiscoveries::AllOf([property].into()));
    let checker = match longest {
        // The depth of a state counts the states before it and itself; states at the limit are not visited.
        Some(longest) => checker.target_max_depth(longest + 2),
        None => checker,
    };
    let found = checker.spawn_bfs().join().discovery(property);
    found.map(|path| path.into_actions())
}
