//! The command line: which command is meant, and how the process ends. Knows nothing of what the commands do.

mod address;
mod chat;
mod client;
mod demo;
mod ending;
mod failure;
mod hall;
mod heard;
mod input;
mod lease;
mod log;
mod name;
mod room;
mod series;
mod serve;
mod show;
mod terminal;
mod transcript;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Failure;
use crate::terminal::note;

/// A Transcript that many processes write to and watch, and a chat beside it.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = help(&[
    ("remote-transcript serve", "host a Transcript and a chat at tcp://127.0.0.1:4096"),
    ("remote-transcript watch", "in a second terminal: see what is shown"),
    ("remote-transcript show Hello, world", "in a third: show something"),
    ("remote-transcript demo", "all of it by itself, counted"),
]))]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Host a Transcript and a chat, and show the lines of the Transcript as they come
    ///
    /// The first line of the output says where it listens. Ctrl-C or SIGTERM end it: those who watch and talk hear the
    /// rest and are told. It goes on when its output is closed.
    #[command(after_help = help(&[
        ("remote-transcript serve", "listen at tcp://127.0.0.1:4096"),
        ("remote-transcript serve --listen tcp://127.0.0.1:0", "at a free port, which the first line says"),
        ("remote-transcript serve --listen unix:///tmp/transcript", "at a socket in the file system"),
        ("remote-transcript serve --lease 5", "who loses the connection has some 5 seconds to come back"),
    ]))]
    Serve(serve::Serve),

    /// Show a line, or each line of standard input, on a Transcript
    ///
    /// What is not UTF-8 is shown as far as it is, and a note says so. When the connection is lost it waits for its return,
    /// and each line still arrives once.
    #[command(after_help = help(&[
        ("remote-transcript show Hello, world", "one line"),
        ("remote-transcript show", "each line as you type it; Ctrl-D ends"),
        ("remote-transcript show --name build < build.log", "a whole file, in order"),
        ("remote-transcript show --name build --continue < build.log", "and, once more, the rest of it if that was killed"),
    ]))]
    Show(show::Show),

    /// Mirror the lines of a Transcript here
    ///
    /// Ends with 0 when the server shuts down in peace and every line was shown, at Ctrl-C, and when nobody reads the
    /// output any more. Who loses the connection for a while misses nothing. Who reads too slowly for ten seconds misses lines, and is told how many.
    #[command(after_help = help(&[
        ("remote-transcript watch", "lines from now on, with sender and time"),
        ("remote-transcript watch --last 20", "and before those the last 20"),
        ("remote-transcript watch --plain | grep error", "the bare text, for pipes"),
    ]))]
    Watch(watch::Watch),

    /// Talk with others in the chat of a server
    ///
    /// Each line of standard input is said to all; /who, /leave and /help are commands, //text says what begins with a
    /// slash. Who loses the connection is away, and gone if it does not come back before the lease ends.
    #[command(after_help = help(&[
        ("remote-transcript chat --name ada", "join, and talk until /leave or Ctrl-D"),
        ("remote-transcript chat --name ada --to tcp://127.0.0.1:4096", "somewhere else"),
        ("echo done | remote-transcript chat --name build", "say one thing and leave"),
    ]))]
    Chat(chat::Chat),

    /// Start a server, two writers and a watcher as processes of their own, and count what arrives where
    #[command(after_help = help(&[
        ("remote-transcript demo", "a few seconds; ends with the counts"),
        ("remote-transcript demo --cut", "the same, while the network fails and a writer is killed"),
        ("remote-transcript demo --lines 100000", "a longer one"),
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
    // A thread that still waits for a terminal must not hold up the end.
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

/// What stands below a help text: examples, and the exit codes.
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
    fn the_command_line_is_consistent_and_every_command_has_examples() {
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
