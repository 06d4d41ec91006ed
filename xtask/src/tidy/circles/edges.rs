//! The edges between files.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    ImplItem, ItemUse, Macro, UseTree,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{
    resolve::Resolver,
    tree::{Tree, is_test},
};

/// That one file uses an item of another one.
#[derive(Debug)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    /// Where it does so first.
    pub line: usize,
    /// The path's last name.
    pub item: String,
}

/// All edges of a crate, each item once for each pair of files.
pub fn edges(tree: &Tree, resolver: &Resolver<'_>) -> Vec<Edge> {
    let mut found = BTreeMap::new();
    for (module, content) in tree.modules.iter().enumerate() {
        let mut visitor = Visitor { resolver, module, file: content.file, found: &mut found };
        for item in &content.content {
            visitor.visit_item(item);
        }
    }
    found.into_iter().map(|((from, to, item), line)| Edge { from, to, line, item }).collect()
}

struct Visitor<'a> {
    resolver: &'a Resolver<'a>,
    module: usize,
    file: usize,
    found: &'a mut BTreeMap<(usize, usize, String), usize>,
}

impl Visitor<'_> {
    fn meet(&mut self, path: &[String], line: usize) {
        let named = self.resolver.resolve(self.module, path);
        if let Some(file) = named.and_then(|named| self.resolver.file_of_item(named))
            && file != self.file
            && let Some(name) = path.last()
        {
            self.found.entry((self.file, file, name.clone())).or_insert(line);
        }
    }

    fn meet_use(&mut self, tree: &UseTree, path: &mut Vec<String>, line: usize) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.meet_use(&step.tree, path, line);
                path.pop();
            }
            UseTree::Name(name) => self.meet_one(path, name.ident.to_string(), line),
            UseTree::Rename(name) => self.meet_one(path, name.ident.to_string(), line),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.meet_use(tree, path, line);
                }
            }
            _ => {}
        }
    }

    fn meet_one(&mut self, path: &mut Vec<String>, name: String, line: usize) {
        path.push(name);
        self.meet(path, line);
        path.pop();
    }

    /// Paths among the tokens of a macro's call, which are not parsed. A single name counts only
    /// where it cannot be a variable.
    fn meet_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        let tokens = tokens
            .into_iter()
            .chain([TokenTree::Punct(proc_macro2::Punct::new(';', proc_macro2::Spacing::Alone))]);
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) if colons == 2 && !path.is_empty() => {
                    path.push(name.to_string());
                    colons = 0;
                }
                token => {
                    let is_type = |name: &String| name.starts_with(char::is_uppercase);
                    if path.len() > 1 || path.first().is_some_and(is_type) {
                        self.meet(&path, line);
                    }
                    (colons, line) = (0, token.span().start().line);
                    path.clear();
                    match token {
                        TokenTree::Ident(name) => path.push(name.to_string()),
                        TokenTree::Group(group) => self.meet_tokens(group.stream()),
                        _ => {}
                    }
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.meet_use(&item.tree, &mut Vec::new(), item.span().start().line);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|step| step.ident.to_string()).collect();
        // A path that begins with `::` is of another crate.
        if path.leading_colon.is_none() {
            self.meet(&names, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.meet_tokens(call.tokens.clone());
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let tested = match item {
            ImplItem::Fn(item) => is_test(&item.attrs),
            ImplItem::Const(item) => is_test(&item.attrs),
            _ => false,
        };
        if !tested {
            visit::visit_impl_item(self, item);
        }
    }
}
