//! Explores.
use stateright::{Checker, Model};
use model::worlds::*;
fn main() {
    for world in [PAIR, GIFT, PATH] {
        let began = std::time::Instant::now();
        let checker = world.checker().threads(2).finish_when(stateright::HasDiscoveries::AnyFailures).target_state_count(std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(20_000_000)).spawn_dfs().join();
        println!("{} unique {} all {} depth {} {:?}", world.name, checker.unique_state_count(), checker.state_count(), checker.max_depth(), began.elapsed());
        for (name, path) in checker.discoveries() {
            let fails = world.properties().iter().any(|p| p.name == name && p.expectation.discovery_is_failure());
            println!("  {name} {} steps", path.clone().into_actions().len());
            if fails { println!("{:?}", path.clone().into_actions()); println!("{:#?}", path.last_state()); }
        }
    }
}
