//! What the processes of a contestant say, a line each. It owns the words, both ways, and must not know who says them.

use std::fmt;
use std::str::FromStr;

/// One line. A name says which object it is, of which life of its owner: `1.2` is the second one of the first life.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// An owner can be reached.
    Ready,
    /// An owner made an object.
    Made(String),
    /// An owner's object is gone, since nobody holds it.
    Freed(String),
    /// A holder has its object.
    Holds(String),
    /// The held object answered, with its own name.
    Alive,
    /// Another object answered.
    Wrong(String),
    /// A call failed, with this kind of error.
    Failed(String),
    /// A churner had an object, and dropped it.
    Dropped(String),
    /// A churner makes no more.
    Done,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Ready => write!(f, "ready"),
            Said::Made(name) => write!(f, "made {name}"),
            Said::Freed(name) => write!(f, "freed {name}"),
            Said::Holds(name) => write!(f, "holds {name}"),
            Said::Alive => write!(f, "alive"),
            Said::Wrong(name) => write!(f, "wrong {name}"),
            Said::Failed(kind) => write!(f, "failed {kind}"),
            Said::Dropped(name) => write!(f, "dropped {name}"),
            Said::Done => write!(f, "done"),
        }
    }
}

impl FromStr for Said {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words[..] {
            ["ready"] => Said::Ready,
            ["made", name] => Said::Made(name.to_owned()),
            ["freed", name] => Said::Freed(name.to_owned()),
            ["holds", name] => Said::Holds(name.to_owned()),
            ["alive"] => Said::Alive,
            ["wrong", name] => Said::Wrong(name.to_owned()),
            ["failed", kind] => Said::Failed(kind.to_owned()),
            ["dropped", name] => Said::Dropped(name.to_owned()),
            ["done"] => Said::Done,
            _ => return Err(format!("not of the contract: {line:?}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let name = || "1.2".to_owned();
        for said in [
            Said::Ready,
            Said::Made(name()),
            Said::Freed(name()),
            Said::Holds(name()),
            Said::Alive,
            Said::Wrong(name()),
            Said::Failed("Stale".to_owned()),
            Said::Dropped(name()),
            Said::Done,
        ] {
            assert_eq!(said.to_string().parse(), Ok(said));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for line in ["", "freed", "alive 1.2", "failed two words", "Exception in thread main"] {
            assert!(line.parse::<Said>().is_err(), "{line:?}");
        }
    }
}
