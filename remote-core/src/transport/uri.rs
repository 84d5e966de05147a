//! A parsed address, and the rules for names of published objects.
//!
//! It must not know which transports there are.

use crate::error::{Error, Result};

/// The longest name of a published object, in bytes.
const MAX_NAME: usize = 256;

/// The address of a node, with the name of an object there if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Uri {
    pub(crate) scheme: &'static str,
    pub(crate) place: String,
    pub(crate) name: String,
}

impl Uri {
    /// Returns the address of the node alone.
    pub(crate) fn node(&self) -> String {
        format!("{}://{}", self.scheme, self.place)
    }
}

/// Refuses a name that could not be part of an address.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty()
        || name.len() > MAX_NAME
        || name.contains('/')
        || name.chars().any(char::is_control)
    {
        return Err(Error::Refused(format!(
            "`{}` cannot be a name: a name has 1 to {MAX_NAME} bytes, no `/` and no control characters",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// Returns the error for a text that is not an address.
pub(crate) fn invalid(text: &str, reason: &str) -> Error {
    Error::InvalidUri { uri: text.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_into_an_address_are_refused() {
        assert_eq!(check_name("log"), Ok(()));
        for wrong in ["", "a/b", "a\nb", &"x".repeat(MAX_NAME + 1)] {
            assert!(matches!(check_name(wrong), Err(Error::Refused(_))), "{wrong}");
        }
    }
}
