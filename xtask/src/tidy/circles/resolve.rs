//! Which file defines what a path names.

use super::tree::Tree;

/// What a path names within the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Module(usize),
    /// The item of that module, by its place in the list of items.
    Item(usize, usize),
}

/// More steps than any path of imports takes; a circle of re-exports ends there.
const DEEPEST: usize = 32;

/// Resolves paths of a crate.
pub struct Resolver<'a> {
    tree: &'a Tree,
}

impl<'a> Resolver<'a> {
    pub const fn new(tree: &'a Tree) -> Self {
        Self { tree }
    }

    /// What the path names, written in that module; nothing if it is of another crate. What comes
    /// behind an item (a variant, an associated function) is part of the item.
    pub fn resolve(&self, module: usize, path: &[String]) -> Option<Named> {
        self.resolve_within(module, path, DEEPEST)
    }

    fn resolve_within(&self, module: usize, path: &[String], depth: usize) -> Option<Named> {
        let depth = depth.checked_sub(1)?;
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Named::Module(0),
            "self" => Named::Module(module),
            "super" => Named::Module(self.tree.modules[module].parent?),
            name => self.member(module, name, depth)?,
        };
        while let (Named::Module(module), Some((name, further))) = (at, rest.split_first()) {
            at = match name.as_str() {
                "super" => Named::Module(self.tree.modules[module].parent?),
                "self" => at,
                name => self.member(module, name, depth)?,
            };
            rest = further;
        }
        Some(at)
    }

    /// The file that defines the item; none of a module.
    pub fn file_of_item(&self, named: Named) -> Option<usize> {
        match named {
            Named::Item(module, _) => Some(self.tree.modules[module].file),
            Named::Module(_) => None,
        }
    }

    /// What a name stands for in a module.
    fn member(&self, module: usize, name: &str, depth: usize) -> Option<Named> {
        let here = &self.tree.modules[module];
        if let Some(place) = here.items.iter().position(|item| item == name) {
            return Some(Named::Item(module, place));
        }
        if let Some(child) = here.children.get(name) {
            return Some(Named::Module(*child));
        }
        for (_, path) in here.imports.iter().filter(|(import, _)| import == name) {
            // `use name::Item` in the module that has no `name` is of another crate.
            if path.first().is_some_and(|first| first == name) && path.len() == 1 {
                continue;
            }
            if let Some(named) = self.resolve_within(module, path, depth) {
                return Some(named);
            }
        }
        here.globs.iter().filter_map(|path| self.resolve_within(module, path, depth)).find_map(
            |named| match named {
                Named::Module(from) if from != module => {
                    self.member(from, name, depth.checked_sub(1)?)
                }
                _ => None,
            },
        )
    }
}
