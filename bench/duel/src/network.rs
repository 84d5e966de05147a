//! A network of our own, and what is done to it. It owns the namespace and the rules in it, and must not know who talks over
//! it.
//!
//! The whole program moves into a fresh namespace, which has a loopback interface and nothing else, and which ends with
//! the last process in it: so there is nothing to tidy up, even after `kill -9`.

use std::os::unix::process::CommandExt;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Result;

/// What says on the command line that the program has moved already.
pub(crate) const INSIDE: &str = "--inside";

/// Deletes the table, also if there is none.
const NONE: &str = "table inet duel\ndelete table inet duel\n";

/// A loopback interface that nobody else uses.
pub(crate) struct Network(());

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Every packet vanishes, and nobody is told.
    Silence,
    /// Every packet is answered with a reset.
    Reset,
    /// One packet in five vanishes.
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

/// Runs this program again, in a namespace. Returns only if there can be none, and why.
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
            return "no network namespace can be made; it needs root, or user namespaces".into();
        }
        Err(error) => return format!("unshare: {error}"),
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return format!("this program is not found: {error}"),
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
    /// In a fresh namespace: starts the interface, and finds out whether rules can be made.
    pub(crate) async fn start() -> Result<Self> {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().await;
        if !up.map_err(|error| format!("ip: {error}"))?.success() {
            return Err("the loopback interface does not start".into());
        }
        // The rules hit whoever is here.
        let interfaces = std::fs::read_to_string("/proc/self/net/dev")?;
        if interfaces.lines().skip(2).any(|line| !line.trim_start().starts_with("lo:")) {
            return Err("this is no namespace of our own".into());
        }
        let network = Self(());
        network.rules(NONE).await?;
        Ok(network)
    }

    /// From now on.
    pub(crate) async fn inject(&self, fault: Fault) -> Result<()> {
        let chain = "chain arriving {\n type filter hook input priority 0";
        self.rules(&format!(
            "table inet duel {{\n{chain}\n meta l4proto tcp {}\n}}\n}}\n",
            fault.rule()
        ))
        .await
    }

    /// No longer. Says how many packets were hit.
    pub(crate) async fn heal(&self) -> Result<u64> {
        let output =
            Command::new("nft").args(["-j", "list", "table", "inet", "duel"]).output().await?;
        let hit = packets(&output.stdout).ok_or("the rules cannot be read back")?;
        self.rules(NONE).await?;
        Ok(hit)
    }

    async fn rules(&self, rules: &str) -> Result<()> {
        let mut nft = Command::new("nft")
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| format!("nft: {error}"))?;
        let mut input = nft.stdin.take().ok_or("its input was asked for")?;
        input.write_all(rules.as_bytes()).await?;
        drop(input);
        if nft.wait().await?.success() { Ok(()) } else { Err("nft refuses".into()) }
    }
}

/// The sum of all counters in what nft lists.
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
    fn packets_are_counted_over_all_rules() {
        let json = br#"{"nftables": [{"metainfo": {}}, {"table": {"name": "duel"}},
            {"rule": {"expr": [{"match": {}}, {"counter": {"packets": 3, "bytes": 180}}, {"drop": null}]}},
            {"rule": {"expr": [{"counter": {"packets": 4, "bytes": 240}}, {"accept": null}]}}]}"#;
        assert_eq!(packets(json), Some(7));
        assert_eq!(packets(br#"{"nftables": []}"#), Some(0));
        assert_eq!(packets(b"not json"), None);
    }
}
