//! Owns the refusals of what stands in the parentheses of `#[remote(..)]`. It must not know on what item.

use quote::ToTokens;

use super::faults::Faults;
use crate::parse::{Conduct, Entry, Options};

/// Refuses options that do not exist, say nothing, or are given twice.
pub(super) fn known(options: &Options, faults: &mut Faults) {
    faults.extend(options.unreadable.clone());
    for entry in &options.entries {
        match entry {
            Entry::Unknown(option) if Conduct::named(option).is_some() => {
                faults.at(option, format!("`{option}` has no value: write it alone"));
            }
            Entry::Unknown(option) => {
                faults.at(option, format!("there is no option `{option}` here: write `name = \"..\"` or `crate = path`"));
            }
            Entry::Name(_, name) if name.value().trim().is_empty() => {
                faults.at(name, "a name cannot be empty")
            }
            Entry::Name(..) | Entry::Library(..) | Entry::Interface(_) | Entry::Conduct(..) => {}
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
    let conducts = options.conducts().enumerate().filter_map(|(position, (conduct, option))| {
        let is_again = options.conducts().take(position).any(|(earlier, _)| earlier == conduct);
        is_again.then(|| option.to_token_stream())
    });
    for again in names.skip(1).chain(libraries.skip(1)).chain(conducts) {
        faults.at(again, "this option is given already: give it once");
    }
}

/// Refuses a list of interfaces where none is wanted.
pub(super) fn no_list(options: &Options, instead: &str, faults: &mut Faults) {
    for listed in options.interfaces() {
        faults.at(listed, instead);
    }
}

/// Refuses what only a class can say.
pub(super) fn no_conduct(options: &Options, faults: &mut Faults) {
    for (_, option) in options.conducts() {
        faults.at(
            option,
            format!("`{option}` is said by a class: write it in the `#[remote(..)]` below `#[derive(Remote)]`"),
        );
    }
}
