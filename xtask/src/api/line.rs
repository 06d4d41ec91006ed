//! The lines of an item: itself, its public fields, its variants, the members of a trait.

use quote::ToTokens;
use syn::{Attribute, Fields, Item, TraitItem, Visibility};

/// Whether everybody may use it.
pub const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Tokens as one writes them, near enough: what counts is that they repeat.
pub fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" , ", ", "),
        (" < ", "<"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("- >", "->"),
        ("->", " -> "),
        ("  ", " "),
        ("  ", " "),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("& ", "&"),
        (" :", ":"),
        (" ,", ","),
        (" ;", ";"),
        ("[ ", "["),
        (" ]", "]"),
        (",)", ")"),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// The lines of an item at that path; none if it is not public.
pub fn lines(item: &Item, path: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match item {
        Item::Const(item) if is_public(&item.vis) => {
            lines.push(format!("{path} const {}", text(&item.ty)));
        }
        Item::Static(item) if is_public(&item.vis) => {
            lines.push(format!("{path} static {}", text(&item.ty)));
        }
        Item::Type(item) if is_public(&item.vis) => {
            lines.push(format!("{path} type{} = {}", text(&item.generics), text(&item.ty)));
        }
        Item::Fn(item) if is_public(&item.vis) => lines.push(format!("{path} {}", text(&item.sig))),
        Item::Macro(item) if item.attrs.iter().any(|it| it.path().is_ident("macro_export")) => {
            lines.push(format!("{path} macro"));
        }
        Item::Struct(item) if is_public(&item.vis) => {
            lines.push(format!("{path} struct{}{}", text(&item.generics), marks(&item.attrs)));
            lines.extend(derived(&item.attrs, path));
            lines.extend(fields(&item.fields, path, is_public));
        }
        Item::Enum(item) if is_public(&item.vis) => {
            lines.push(format!("{path} enum{}{}", text(&item.generics), marks(&item.attrs)));
            lines.extend(derived(&item.attrs, path));
            for variant in &item.variants {
                let path = format!("{path}::{}", variant.ident);
                lines.push(format!("{path} variant"));
                lines.extend(fields(&variant.fields, &path, |_| true));
            }
        }
        Item::Trait(item) if is_public(&item.vis) => {
            let bounds = match item.supertraits.is_empty() {
                true => String::new(),
                false => format!(": {}", text(&item.supertraits)),
            };
            lines.push(format!("{path} trait{}{bounds}", text(&item.generics)));
            for member in &item.items {
                match member {
                    TraitItem::Fn(function) => {
                        let provided = if function.default.is_some() { " (provided)" } else { "" };
                        let signature = text(&function.sig);
                        let name = &function.sig.ident;
                        lines.push(format!("{path}::{name} {signature}{provided}"));
                    }
                    TraitItem::Type(of) => lines.push(format!("{path}::{} type", of.ident)),
                    TraitItem::Const(of) => {
                        lines.push(format!("{path}::{} const {}", of.ident, text(&of.ty)));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    lines
}

fn fields(fields: &Fields, path: &str, shows: impl Fn(&Visibility) -> bool) -> Vec<String> {
    let shown = fields.iter().enumerate().filter(|(_, field)| shows(&field.vis));
    shown
        .map(|(place, field)| {
            let name = field.ident.as_ref().map_or_else(|| place.to_string(), ToString::to_string);
            format!("{path}::{name}: {}", text(&field.ty))
        })
        .collect()
}

/// What callers outside the crate may not do with it.
fn marks(attributes: &[Attribute]) -> &'static str {
    match attributes.iter().any(|attribute| attribute.path().is_ident("non_exhaustive")) {
        true => " non_exhaustive",
        false => "",
    }
}

/// The traits that are derived.
fn derived(attributes: &[Attribute], path: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        // An attribute that is no list of paths would not compile.
        let _ = attribute.parse_nested_meta(|of| {
            lines.push(format!("{path} impl {}", text(&of.path)));
            Ok(())
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_shown_with_what_others_may_use() {
        let lines = |code: &str| lines(&syn::parse_str(code).unwrap(), "a::B");
        assert_eq!(
            lines(
                "#[derive(Debug, Clone)] #[non_exhaustive] pub struct B<T> { pub x: Vec<T>, y: u8 }"
            ),
            [
                "a::B struct<T> non_exhaustive",
                "a::B impl Debug",
                "a::B impl Clone",
                "a::B::x: Vec<T>"
            ]
        );
        assert_eq!(
            lines("pub fn b(one: &str, two: [u8; 2]) -> Result<(), E> {}"),
            ["a::B fn b(one: &str, two: [u8; 2]) -> Result<(), E>"]
        );
        assert_eq!(lines("pub(crate) fn b() {}"), [""; 0]);
        assert_eq!(
            lines("pub trait B: Send { fn c(&self) {} type D; }"),
            ["a::B trait: Send", "a::B::c fn c(&self) (provided)", "a::B::D type"]
        );
        assert_eq!(
            lines("pub enum B { One(u8), Two { three: u8 } }"),
            [
                "a::B enum",
                "a::B::One variant",
                "a::B::One::0: u8",
                "a::B::Two variant",
                "a::B::Two::three: u8"
            ]
        );
    }
}
