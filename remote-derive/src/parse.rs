//! Parsing of the macros' input: the item below the attribute, and the options in its parentheses. It must not know
//! what an interface may contain.

use proc_macro2::TokenStream;
use syn::{
    Attribute, DeriveInput, Expr, ExprLit, Ident, Item, Lit, LitStr, Path, Result, Token,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

/// The options in the parentheses of `#[remote(..)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) entries: Vec<Entry>,
    /// The error of options that could not be parsed.
    pub(crate) syntax_error: Option<syn::Error>,
}

/// One of the options.
pub(crate) enum Entry {
    /// `crate = path`
    Library(Token![crate], Path),
    /// `name = ".."`
    Name(Ident, LitStr),
    /// `serial` or `stop_on_panic`, on a class.
    Flag(Flag, Ident),
    /// Any other path without a value, on a class: an interface.
    Interface(Path),
    /// Any other option with a value.
    Unknown(Ident),
}

/// An option without a value: how the objects of a class execute their calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// One call at a time.
    Serial,
    /// A panic in a call stops the object.
    StopOnPanic,
}

/// Parses the options of `#[remote(..)]` on a trait or an `impl`.
pub(crate) fn options(tokens: TokenStream) -> Options {
    let mut options = Options::default();
    options.read(tokens);
    options
}

/// Parses the item below `#[remote]`.
pub(crate) fn item(tokens: TokenStream) -> Result<Item> {
    syn::parse2(tokens)
}

/// Parses the type below `#[derive(Remote)]`, and all of its `#[remote(..)]`.
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

    pub(crate) fn has(&self, flag: Flag) -> bool {
        self.flags().any(|(other, _)| other == flag)
    }

    pub(crate) fn flags(&self) -> impl Iterator<Item = (Flag, &Ident)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Flag(flag, option) => Some((*flag, option)),
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
        // `#[remote]` without parentheses lists nothing; `validate` reports that.
        if let Ok(list) = attribute.meta.require_list() {
            self.read(list.tokens.clone());
        }
    }

    fn read(&mut self, tokens: TokenStream) {
        match Punctuated::<Entry, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(entries) => self.entries.extend(entries),
            Err(error) => self.syntax_error = Some(error),
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
        Ok(match path.get_ident().and_then(|word| Some((Flag::named(word)?, word.clone()))) {
            Some((flag, word)) => Self::Flag(flag, word),
            None => Self::Interface(path),
        })
    }
}

impl Flag {
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
    fn each_kind_of_option_is_recognized() {
        let options = options(quote!(
            module::Greeter,
            crate = the::library,
            name = "hello",
            Other,
            colour = 3,
            serial,
            module::serial
        ));
        assert!(options.syntax_error.is_none());
        assert_eq!(options.library().map(text).as_deref(), Some("the::library"));
        assert_eq!(options.name().map(LitStr::value).as_deref(), Some("hello"));
        assert_eq!(
            options.interfaces().map(text).collect::<Vec<_>>(),
            ["module::Greeter", "Other", "module::serial"]
        );
        assert!(matches!(&options.entries[4], Entry::Unknown(option) if option == "colour"));
        assert!(options.has(Flag::Serial) && !options.has(Flag::StopOnPanic));
    }

    #[test]
    fn a_name_that_is_not_a_string_is_unknown() {
        assert!(matches!(options(quote!(name = 3)).entries[0], Entry::Unknown(_)));
    }

    #[test]
    fn a_syntax_error_is_kept() {
        assert!(options(quote!(42)).syntax_error.is_some());
    }

    #[test]
    fn all_lists_of_a_class_are_joined() {
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
