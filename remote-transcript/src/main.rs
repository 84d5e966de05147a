//! The command line: selects the command and reports its failure. It must not know what the commands do.

mod address;
mod chat;
mod client;
mod demo;
mod failure;
mod gap_counter;
mod hosted_room;
mod input;
mod lease;
mod log;
mod room;
mod series;
mod serve;
mod show;
mod shutdown;
mod terminal;
mod transcript;
mod user_name;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Failure;
use crate::terminal::note;

/// A Transcript that many processes write to and watch, and a chat
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = help(&[
    ("remote-transcript serve", "host a Transcript and a chat at tcp://127.0.0.1:4096"),
    ("remote-transcript watch", "in a second terminal: print all lines"),
    ("remote-transcript show Hello, world", "in a third: send a line"),
    ("remote-transcript demo", "run all of these and count the lines"),
]))]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Host a Transcript and a chat, and print the lines of the Transcript as they arrive
    ///
    /// The first line of the output is the address. Ctrl-C or SIGTERM shut the server down: watchers and members get
    /// the remaining lines and are notified. The server keeps running when its output is closed.
    #[command(after_help = help(&[
        ("remote-transcript serve", "listen at tcp://127.0.0.1:4096"),
        ("remote-transcript serve --listen tcp://127.0.0.1:0", "at a free port; the first line of the output has its number"),
        ("remote-transcript serve --listen unix:///tmp/transcript", "at a Unix socket"),
        ("remote-transcript serve --lease 5", "a client that loses the connection has 5 seconds to reconnect"),
    ]))]
    Serve(serve::Serve),

    /// Send a line, or each line of standard input, to a Transcript
    ///
    /// Bytes that are not UTF-8 are replaced, and a note says so. When the connection is lost, the command reconnects;
    /// each line still arrives exactly once.
    #[command(after_help = help(&[
        ("remote-transcript show Hello, world", "one line"),
        ("remote-transcript show", "each line as you type it, until Ctrl-D"),
        ("remote-transcript show --name build < build.log", "a whole file, in order"),
        ("remote-transcript show --name build --continue < build.log", "after a crash of such a command: send the rest"),
    ]))]
    Show(show::Show),

    /// Print the lines of a Transcript
    ///
    /// Exits with 0 when the server shuts down and every line was printed, at Ctrl-C, and when the output is closed. No
    /// line is lost when the connection is lost and restored. If the output is read too slowly for ten seconds, lines
    /// are lost; the command prints how many.
    #[command(after_help = help(&[
        ("remote-transcript watch", "new lines, with time and sender"),
        ("remote-transcript watch --last 20", "the last 20 lines first"),
        ("remote-transcript watch --plain | grep error", "only the text, for pipes"),
    ]))]
    Watch(watch::Watch),

    /// Join the chat of a server
    ///
    /// Each line of standard input is sent to all members; /who, /leave and /help are commands, //text sends a text
    /// that begins with a slash. A member that loses the connection is shown as away, and is removed if it does not
    /// reconnect before the lease expires.
    #[command(after_help = help(&[
        ("remote-transcript chat --name ada", "join, until /leave or Ctrl-D"),
        ("remote-transcript chat --name ada --to tcp://127.0.0.1:4096", "at another server"),
        ("echo done | remote-transcript chat --name build", "send one line and leave"),
    ]))]
    Chat(chat::Chat),

    /// Start a server, two writers and a watcher as separate processes, and count the lines that arrive
    #[command(after_help = help(&[
        ("remote-transcript demo", "a few seconds; the counts come last"),
        ("remote-transcript demo --cut", "the same, with a network failure and a killed writer"),
        ("remote-transcript demo --lines 100000", "more lines"),
    ]))]
    Demo(demo::Demo),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(&error.into()),
    };
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Serve(serve) => serve.run().await,
            Command::Show(show) => show.run().await,
            Command::Watch(watch) => watch.run().await,
            Command::Chat(chat) => chat.run().await,
            Command::Demo(demo) => demo.run().await,
        }
    });
    // Does not wait for threads that are blocked in a read of standard input.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

fn report(failure: &Failure) -> ExitCode {
    note(failure);
    failure.exit_code()
}

/// Returns the end of a help text: examples, and the exit codes.
fn help(examples: &[(&str, &str)]) -> String {
    let width = examples.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let lines: String = examples
        .iter()
        .map(|(command, meaning)| format!("  {command:width$}  {meaning}\n"))
        .collect();
    format!("Examples:\n{lines}\n{}", failure::EXIT_CODES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_has_examples_and_exit_codes() {
        let mut command = Arguments::command();
        command.build();
        command.clone().debug_assert();
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.clone().render_long_help().to_string();
            assert!(help.contains("Examples:\n  remote-transcript "), "{help}");
            assert!(help.contains("Exit codes:"), "{help}");
        }
    }
}
