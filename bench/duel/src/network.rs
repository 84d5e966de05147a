//! A private network namespace, and the rules that inject faults into it.
//!
//! It must not know which processes use it. The whole program moves into a new namespace with a loopback interface only. The
//! namespace ends with the last process in it, so that no cleanup is needed, even after `kill -9`.

use std::os::unix::process::CommandExt;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Result;

/// The option that marks a program which runs in the namespace already.
pub(crate) const INSIDE: &str = "--inside";

/// Deletes the table, if it exists.
const NONE: &str = "table inet duel\ndelete table inet duel\n";

/// A loopback interface that no other program uses.
pub(crate) struct Network(());

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Every packet is dropped.
    Silence,
    /// Every packet is answered with a reset.
    Reset,
    /// One packet in five is dropped.
    Loss,
}

impl Fault {
    fn rule(self) -> &'static str {
        match self {
            Fault::Silence => "counter drop",
            // The resets themselves must pass.
            Fault::Reset => "tcp flags & rst != rst counter reject with tcp reset",
            Fault::Loss => "numgen random mod 100 < 20 counter drop",
        }
    }
}

/// Replaces this process by the same program in a new namespace. Returns only on failure, with the reason.
pub(crate) fn move_inside() -> String {
    let mut unshare = vec!["unshare", "--net"];
    if !rustix::process::geteuid().is_root() {
        unshare.push("--map-root-user");
    }
    let possible = std::process::Command::new(unshare[0])
        .args(&unshare[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status();
    match possible {
        Ok(status) if status.success() => {}
        Ok(_) => {
            return "cannot create a network namespace; this needs root, or user namespaces".into();
        }
        Err(error) => return format!("unshare: {error}"),
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return format!("cannot find the path of this program: {error}"),
    };
    let error = std::process::Command::new(unshare[0])
        .args(&unshare[1..])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .arg(INSIDE)
        .exec();
    format!("unshare: {error}")
}

impl Network {
    /// Starts the interface in the new namespace, and checks that rules can be set.
    pub(crate) async fn start() -> Result<Self> {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().await;
        if !up.map_err(|error| format!("ip: {error}"))?.success() {
            return Err("cannot start the loopback interface".into());
        }
        // The rules affect every process in the namespace.
        let interfaces = std::fs::read_to_string("/proc/self/net/dev")?;
        if interfaces.lines().skip(2).any(|line| !line.trim_start().starts_with("lo:")) {
            return Err("this is not a private network namespace".into());
        }
        let network = Self(());
        network.rules(NONE).await?;
        Ok(network)
    }

    /// Injects a fault.
    pub(crate) async fn inject(&self, fault: Fault) -> Result<()> {
        let chain = "chain arriving {\n type filter hook input priority 0";
        self.rules(&format!(
            "table inet duel {{\n{chain}\n meta l4proto tcp {}\n}}\n}}\n",
            fault.rule()
        ))
        .await
    }

    /// Removes the fault. Returns the number of packets that it hit.
    pub(crate) async fn heal(&self) -> Result<u64> {
        let output =
            Command::new("nft").args(["-j", "list", "table", "inet", "duel"]).output().await?;
        let hit = packets(&output.stdout).ok_or("cannot read the rules back")?;
        self.rules(NONE).await?;
        Ok(hit)
    }

    async fn rules(&self, rules: &str) -> Result<()> {
        let mut nft = Command::new("nft")
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| format!("nft: {error}"))?;
        let mut input = nft.stdin.take().ok_or("its input is piped")?;
        input.write_all(rules.as_bytes()).await?;
        drop(input);
        if nft.wait().await?.success() { Ok(()) } else { Err("nft refuses the rules".into()) }
    }
}

/// Returns the sum of all counters in the output of nft.
fn packets(json: &[u8]) -> Option<u64> {
    let listing: serde_json::Value = serde_json::from_slice(json).ok()?;
    let expressions =
        listing["nftables"].as_array()?.iter().filter_map(|entry| entry["rule"]["expr"].as_array());
    Some(expressions.flatten().filter_map(|part| part["counter"]["packets"].as_u64()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_all_rules_are_added() {
        let json = br#"{"nftables": [{"metainfo": {}}, {"table": {"name": "duel"}},
            {"rule": {"expr": [{"match": {}}, {"counter": {"packets": 3, "bytes": 180}}, {"drop": null}]}},
            {"rule": {"expr": [{"counter": {"packets": 4, "bytes": 240}}, {"accept": null}]}}]}"#;
        assert_eq!(packets(json), Some(7));
        assert_eq!(packets(br#"{"nftables": []}"#), Some(0));
        assert_eq!(packets(b"not json"), None);
    }
}
