//! Parses one transcript, plays it, and compares the output.
//!
//! It must not know the examples, nor how a terminal works.

use std::collections::BTreeMap;

use crate::netcat;
use crate::terminal::{self, Terminal};

/// The command of the course that runs an example. The tests run the built example, without cargo.
pub(crate) const CARGO: &str = "cargo run -q -p examples --example ";

/// The port in the course; the tests replace it by a free one.
const PORT: &str = "12345";

/// The meaning of one line of a transcript. Terminals are numbered, unless there is only one.
#[derive(Debug, PartialEq)]
enum Step<'a> {
    /// `1$ command`: starts it. The previous command in this terminal must have succeeded.
    Start(&'a str),
    /// `1$`: the prompt is back; the command must have succeeded.
    Prompt,
    /// `1> line`: types the line.
    Type(&'a str),
    /// `1> ^C`
    Interrupt,
    /// `1> ^D`
    EndInput,
    /// `1  line`: the command must print it.
    Print(&'a str),
}

/// Plays a transcript line by line.
pub(crate) fn play(name: &str, lines: &[String]) {
    let text = lines.join("\n");
    if text.contains("nc ") && !netcat::is_here(&format!("a transcript of `{name}`")) {
        return;
    }
    let port = terminal::free_port().to_string();
    let text = text.replace(PORT, &port);
    let numbered = text.starts_with("1$ ");
    let mut terminals: BTreeMap<char, Terminal> = BTreeMap::new();
    for line in text.lines() {
        let (number, step) = read(line, numbered);
        match (step, terminals.get_mut(&number)) {
            (Step::Start(command), before) => {
                if let Some(before) = before {
                    before.ends(line);
                }
                terminals.insert(number, Terminal::start(&built(command)));
            }
            (step, Some(terminal)) => match step {
                Step::Prompt => terminal.ends(line),
                Step::Type(typed) => terminal.type_line(typed),
                Step::Interrupt => terminal.stop(),
                Step::EndInput => terminal.end_input(),
                Step::Print(wanted) => {
                    let printed = shown(&terminal.next_line(line), &port);
                    assert_eq!(printed, wanted, "in the transcript of `{name}`:\n{text}\n");
                }
                Step::Start(_) => unreachable!("matched above"),
            },
            (_, None) => panic!("terminal {number} has no command yet: {line}"),
        }
    }
    // In reverse order: clients end before their server.
    for (number, mut terminal) in terminals.into_iter().rev() {
        if numbered {
            terminal.stop(); // a server would not end by itself
        } else {
            terminal.ends("the end");
        }
        let rest = terminal.rest();
        assert!(rest.is_empty(), "terminal {number} of `{name}` also printed:\n{rest}");
    }
}

fn read(line: &str, numbered: bool) -> (char, Step<'_>) {
    if !numbered {
        let step = line.strip_prefix("$ ").map_or(Step::Print(line), Step::Start);
        return ('1', step);
    }
    let mut rest = line.chars();
    let number = rest.next().filter(char::is_ascii_digit);
    let number = number.unwrap_or_else(|| panic!("the line has no terminal number: `{line}`"));
    let said = &rest.as_str()[rest.as_str().len().min(2)..];
    let step = match (rest.next(), said) {
        (Some('$'), "") => Step::Prompt,
        (Some('$'), command) => Step::Start(command),
        (Some('>'), "^C") => Step::Interrupt,
        (Some('>'), "^D") => Step::EndInput,
        (Some('>'), typed) => Step::Type(typed),
        (Some(' '), printed) => Step::Print(printed),
        _ => panic!("the line is neither a command, nor input, nor output: `{line}`"),
    };
    (number, step)
}

/// Replaces `cargo run` in a command by the built example.
fn built(command: &str) -> String {
    let Some((before, call)) = command.split_once(CARGO) else { return command.to_owned() };
    let (name, arguments) = call.split_once(' ').unwrap_or((call, ""));
    let arguments = arguments.strip_prefix("-- ").unwrap_or(arguments);
    format!("{before}'{}' {arguments}", terminal::example(name).display())
}

/// Replaces a port that the system chose by `PORT`.
fn shown(line: &str, port: &str) -> String {
    const HOST: &str = "tcp://127.0.0.1:";
    let Some((before, after)) = line.split_once(HOST) else { return line.to_owned() };
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if &after[..digits] == port {
        return line.to_owned();
    }
    format!("{before}{HOST}PORT{}", &after[digits..])
}

#[test]
fn lines_are_parsed() {
    assert_eq!(read("1$ nc -lk 12345", true), ('1', Step::Start("nc -lk 12345")));
    assert_eq!(read("2$", true), ('2', Step::Prompt));
    assert_eq!(read("2> two words", true), ('2', Step::Type("two words")));
    assert_eq!(read("2> ^C", true), ('2', Step::Interrupt));
    assert_eq!(read("3  > quoted", true), ('3', Step::Print("> quoted")));
    assert_eq!(read("$ date", false), ('1', Step::Start("date")));
    assert_eq!(read("1$ is printed", false), ('1', Step::Print("1$ is printed")));
}

#[test]
#[should_panic(expected = "also printed")]
fn an_extra_line_fails() {
    play("test", &["$ echo one; echo two".into(), "one".into()]);
}

#[test]
#[should_panic(expected = "in the transcript of `test`")]
fn a_different_line_fails() {
    play("test", &["$ echo one".into(), "two".into()]);
}

#[test]
#[should_panic(expected = "failed")]
fn a_failed_command_fails() {
    play("test", &["$ echo one; exit 3".into(), "one".into()]);
}
