//! A crate's page: the public items that can be reached from its root, by the paths that lead there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use syn::{ImplItem, Item, ItemImpl, Type, Visibility};

use super::line;
use crate::tidy::circles::{
    resolve::{Named, Resolver},
    tree::{Tree, name},
};

/// The lines of a crate, sorted, one a line.
pub fn page(library: &str, root: &Path) -> Result<String> {
    let tree = Tree::read(root)?;
    let resolver = Resolver::new(&tree);
    let impls = implementations(&tree, &resolver);
    let mut walk =
        Walk { tree: &tree, resolver, impls, seen: BTreeSet::new(), lines: BTreeSet::new() };
    walk.module(0, &library.replace('-', "_"));
    let lines: Vec<String> = walk.lines.into_iter().collect();
    Ok(format!("{}\n", lines.join("\n")))
}

/// The implementations for each item: its module, and its place there.
type Implementations<'a> = BTreeMap<(usize, usize), Vec<&'a ItemImpl>>;

fn implementations<'a>(tree: &'a Tree, resolver: &Resolver<'a>) -> Implementations<'a> {
    let mut impls = Implementations::new();
    for (index, module) in tree.modules.iter().enumerate() {
        for item in &module.content {
            let Item::Impl(item) = item else { continue };
            let Type::Path(of) = &*item.self_ty else { continue };
            let path: Vec<String> =
                of.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            if let Some(Named::Item(module, place)) = resolver.resolve(index, &path) {
                impls.entry((module, place)).or_default().push(item);
            }
        }
    }
    impls
}

struct Walk<'a> {
    tree: &'a Tree,
    resolver: Resolver<'a>,
    impls: Implementations<'a>,
    /// Modules by the paths that they were seen under: re-exports may go in circles.
    seen: BTreeSet<(usize, String)>,
    lines: BTreeSet<String>,
}

impl Walk<'_> {
    fn module(&mut self, index: usize, path: &str) {
        if !self.seen.insert((index, path.to_owned())) || path.matches("::").count() > 8 {
            return;
        }
        let module = &self.tree.modules[index];
        for (child, at) in &module.children {
            if self.tree.modules[*at].is_public {
                let path = format!("{path}::{child}");
                self.lines.insert(format!("{path} mod"));
                self.module(*at, &path);
            }
        }
        let mut place = 0;
        for item in &module.content {
            if let Item::Use(used) = item {
                if matches!(used.vis, Visibility::Public(_)) {
                    self.exports(index, &used.tree, &mut Vec::new(), path);
                }
                continue;
            }
            if name(item).is_some() {
                self.item(index, place, path, None);
                place += 1;
            }
        }
    }

    /// What a `pub use` exports under the path.
    fn exports(&mut self, index: usize, tree: &syn::UseTree, at: &mut Vec<String>, path: &str) {
        let (last, shown) = match tree {
            syn::UseTree::Path(step) => {
                at.push(step.ident.to_string());
                self.exports(index, &step.tree, at, path);
                at.pop();
                return;
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.exports(index, tree, at, path));
                return;
            }
            syn::UseTree::Glob(_) => {
                match self.resolver.resolve(index, at) {
                    Some(Named::Module(from)) => self.module(from, path),
                    _ => {
                        self.lines.insert(format!("{path} use {}::*", at.join("::")));
                    }
                }
                return;
            }
            syn::UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            syn::UseTree::Rename(name) => (name.ident.to_string(), name.rename.to_string()),
        };
        let whole: Vec<String> = at.iter().cloned().chain([last]).collect();
        match self.resolver.resolve(index, &whole) {
            Some(Named::Item(module, place)) => self.item(module, place, path, Some(&shown)),
            Some(Named::Module(module)) => self.module(module, &format!("{path}::{shown}")),
            None => {
                self.lines.insert(format!("{path}::{shown} use {}", whole.join("::")));
            }
        }
    }

    /// The item at that place of a module, and what is implemented for it.
    fn item(&mut self, module: usize, place: usize, path: &str, shown: Option<&str>) {
        let named = self.tree.modules[module].content.iter().filter(|item| name(item).is_some());
        let Some(item) = named.filter(|item| !matches!(item, Item::Use(_))).nth(place) else {
            return;
        };
        let own = name(item).unwrap_or_default();
        let path = format!("{path}::{}", shown.unwrap_or(&own));
        let lines = line::lines(item, &path);
        if lines.is_empty() {
            return;
        }
        self.lines.extend(lines);
        for item in self.impls.get(&(module, place)).into_iter().flatten() {
            if let Some((of, _)) = &item.trait_ {
                self.lines.insert(format!("{path} impl {}", line::text(of)));
                continue;
            }
            for member in &item.items {
                match member {
                    ImplItem::Fn(function) if line::is_public(&function.vis) => {
                        let signature = line::text(&function.sig);
                        self.lines.insert(format!("{path}::{} {signature}", function.sig.ident));
                    }
                    ImplItem::Const(constant) if line::is_public(&constant.vis) => {
                        let of = line::text(&constant.ty);
                        self.lines.insert(format!("{path}::{} const {of}", constant.ident));
                    }
                    _ => {}
                }
            }
        }
    }
}
