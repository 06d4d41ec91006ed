//! The modules of a crate, as its files declare them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use syn::{Attribute, Item, UseTree, Visibility, parse::Parser, punctuated::Punctuated};

/// All modules of a crate; the root is the first.
pub struct Tree {
    pub files: Vec<PathBuf>,
    pub modules: Vec<Module>,
}

/// A module: a file, or a block in one.
pub struct Module {
    pub parent: Option<usize>,
    /// Whether its parent declares it `pub`.
    pub is_public: bool,
    /// The index of its file.
    pub file: usize,
    pub children: BTreeMap<String, usize>,
    /// Names that it defines.
    pub items: Vec<String>,
    /// Names that it imports, and what they stand for.
    pub imports: Vec<(String, Vec<String>)>,
    /// Paths all of whose names it imports.
    pub globs: Vec<Vec<String>>,
    /// What is in it, without modules and tests.
    pub content: Vec<Item>,
}

impl Tree {
    /// Reads the crate with that root file.
    ///
    /// # Errors
    /// When a file cannot be read or is no Rust.
    pub fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { files: Vec::new(), modules: Vec::new() };
        let folder = root.parent().unwrap_or(Path::new(""));
        tree.read_file(root, folder, None)?;
        Ok(tree)
    }

    fn read_file(&mut self, path: &Path, folder: &Path, parent: Option<usize>) -> Result<usize> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
        self.files.push(path.to_owned());
        self.read_items(file.items, self.files.len() - 1, folder, parent)
    }

    fn read_items(
        &mut self,
        items: Vec<Item>,
        file: usize,
        folder: &Path,
        parent: Option<usize>,
    ) -> Result<usize> {
        let index = self.modules.len();
        self.modules.push(Module {
            parent,
            is_public: false,
            file,
            children: BTreeMap::new(),
            items: Vec::new(),
            imports: Vec::new(),
            globs: Vec::new(),
            content: Vec::new(),
        });
        for item in items {
            if is_test(attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let below = folder.join(&name);
                    let child = match module.content {
                        Some((_, items)) => self.read_items(items, file, &below, Some(index))?,
                        None => {
                            let beside = folder.join(format!("{name}.rs"));
                            let path = if beside.exists() { beside } else { below.join("mod.rs") };
                            self.read_file(&path, &below, Some(index))?
                        }
                    };
                    self.modules[child].is_public = matches!(module.vis, Visibility::Public(_));
                    self.modules[index].children.insert(name, child);
                }
                Item::Use(item) => {
                    self.modules[index].import(&item.tree, &mut Vec::new());
                    self.modules[index].content.push(Item::Use(item));
                }
                item => {
                    self.modules[index].items.extend(name(&item));
                    self.modules[index].content.push(item);
                }
            }
        }
        Ok(index)
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.import(&step.tree, path);
                path.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                self.imports.extend(path.last().map(|name| (name.clone(), path.clone())));
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let whole = path.iter().cloned().chain([name.clone()]).collect();
                self.imports.push((name, whole));
            }
            UseTree::Rename(name) => {
                let whole = path.iter().cloned().chain([name.ident.to_string()]).collect();
                self.imports.push((name.rename.to_string(), whole));
            }
            UseTree::Glob(_) => self.globs.push(path.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path);
                }
            }
        }
    }
}

/// The name that an item defines in its module.
pub fn name(item: &Item) -> Option<String> {
    Some(
        match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Macro(item) => item.ident.as_ref()?,
            _ => return None,
        }
        .to_string(),
    )
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether an item is there for tests alone: `#[test]`, `#[cfg(test)]` or `#[cfg(all(test, …))]`.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| {
                    Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated
                        .parse2(list.tokens.clone())
                        .is_ok_and(|metas| metas.iter().any(needs_test))
                }))
    })
}

fn needs_test(meta: &syn::Meta) -> bool {
    meta.path().is_ident("test")
        || (meta.path().is_ident("all")
            && meta.require_list().is_ok_and(|list| {
                Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated
                    .parse2(list.tokens.clone())
                    .is_ok_and(|metas| metas.iter().any(needs_test))
            }))
}
