//! The lines by which a contestant tells the runner where it is. This file owns their text and must not know when they
//! are printed.

use std::fmt;
use std::str::FromStr;

use crate::command::say;

/// A moment at which the runner looks at both processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The measured time begins.
    Begin,
    /// The measured time has ended; the load is still up.
    End,
    /// `hold` only: everything is made, nothing is sent.
    IdleBegin,
    /// `hold` only: the rest has ended.
    IdleEnd,
}

impl Mark {
    const ALL: [Self; 4] = [Self::Begin, Self::End, Self::IdleBegin, Self::IdleEnd];

    pub(crate) fn announce(self) {
        say(format_args!("{self}"));
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Begin => "MARK begin",
            Self::End => "MARK end",
            Self::IdleBegin => "MARK idle0",
            Self::IdleEnd => "MARK idle1",
        })
    }
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mark| mark.to_string() == line)
            .ok_or_else(|| format!("no such mark: {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_read_as_it_is_written() {
        for mark in Mark::ALL {
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        assert!("MARK middle".parse::<Mark>().is_err());
        assert!("begin".parse::<Mark>().is_err());
    }
}
