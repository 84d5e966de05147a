//! Validation of the options in the parentheses of `#[remote(..)]`. It must not know on which item they are.

use quote::ToTokens;

use super::errors::Errors;
use crate::parse::{Entry, Flag, Options};

/// Validates the options by themselves: reports unknown, empty and repeated ones.
pub(super) fn known(options: &Options, errors: &mut Errors) {
    errors.extend(options.syntax_error.clone());
    for entry in &options.entries {
        match entry {
            Entry::Unknown(option) if Flag::named(option).is_some() => {
                errors.at(option, format!("`{option}` takes no value: write `{option}`"));
            }
            Entry::Unknown(option) if option == "name" => {
                errors.at(option, "a name is a string: write `name = \"..\"`");
            }
            Entry::Unknown(option) => {
                errors.at(option, format!("unknown option `{option}`: the options with a value are `name = \"..\"` and `crate = path`"));
            }
            Entry::Name(_, name) if name.value().trim().is_empty() => {
                errors.at(name, "a name cannot be empty: write one, or remove this option")
            }
            Entry::Name(..) | Entry::Library(..) | Entry::Interface(_) | Entry::Flag(..) => {}
        }
    }
    let names = options.entries.iter().filter_map(|entry| match entry {
        Entry::Name(option, _) => Some(option.to_token_stream()),
        _ => None,
    });
    let libraries = options.entries.iter().filter_map(|entry| match entry {
        Entry::Library(option, _) => Some(option.to_token_stream()),
        _ => None,
    });
    let flags = options.flags().enumerate().filter_map(|(position, (flag, option))| {
        let is_again = options.flags().take(position).any(|(earlier, _)| earlier == flag);
        is_again.then(|| option.to_token_stream())
    });
    for again in names.skip(1).chain(libraries.skip(1)).chain(flags) {
        errors.at(again, "this option occurs twice: remove one of the two");
    }
}

/// Reports interfaces in the options of an item that lists none.
pub(super) fn no_list(options: &Options, instead: &str, errors: &mut Errors) {
    for listed in options.interfaces() {
        errors.at(listed, instead);
    }
}

/// Reports options that only a class has.
pub(super) fn no_flags(options: &Options, errors: &mut Errors) {
    for (_, option) in options.flags() {
        errors.at(
            option,
            format!("`{option}` is an option of a class: write it in `#[remote(..)]` below `#[derive(Remote)]`"),
        );
    }
}
