//! Notes the compiler and the target that the program is built with: the figures belong to them.

use std::process::Command;

fn main() {
    let variable = |name| std::env::var(name).expect("cargo sets it for build scripts");
    let version = Command::new(variable("RUSTC")).arg("-V").output().expect("the compiler runs");
    let version = String::from_utf8_lossy(&version.stdout);
    println!("cargo:rustc-env=COUNTS_RUSTC={}", version.trim());
    println!("cargo:rustc-env=COUNTS_TARGET={}", variable("TARGET"));
    println!("cargo:rerun-if-changed=build.rs");
}
