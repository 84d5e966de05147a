//! Names in generated code: the path of the library and the identifiers of generated items; and the spelling of types
//! as text. It must not know the syntax of interfaces, nor the texts of errors.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::{Ident, Path, ext::IdentExt, parse_quote};

use crate::span;

/// The lifetime that all borrowed parameters of a method share with the call.
pub(crate) const LIFETIME: &str = "'remote";

/// Returns the path of the library in the crate that is being compiled, under its name in that crate's Cargo.toml. Returns
/// `None` if the crate does not depend on the library.
pub(crate) fn library() -> Option<Path> {
    match crate_name("remote-core").ok()? {
        // Also in doctests, tests and examples of the library; `extern crate self` makes it true of the library itself.
        FoundCrate::Itself => Some(parse_quote!(::remote_core)),
        FoundCrate::Name(name) => {
            let name = Ident::new(&name, Span::call_site());
            Some(parse_quote!(::#name))
        }
    }
}

/// Returns the name of a method on the wire: the identifier without `r#`.
pub(crate) fn selector(method: &Ident) -> String {
    method.unraw().to_string()
}

/// Returns the name of the alias for the proxy: `GreeterProxy` for `Greeter`.
pub(crate) fn proxy(interface: &Ident) -> Ident {
    format_ident!("{}Proxy", interface.unraw(), span = interface.span())
}

/// Returns the name of the hidden method that holds the body of a default method.
pub(crate) fn default_body(method: &Ident) -> Ident {
    format_ident!("__default_{}", method.unraw(), span = span::generated_at(method.span()))
}

/// Returns the name of the static that describes a method. The method's name is in it unchanged (no capitals), so that
/// two methods never share one.
pub(crate) fn description(method: &Ident) -> Ident {
    format_ident!("METHOD_{}", method.unraw(), span = Span::mixed_site())
}

/// Returns a name for a parameter whose pattern cannot be used in the generated signature.
pub(crate) fn parameter(position: usize) -> Ident {
    format_ident!("argument_{position}", span = Span::mixed_site())
}

/// Returns the tokens as text with normal spacing, whatever the spacing in the source: `Result<Vec<u8>, Error>`.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    spell(tokens.to_token_stream(), &mut text);
    text
}

fn spell(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                spell(group.stream(), text);
                text.truncate(text.trim_end().len());
                text.push_str(close);
            }
            TokenTree::Punct(punctuation) => {
                let symbol = punctuation.as_char();
                match symbol {
                    ',' | ';' => text.extend([symbol, ' ']),
                    '+' | '=' if punctuation.spacing() == Spacing::Alone => {
                        text.extend([' ', symbol, ' '])
                    }
                    '-' => text.extend([' ', symbol]),
                    '>' if text.ends_with('-') => text.extend([symbol, ' ']),
                    _ => text.push(symbol),
                }
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                // Two words need a space between them, and so do a lifetime and a word.
                if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn types_are_spelled_with_normal_spacing() {
        let spelled = [
            (quote!(Result<Vec<u8>, Error>), "Result<Vec<u8>, Error>"),
            (quote!(&'a mut str), "&'a mut str"),
            (
                quote!(::std::collections::HashMap<String, [u8; 4]>),
                "::std::collections::HashMap<String, [u8; 4]>",
            ),
            (quote!(Box<dyn Entry + Send>), "Box<dyn Entry + Send>"),
            (quote!(Box<dyn Fn(u8) -> u8>), "Box<dyn Fn(u8) -> u8>"),
            (quote!((u8,)), "(u8,)"),
            (quote!(<A as B>::C), "<A as B>::C"),
        ];
        for (tokens, expected) in spelled {
            assert_eq!(text(tokens), expected);
        }
    }

    #[test]
    fn raw_identifiers_lose_their_prefix() {
        let method: Ident = parse_quote!(r#type);
        assert_eq!(selector(&method), "type");
        assert_eq!(default_body(&method), "__default_type");
        assert_eq!(description(&method), "METHOD_type");
    }
}
