//! This contestant implements the contract.

#[test]
fn every_workload_is_played() {
    contract::conformance::check(env!("CARGO_BIN_EXE_raw"));
}
