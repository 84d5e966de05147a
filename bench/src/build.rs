//! Builds the contestants: Rust packages with cargo, Java sources with javac.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use contract::Result;
use tokio::process::Command;

use crate::contestant::CommandLine;

/// The directory of this package, which is also the root of the workspace.
pub(crate) const DIRECTORY: &str = env!("CARGO_MANIFEST_DIR");

/// Builds a package of this workspace in release mode, and returns the path of its binary.
///
/// # Errors
/// Returns an error if there is no such package, if it does not build, or if it has no binary of its own name. The errors
/// of cargo go to stderr.
pub(crate) async fn package(package: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--message-format=json-render-diagnostics"]);
    command.args(["--package", package, "--manifest-path"]);
    command.arg(Path::new(DIRECTORY).join("Cargo.toml"));
    let output = output(command.stdout(Stdio::piped())).await?;
    if !output.status.success() {
        return Err(format!("package `{package}` is not there or does not build").into());
    }
    executable(&String::from_utf8_lossy(&output.stdout), package)
        .ok_or_else(|| format!("package `{package}` has no binary of that name").into())
}

/// Finds the path of the binary in the JSON messages of cargo.
fn executable(messages: &str, package: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == package)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Compiles the Java contestant, and returns the command that starts it. The classes go beside the runner's binary.
///
/// # Errors
/// Returns an error if there are no sources, if `javac` or `java` is missing, or if the sources do not compile.
pub(crate) async fn rmi() -> Result<CommandLine> {
    let sources = java_sources(&Path::new(DIRECTORY).join("peers/rmi"))?;
    let classes = std::env::current_exe()?.with_file_name("rmi-classes");
    if classes.exists() {
        // Classes whose sources are gone must not stay.
        fs::remove_dir_all(&classes)?;
    }
    let mut javac = Command::new("javac");
    javac.arg("-d").arg(&classes).args(sources);
    if !output(&mut javac).await?.status.success() {
        return Err("its sources do not compile".into());
    }
    java_version().await?;
    let arguments = [OsStr::new("-cp"), classes.as_os_str(), OsStr::new("Peer")];
    Ok(CommandLine::new("java", arguments))
}

/// Returns the first line of `java -version`.
///
/// # Errors
/// Returns an error if there is no Java runtime.
pub(crate) async fn java_version() -> Result<String> {
    let output = output(Command::new("java").arg("-version").stderr(Stdio::piped())).await?;
    let text = String::from_utf8_lossy(&output.stderr);
    match text.lines().next() {
        Some(line) if output.status.success() => Ok(line.to_owned()),
        _ => Err("`java -version` fails".into()),
    }
}

fn java_sources(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    if directory.exists() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension() == Some(OsStr::new("java")) {
                sources.push(path);
            }
        }
    }
    if sources.is_empty() {
        return Err(format!("no Java sources in {}", directory.display()).into());
    }
    Ok(sources)
}

/// Runs a tool until it exits. It is killed if the future is dropped. Only what is piped is captured.
async fn output(command: &mut Command) -> Result<Output> {
    let name = command.as_std().get_program().display().to_string();
    let start = command.stdin(Stdio::null()).kill_on_drop(true).spawn();
    let child = start.map_err(|error| format!("`{name}` does not start: {error}"))?;
    Ok(child.wait_with_output().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_has_the_name_of_the_package() {
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

    #[test]
    fn a_directory_without_java_sources_is_an_error() {
        for directory in [Path::new("/no/such"), &Path::new(DIRECTORY).join("src")] {
            let error = java_sources(directory).expect_err("none there").to_string();
            assert!(error.contains("no Java sources"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_missing_tool_is_named() {
        let error = output(&mut Command::new("/no/such/javac")).await.expect_err("not there");
        assert!(error.to_string().contains("/no/such/javac"), "{error}");
    }
}
