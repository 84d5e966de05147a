//! The reports of a contestant's process, one line each: writing and parsing.
//!
//! It must not know which process sends them.

use std::fmt;
use std::str::FromStr;

/// One report. A name identifies an object by its owner's incarnation and a number: `1.2` is the second object of the first
/// incarnation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Report {
    /// The owner accepts connections.
    Ready,
    /// The owner created an object.
    Made(String),
    /// The owner freed an object that nothing refers to any more.
    Freed(String),
    /// The holder has a reference to its object.
    Holds(String),
    /// A call returned the name of the held object.
    Alive,
    /// A call returned the name of another object.
    Wrong(String),
    /// A call failed, with this kind of error.
    Failed(String),
    /// The churner has called an object and dropped it.
    Dropped(String),
    /// The churner has finished.
    Done,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Ready => write!(f, "ready"),
            Report::Made(name) => write!(f, "made {name}"),
            Report::Freed(name) => write!(f, "freed {name}"),
            Report::Holds(name) => write!(f, "holds {name}"),
            Report::Alive => write!(f, "alive"),
            Report::Wrong(name) => write!(f, "wrong {name}"),
            Report::Failed(kind) => write!(f, "failed {kind}"),
            Report::Dropped(name) => write!(f, "dropped {name}"),
            Report::Done => write!(f, "done"),
        }
    }
}

impl FromStr for Report {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words[..] {
            ["ready"] => Report::Ready,
            ["made", name] => Report::Made(name.to_owned()),
            ["freed", name] => Report::Freed(name.to_owned()),
            ["holds", name] => Report::Holds(name.to_owned()),
            ["alive"] => Report::Alive,
            ["wrong", name] => Report::Wrong(name.to_owned()),
            ["failed", kind] => Report::Failed(kind.to_owned()),
            ["dropped", name] => Report::Dropped(name.to_owned()),
            ["done"] => Report::Done,
            _ => return Err(format!("not a report of the contract: {line:?}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_parsed() {
        let name = || "1.2".to_owned();
        for report in [
            Report::Ready,
            Report::Made(name()),
            Report::Freed(name()),
            Report::Holds(name()),
            Report::Alive,
            Report::Wrong(name()),
            Report::Failed("Stale".to_owned()),
            Report::Dropped(name()),
            Report::Done,
        ] {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in ["", "freed", "alive 1.2", "failed two words", "Exception in thread main"] {
            assert!(line.parse::<Report>().is_err(), "{line:?}");
        }
    }
}
