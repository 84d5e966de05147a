//! The recorded figures, and the format of their file. It must not know how they are measured.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde::Deserialize;

use crate::environment::Environment;

const HEAD: &str = "\
# Instructions of one repetition, as counted by callgrind. Written by `counts accept`; only `known` is added by hand.
# A frame that needs more than 2 times the instructions with large tables fails, unless `known` gives the reason.
";

/// The recorded figures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figures {
    pub(crate) environment: Environment,
    pub(crate) paths: BTreeMap<String, u64>,
    pub(crate) frames: BTreeMap<String, Growth>,
}

/// The instructions for one frame, with few and with many entries in the tables.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Growth {
    pub(crate) few: u64,
    pub(crate) many: u64,
    /// The reason why it exceeds the permitted factor.
    pub(crate) known: Option<String>,
}

impl Growth {
    /// Returns the factor by which the instructions grow.
    pub(crate) fn factor(&self) -> f64 {
        self.many as f64 / self.few as f64
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("figures.toml")
}

impl Figures {
    /// Reads the recorded figures. Returns `None` if there is no file.
    ///
    /// # Errors
    /// Returns an error if the file does not have the format of `write`.
    pub(crate) fn read() -> Result<Option<Figures>, String> {
        let Ok(text) = std::fs::read_to_string(file()) else { return Ok(None) };
        toml::from_str(&text).map(Some).map_err(|error| format!("{}: {error}", file().display()))
    }

    /// Replaces the recorded figures. `paths` and `frames` are the orders in the file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub(crate) fn write(&self, paths: &[&str], frames: &[&str]) -> Result<(), String> {
        let mut text = format!("{HEAD}\n[environment]\n");
        for (name, value) in self.environment.fields() {
            let _ = writeln!(text, "{name} = {value:?}");
        }
        text.push_str("\n[paths]\n");
        for name in paths {
            if let Some(figure) = self.paths.get(*name) {
                let _ = writeln!(text, "{name:?} = {figure}");
            }
        }
        text.push_str("\n[frames]\n");
        for name in frames {
            if let Some(Growth { few, many, known }) = self.frames.get(*name) {
                let known = known.as_ref().map(|known| format!(", known = {known:?}"));
                let known = known.unwrap_or_default();
                let _ = writeln!(text, "{name:?} = {{ few = {few}, many = {many}{known} }}");
            }
        }
        std::fs::write(file(), text).map_err(|error| format!("{}: {error}", file().display()))
    }
}
