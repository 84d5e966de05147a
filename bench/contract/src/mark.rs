//! The `MARK` lines, by which a client reports its progress to the runner.

use std::fmt;
use std::str::FromStr;

use crate::command::print_line;

/// A moment at which the runner reads CPU time and memory of both processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The measured time begins.
    Begin,
    /// The measured time has ended; the load is still running.
    End,
    /// `table` and `idle` only: nothing is held yet.
    HeldBegin,
    /// `table` and `idle` only: everything to be held is there.
    HeldEnd,
    /// `hold`, `table` and `idle` only: everything is held, nothing is sent.
    IdleBegin,
    /// `hold`, `table` and `idle` only: the time without calls has ended.
    IdleEnd,
}

impl Mark {
    const ALL: [Self; 6] =
        [Self::Begin, Self::End, Self::HeldBegin, Self::HeldEnd, Self::IdleBegin, Self::IdleEnd];

    /// Prints the line.
    pub(crate) fn announce(self) {
        print_line(format_args!("{self}"));
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Begin => "MARK begin",
            Self::End => "MARK end",
            Self::HeldBegin => "MARK held0",
            Self::HeldEnd => "MARK held1",
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
            .ok_or_else(|| format!("unknown mark: {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_round_trip() {
        for mark in Mark::ALL {
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        assert!("MARK middle".parse::<Mark>().is_err());
        assert!("begin".parse::<Mark>().is_err());
    }
}
