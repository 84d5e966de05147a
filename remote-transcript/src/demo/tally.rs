//! Counts the lines that one process has printed: which of the numbered lines of each sender, and in which order. It
//! must not know processes.

use std::collections::BTreeMap;
use std::fmt;

/// The lines that one process has printed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    numbers: BTreeMap<String, Vec<u64>>,
    /// The number of lines that no sender sent.
    unexpected: u64,
}

/// The errors in the lines of one sender.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct LineErrors {
    pub(crate) missing: u64,
    pub(crate) repeated: u64,
    pub(crate) out_of_order: u64,
}

/// Returns the text of a line of the demo.
pub(crate) fn text(number: u64, of: u64) -> String {
    format!("line {number} of {of}")
}

impl Tally {
    /// Counts a printed line, `TIME SENDER: line N of M`, and returns its number.
    pub(crate) fn count(&mut self, shown: &str, of: u64) -> Option<u64> {
        let parsed =
            parse(shown).filter(|(_, number, claimed)| *claimed == of && (1..=of).contains(number));
        match parsed {
            Some((sender, number, _)) => {
                self.numbers.entry(sender.to_owned()).or_default().push(number);
                Some(number)
            }
            None => {
                self.unexpected += 1;
                None
            }
        }
    }

    /// Returns the number of lines of the sender.
    pub(crate) fn from(&self, sender: &str) -> u64 {
        self.numbers.get(sender).map_or(0, |numbers| numbers.len() as u64)
    }

    /// Returns the number of lines that none of these senders sent.
    pub(crate) fn unexpected(&self, senders: &[&str]) -> u64 {
        let others = self.numbers.iter().filter(|(sender, _)| !senders.contains(&sender.as_str()));
        self.unexpected + others.map(|(_, numbers)| numbers.len() as u64).sum::<u64>()
    }

    /// Returns the errors in the lines 1 to `of` of the sender.
    pub(crate) fn errors(&self, sender: &str, of: u64) -> LineErrors {
        let numbers = self.numbers.get(sender).map_or(&[][..], Vec::as_slice);
        let mut distinct = numbers.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        LineErrors {
            missing: of - distinct.len() as u64,
            repeated: (numbers.len() - distinct.len()) as u64,
            out_of_order: numbers.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64,
        }
    }
}

impl fmt::Display for LineErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LineErrors { missing, repeated, out_of_order } = self;
        write!(f, "{missing} missing, {repeated} repeated, {out_of_order} out of order")
    }
}

fn parse(shown: &str) -> Option<(&str, u64, u64)> {
    let (_time, line) = shown.split_once(' ')?;
    let (sender, text) = line.split_once(": line ")?;
    let (number, of) = text.split_once(" of ")?;
    Some((sender, number.parse().ok()?, of.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(numbers: &[u64]) -> LineErrors {
        let mut tally = Tally::default();
        for number in numbers {
            assert_eq!(
                tally.count(&format!("12:00:00 ada: {}", text(*number, 4)), 4),
                Some(*number)
            );
        }
        assert_eq!(tally.from("ada"), numbers.len() as u64);
        tally.errors("ada", 4)
    }

    #[test]
    fn each_kind_of_error_is_counted() {
        assert_eq!(errors(&[1, 2, 3, 4]), LineErrors::default());
        assert_eq!(errors(&[1, 2, 4]), LineErrors { missing: 1, ..LineErrors::default() });
        assert_eq!(errors(&[1, 2, 2, 3, 4]), LineErrors { repeated: 1, ..LineErrors::default() });
        assert_eq!(errors(&[1, 3, 2, 4]), LineErrors { out_of_order: 1, ..LineErrors::default() });
        assert_eq!(errors(&[4, 3, 3]), LineErrors { missing: 2, repeated: 1, out_of_order: 1 });
        assert_eq!(errors(&[]), LineErrors { missing: 4, ..LineErrors::default() });
    }

    #[test]
    fn unexpected_lines_are_counted_separately() {
        let mut tally = Tally::default();
        for shown in [
            "12:00:00 eve: line 1 of 4",
            "12:00:00 ada: line 5 of 4",
            "12:00:00 ada: hello",
            "",
            "x y",
        ] {
            tally.count(shown, 4);
        }
        assert_eq!(tally.unexpected(&["ada"]), 5);
        assert_eq!(tally.unexpected(&["ada", "eve"]), 4);
    }
}
