//! Names of users: their syntax, and the default. It must not know where they are used.

use std::fmt;

/// The most bytes of a name.
const LONGEST: usize = 32;

/// A text that is not a valid name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BadName(pub(crate) String);

/// Returns the text if it is a valid name. For command lines, and for messages from peers.
pub(crate) fn parse(text: &str) -> Result<String, BadName> {
    let fits = (1..=LONGEST).contains(&text.len());
    let readable = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@'));
    if fits && readable { Ok(text.to_owned()) } else { Err(BadName(text.to_owned())) }
}

/// Returns the name of the user from the environment, or `anonymous`.
pub(crate) fn user() -> String {
    let variables = ["USER", "LOGNAME", "USERNAME"].into_iter();
    let names = variables.filter_map(|variable| parse(&std::env::var(variable).ok()?).ok());
    names.into_iter().next().unwrap_or_else(|| "anonymous".to_owned())
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.escape_debug();
        write!(
            f,
            "`{text}` is not a valid name: use 1 to {LONGEST} letters, digits, and any of - _ . @"
        )
    }
}

impl std::error::Error for BadName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_readable_word() {
        for name in ["ada", "Émilie", "李", "build-7", "ada@far.away", "a"] {
            assert_eq!(parse(name).as_deref(), Ok(name));
        }
        for text in [
            "",
            "two words",
            "line\nend",
            "\x1b[2J",
            "a:b",
            "\u{202e}ada",
            &"x".repeat(LONGEST + 1),
        ] {
            assert_eq!(parse(text), Err(BadName(text.to_owned())));
        }
    }
}
