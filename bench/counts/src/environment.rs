//! The environment on which counted instructions depend besides the code: compiler, target, C library, processor and
//! valgrind. It must not know the figures.

use std::process::Command;

use serde::{Deserialize, Serialize};

/// The environment in which figures were measured. Figures of different environments are not comparable.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Environment {
    pub(crate) rustc: String,
    pub(crate) target: String,
    /// The C library, which copies bytes and allocates memory.
    pub(crate) libc: String,
    /// The widest vector instructions that the C library can use under valgrind.
    pub(crate) vectors: String,
    pub(crate) valgrind: String,
}

impl Environment {
    /// Returns the environment of this program.
    ///
    /// # Errors
    /// Returns an error if valgrind is not installed.
    pub(crate) fn present() -> Result<Environment, String> {
        let valgrind = first_line("valgrind", "--version").ok_or(
            "valgrind is not installed; on Debian and Ubuntu, `apt-get install valgrind` does that",
        )?;
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let vectors = if cpu.split_whitespace().any(|flag| flag == "avx2") { "avx2" } else { "" };
        Ok(Environment {
            rustc: env!("COUNTS_RUSTC").to_owned(),
            target: env!("COUNTS_TARGET").to_owned(),
            libc: first_line("getconf", "GNU_LIBC_VERSION").unwrap_or_default(),
            vectors: vectors.to_owned(),
            valgrind,
        })
    }

    /// Returns the values with their names, in the order of the file.
    pub(crate) fn fields(&self) -> [(&'static str, &str); 5] {
        [
            ("rustc", &self.rustc),
            ("target", &self.target),
            ("libc", &self.libc),
            ("vectors", &self.vectors),
            ("valgrind", &self.valgrind),
        ]
    }
}

fn first_line(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}
