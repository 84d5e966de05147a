//! Passes the compiler's version and the target to the program, which records them with the figures.

use std::process::Command;

fn main() {
    let variable = |name| std::env::var(name).expect("cargo sets it for build scripts");
    let version = Command::new(variable("RUSTC")).arg("-V").output().expect("the compiler runs");
    let version = String::from_utf8_lossy(&version.stdout);
    println!("cargo:rustc-env=COUNTS_RUSTC={}", version.trim());
    println!("cargo:rustc-env=COUNTS_TARGET={}", variable("TARGET"));
    println!("cargo:rerun-if-changed=build.rs");
}
