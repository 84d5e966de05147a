//! Each form implements the contract.

use contract::conformance::{check, check_with};

const BINARY: &str = env!("CARGO_BIN_EXE_ours");

#[test]
fn over_tcp() {
    check(BINARY);
}

#[test]
fn on_one_thread() {
    check_with(BINARY, &["current"]);
}

#[test]
fn over_a_unix_socket() {
    check_with(BINARY, &["unix"]);
}

#[test]
fn by_memory() {
    check_with(BINARY, &["memory"]);
}

#[test]
fn near() {
    check_with(BINARY, &["near"]);
}

#[test]
fn boxed_futures_without_the_library() {
    check_with(BINARY, &["boxed"]);
}
