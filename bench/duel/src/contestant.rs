//! The contestants: how each is prepared and started, and its lease settings.
//!
//! It must not know the faults.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use tokio::process::Command;

use crate::Result;
use crate::role::Role;
use crate::table::seconds;

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Contestant {
    Rmi,
    Capnp,
    Ours,
}

impl Contestant {
    /// Prepares the contestant. Returns its name and version.
    pub(crate) async fn ready(self) -> Result<String> {
        Ok(match self {
            Contestant::Rmi => format!("Java RMI, {}", java().await?),
            Contestant::Capnp => format!("capnp-rpc {}", locked_version("capnp-rpc")?),
            Contestant::Ours => "ours".to_owned(),
        })
    }

    /// Describes its lease settings.
    pub(crate) fn terms(self, lease: Duration) -> String {
        match self {
            Contestant::Rmi => {
                format!("{}, checked every {}", seconds(lease), seconds(lease / 2))
            }
            Contestant::Capnp => "none".to_owned(),
            Contestant::Ours => seconds(lease),
        }
    }

    /// Returns the command of a process with this role.
    pub(crate) fn command(self, role: &Role, lease: Duration) -> Result<Command> {
        let mut command = match self {
            Contestant::Rmi => {
                let mut command = Command::new("java");
                command
                    .args(MODEST)
                    .args(rmi_properties(lease))
                    .arg("-cp")
                    .arg(classes()?)
                    .arg("Duel");
                command
            }
            Contestant::Capnp | Contestant::Ours => {
                let mut command = Command::new(std::env::current_exe()?);
                let name = self.to_possible_value().ok_or("every contestant has a name")?;
                command.args(["play", name.get_name(), &lease.as_millis().to_string()]);
                command
            }
        };
        command.args(role.arguments());
        Ok(command)
    }
}

/// JVM options for many processes on a few cores.
const MODEST: [&str; 4] =
    ["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];

fn rmi_properties(lease: Duration) -> Vec<String> {
    let (lease, half) = (lease.as_millis(), lease.as_millis() / 2);
    vec![
        "-Djava.rmi.server.hostname=127.0.0.1".to_owned(),
        format!("-Djava.rmi.dgc.leaseValue={lease}"),
        // Half a lease is the default.
        format!("-Dsun.rmi.dgc.checkInterval={half}"),
        // The default is an hour. Until then a holder does not notice a dropped reference, nor an owner an object it may free.
        format!("-Dsun.rmi.dgc.client.gcInterval={half}"),
        format!("-Dsun.rmi.dgc.server.gcInterval={half}"),
    ]
}

/// Compiles the Java contestant. Returns the Java version.
async fn java() -> Result<String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/rmi/Duel.java");
    let mut compiler = Command::new("javac");
    let output = compiler.arg("-d").arg(classes()?).arg(source).kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("javac: {error}"))?;
    if !output.status.success() {
        return Err(format!("javac: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let output = Command::new("java").arg("--version").kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("java: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}

/// Returns the folder for Java classes, beside this program in cargo's target folder.
fn classes() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("duel-classes"))
}

fn locked_version(package: &str) -> Result<&'static str> {
    let (_, rest) = include_str!("../../Cargo.lock")
        .split_once(&format!("name = \"{package}\"\nversion = \""))
        .ok_or_else(|| format!("{package} is not in Cargo.lock"))?;
    Ok(rest.split('"').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let version = locked_version("capnp-rpc").expect("it is a dependency");
        assert!(version.starts_with("0."), "{version}");
        assert!(locked_version("no such package").is_err());
    }

    #[test]
    fn all_contestants_get_the_same_arguments() {
        let role = Role::Owner { port: 4001, life: 1 };
        for contestant in Contestant::value_variants() {
            let command = contestant.command(&role, Duration::from_secs(10)).expect("a command");
            let line = format!("{:?}", command.as_std());
            assert!(line.ends_with(r#""owner" "4001" "1""#) && line.contains("10000"), "{line}");
        }
    }
}
