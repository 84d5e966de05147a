//! This contestant implements the contract.

#[test]
fn every_workload_is_played_by_the_contract() {
    contract::conformance::check(env!("CARGO_BIN_EXE_tarpc-peer"));
}
