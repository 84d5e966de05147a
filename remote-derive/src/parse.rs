//! Owns the way from tokens to syntax: which item a macro was written on, and the options in its parentheses. It must not
//! know what an interface may contain.

use proc_macro2::TokenStream;
use syn::{
    Attribute, DeriveInput, Expr, ExprLit, Ident, Item, Lit, LitStr, Path, Result, Token,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

/// What stands in the parentheses of `#[remote(..)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) entries: Vec<Entry>,
    /// What could not be read at all.
    pub(crate) unreadable: Option<syn::Error>,
}

/// One of the options.
pub(crate) enum Entry {
    /// `crate = path`
    Library(Token![crate], Path),
    /// `name = ".."`
    Name(Ident, LitStr),
    /// A word alone, on a class: how its objects execute their calls.
    Conduct(Conduct, Ident),
    /// Another path alone: an interface, on a class.
    Interface(Path),
    /// Anything else with an `=` in it.
    Unknown(Ident),
}

/// How the objects of a class execute their calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// One at a time.
    Serial,
    /// None any more, once one has panicked.
    StopOnPanic,
}

/// Reads the options of `#[remote(..)]` above a trait or an impl.
pub(crate) fn options(tokens: TokenStream) -> Options {
    let mut options = Options::default();
    options.read(tokens);
    options
}

/// Reads the item below `#[remote]`.
pub(crate) fn item(tokens: TokenStream) -> Result<Item> {
    syn::parse2(tokens)
}

/// Reads the type below `#[derive(Remote)]`, and all of its `#[remote(..)]`.
pub(crate) fn class(tokens: TokenStream) -> Result<(DeriveInput, Options)> {
    let input: DeriveInput = syn::parse2(tokens)?;
    let mut options = Options::default();
    for attribute in &input.attrs {
        if attribute.path().is_ident("remote") {
            options.read_attribute(attribute);
        }
    }
    Ok((input, options))
}

impl Options {
    pub(crate) fn library(&self) -> Option<&Path> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Library(_, path) => Some(path),
            _ => None,
        })
    }

    pub(crate) fn name(&self) -> Option<&LitStr> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Name(_, name) => Some(name),
            _ => None,
        })
    }

    pub(crate) fn asks_for(&self, conduct: Conduct) -> bool {
        self.conducts().any(|(asked, _)| asked == conduct)
    }

    pub(crate) fn conducts(&self) -> impl Iterator<Item = (Conduct, &Ident)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Conduct(conduct, option) => Some((*conduct, option)),
            _ => None,
        })
    }

    pub(crate) fn interfaces(&self) -> impl Iterator<Item = &Path> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Interface(path) => Some(path),
            _ => None,
        })
    }

    fn read_attribute(&mut self, attribute: &Attribute) {
        // `#[remote]` alone lists nothing; that it should is said elsewhere.
        if let Ok(list) = attribute.meta.require_list() {
            self.read(list.tokens.clone());
        }
    }

    fn read(&mut self, tokens: TokenStream) {
        match Punctuated::<Entry, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(entries) => self.entries.extend(entries),
            Err(error) => self.unreadable = Some(error),
        }
    }
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            let keyword = input.parse()?;
            input.parse::<Token![=]>()?;
            return Ok(Self::Library(keyword, input.call(Path::parse_mod_style)?));
        }
        if input.peek(Ident) && input.peek2(Token![=]) {
            let option: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            return Ok(match input.parse()? {
                Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) if option == "name" => {
                    Self::Name(option, name)
                }
                _ => Self::Unknown(option),
            });
        }
        let path: Path = input.parse()?;
        Ok(match path.get_ident().and_then(|word| Some((Conduct::named(word)?, word.clone()))) {
            Some((conduct, word)) => Self::Conduct(conduct, word),
            None => Self::Interface(path),
        })
    }
}

impl Conduct {
    pub(crate) fn named(word: &Ident) -> Option<Self> {
        match word.to_string().as_str() {
            "serial" => Some(Self::Serial),
            "stop_on_panic" => Some(Self::StopOnPanic),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::names::text;

    #[test]
    fn options_are_told_apart() {
        let options = options(quote!(
            module::Greeter,
            crate = the::library,
            name = "hello",
            Other,
            colour = 3,
            serial,
            module::serial
        ));
        assert!(options.unreadable.is_none());
        assert_eq!(options.library().map(text).as_deref(), Some("the::library"));
        assert_eq!(options.name().map(LitStr::value).as_deref(), Some("hello"));
        assert_eq!(
            options.interfaces().map(text).collect::<Vec<_>>(),
            ["module::Greeter", "Other", "module::serial"]
        );
        assert!(matches!(&options.entries[4], Entry::Unknown(option) if option == "colour"));
        assert!(options.asks_for(Conduct::Serial) && !options.asks_for(Conduct::StopOnPanic));
    }

    #[test]
    fn a_name_that_is_no_string_is_unknown() {
        assert!(matches!(options(quote!(name = 3)).entries[0], Entry::Unknown(_)));
    }

    #[test]
    fn what_cannot_be_read_is_kept_as_an_error() {
        assert!(options(quote!(42)).unreadable.is_some());
    }

    #[test]
    fn a_class_gathers_all_of_its_lists() {
        let (class, options) = class(quote! {
            #[remote(A)]
            #[other]
            #[remote(B, name = "c")]
            struct C;
        })
        .expect("a struct");
        assert_eq!(class.ident, "C");
        assert_eq!(options.interfaces().map(text).collect::<Vec<_>>(), ["A", "B"]);
        assert!(options.name().is_some());
    }
}
