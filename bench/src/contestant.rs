//! Who plays, and where the binary is. It owns the building of contestants in this workspace, and must not know what
//! they are made to do.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;

use contract::Result;
use tokio::process::Command;

/// A contestant as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// None where it is a package of this workspace.
    path: Option<PathBuf>,
}

/// A contestant that can be started.
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) binary: PathBuf,
}

impl Entry {
    /// Builds it, where it is one of ours.
    pub(crate) async fn built(self) -> Result<Contestant> {
        let binary = match self.path {
            Some(path) => path,
            None => build(&self.name).await?,
        };
        Ok(Contestant { name: self.name, binary })
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name, Some(PathBuf::from(path))),
            None => (text, None),
        };
        if name.is_empty() || path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Err("neither NAME nor NAME=PATH".to_owned());
        }
        Ok(Self { name: name.to_owned(), path })
    }
}

async fn build(package: &str) -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--message-format=json-render-diagnostics",
            "--package",
            package,
        ])
        .arg("--manifest-path")
        .arg(manifest)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    if !output.status.success() {
        return Err(format!("{package} does not build").into());
    }
    executable(&String::from_utf8_lossy(&output.stdout), package)
        .ok_or_else(|| format!("{package} has no binary of that name").into())
}

/// Finds in what cargo says where it put the binary.
fn executable(messages: &str, package: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == package)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_from_elsewhere_has_a_path() {
        assert_eq!("raw".parse(), Ok(Entry { name: "raw".to_owned(), path: None }));
        assert_eq!(
            "old=/a=b".parse(),
            Ok(Entry { name: "old".to_owned(), path: Some("/a=b".into()) })
        );
        for wrong in ["", "=/a", "old="] {
            assert!(wrong.parse::<Entry>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_binary_is_the_one_of_that_name() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"contract"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"raw"},"executable":"/target/release/raw"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n"
        );
        assert_eq!(executable(messages, "raw"), Some("/target/release/raw".into()));
        assert_eq!(executable(messages, "contract"), None);
        assert_eq!(executable(messages, "ours"), None);
    }
}
