//! The contestants: their names, and the command lines behind the names.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use contract::Result;

use crate::build;

/// A program and its first arguments. The arguments of the contract follow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommandLine {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

impl CommandLine {
    pub(crate) fn new<A: AsRef<OsStr>>(
        program: impl AsRef<Path>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        Self { program: program.as_ref().to_owned(), arguments: arguments.collect() }
    }
}

/// A contestant as requested on the command line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    source: Source,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// A package of this workspace, and the first arguments of its binary.
    Package { package: String, arguments: Vec<&'static str> },
    /// The Java sources in `peers/rmi`.
    Rmi,
    /// A command of the user.
    Command(CommandLine),
}

/// A contestant that can be started.
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) command: CommandLine,
}

impl Entry {
    /// Builds the contestant, unless it is a command of the user.
    ///
    /// # Errors
    /// Returns an error if a tool is missing, or if the contestant does not build.
    pub(crate) async fn build(self) -> Result<Contestant> {
        let command = match self.source {
            Source::Package { package, arguments } => {
                CommandLine::new(build::package(&package).await?, arguments)
            }
            Source::Rmi => build::rmi().await?,
            Source::Command(command) => command,
        };
        Ok(Contestant { name: self.name, command })
    }
}

impl Source {
    /// Returns what stands behind a name. A name that is not listed here is that of a package.
    fn of(name: &str) -> Self {
        let (package, arguments) = match name {
            "ours-current" => ("ours", vec!["current"]),
            "ours-unix" => ("ours", vec!["unix"]),
            "ours-memory" => ("ours", vec!["memory"]),
            "ours-near" => ("ours", vec!["near"]),
            "boxed" => ("ours", vec!["boxed"]),
            "tarpc" => ("tarpc-peer", vec![]),
            "capnp" => ("capnp-peer", vec![]),
            "tonic" => ("tonic-peer", vec![]),
            "remoc" => ("remoc-peer", vec![]),
            "rmi" => return Self::Rmi,
            package => (package, vec![]),
        };
        Self::Package { package: package.to_owned(), arguments }
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, source) = match text.split_once('=') {
            None => (text, Source::of(text)),
            Some((name, command)) => {
                let mut words = command.split_whitespace();
                let program = words.next().ok_or("the command is missing after `=`")?;
                (name, Source::Command(CommandLine::new(program, words)))
            }
        };
        if name.is_empty() {
            return Err("the name is missing".to_owned());
        }
        Ok(Self { name: name.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_a_package_and_arguments() {
        let sources = [
            ("raw", "raw", vec![]),
            ("ours-unix", "ours", vec!["unix"]),
            ("tonic", "tonic-peer", vec![]),
        ];
        for (name, package, arguments) in sources {
            let source = Source::Package { package: package.to_owned(), arguments };
            assert_eq!(name.parse(), Ok(Entry { name: name.to_owned(), source }));
        }
        assert_eq!("rmi".parse::<Entry>().expect("known").source, Source::Rmi);
    }

    #[test]
    fn a_command_has_a_program_and_arguments() {
        let entry: Entry = "old=/a=b unix".parse().expect("complete");
        let command = CommandLine::new("/a=b", ["unix"]);
        assert_eq!(entry, Entry { name: "old".to_owned(), source: Source::Command(command) });
        for wrong in ["", "=/a", "old=", "old= "] {
            assert!(wrong.parse::<Entry>().is_err(), "{wrong:?}");
        }
    }
}
