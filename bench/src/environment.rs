//! The machine, the date and the versions that the figures belong to.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use crate::build;

/// Describes the machine, without the date: processor, cores, memory, kernel.
pub(crate) fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processor = field(&read("/proc/cpuinfo"), "model name")
        .unwrap_or_else(|| format!("{} processor", std::env::consts::ARCH));
    let cores = available_parallelism().map_or(1, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|size| size.strip_suffix(" kB")?.parse::<f64>().ok())
        .map(|kibibytes| format!(", {:.0} GiB", kibibytes / f64::from(1 << 20)))
        .unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{processor}, {cores} cores{memory}, Linux {}", kernel.trim())
}

/// Returns the lines for the head of the tables: machine, date, toolchain, revision and the versions of what the
/// contestants are made of.
pub(crate) async fn lines(contestants: &[&str]) -> Vec<String> {
    let unknown = || "unknown".to_owned();
    let mut lines = vec![
        format!("machine: {}", machine()),
        format!("date: {}", first_line("date", &["-u", "+%F"]).unwrap_or_else(unknown)),
        format!("toolchain: {}", first_line("rustc", &["--version"]).unwrap_or_else(unknown)),
    ];
    let revision = ["-C", build::DIRECTORY, "describe", "--always", "--dirty"];
    lines.extend(first_line("git", &revision).map(|revision| format!("revision: {revision}")));
    let lock = fs::read_to_string(Path::new(build::DIRECTORY).join("Cargo.lock"));
    let crates = versions(&lock.unwrap_or_default(), contestants);
    lines.push(format!("crates: {}", crates.join(", ")));
    if contestants.contains(&"rmi")
        && let Ok(version) = build::java_version().await
    {
        lines.push(format!("java: {version}"));
    }
    lines
}

/// Returns name and version of tokio and of the crates that the contestants measure.
fn versions(lock: &str, contestants: &[&str]) -> Vec<String> {
    let mut names = vec!["tokio"];
    for contestant in contestants {
        let name = match *contestant {
            ours if ours.starts_with("ours") => "remote-core",
            "capnp" => "capnp-rpc",
            "tarpc" | "tonic" | "remoc" => contestant,
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.iter().filter_map(|name| Some(format!("{name} {}", version(lock, name)?))).collect()
}

/// Finds the version of a package in the text of a Cargo.lock.
fn version<'l>(lock: &'l str, name: &str) -> Option<&'l str> {
    let (_, package) = lock.split_once(&format!("[[package]]\nname = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}

/// Finds the value of a `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut named = values.filter(|(field, _)| field.trim() == name);
    named.next().map(|(_, value)| value.trim().to_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().filter(|_| output.status.success()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\n\n\
                    [[package]]\nname = \"capnp-rpc\"\nversion = \"0.27.0\"\nsource = \"x\"\n";
        assert_eq!(versions(lock, &["raw", "capnp"]), ["tokio 1.54.1", "capnp-rpc 0.27.0"]);
        assert_eq!(versions("", &["raw"]), [""; 0]);
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "model\t\t: 1\nmodel name\t: AMD EPYC\nMemTotal:   2097152 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(field(text, "MemTotal").as_deref(), Some("2097152 kB"));
        assert_eq!(field(text, "name"), None);
    }

    #[test]
    fn this_machine_has_a_description() {
        let machine = machine();
        assert!(machine.contains(" cores") && machine.contains("Linux "), "{machine}");
    }
}
