//! Circles of files: files of a crate that import each other.
//!
//! Enters: a crate's root file. Leaves: each circle, with the edges that make it. Absent: tests, and
//! edges between crates, where Cargo allows no circle.
//!
//! An edge is a `use`, a path or a re-export in one file that resolves to an item which another file
//! defines. A path to a module alone is none, and neither is a method call.

mod components;
mod edges;
pub mod resolve;
pub mod tree;

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;

use edges::{Edge, edges};
use resolve::Resolver;
use tree::Tree;

/// The circles of a crate, one breach each.
///
/// # Errors
/// When a file cannot be read or parsed.
pub fn breaches(root: &Path) -> Result<Vec<String>> {
    let tree = Tree::read(root)?;
    let resolver = Resolver::new(&tree);
    let edges = edges(&tree, &resolver);
    let links: Vec<_> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let circles = components::circles(tree.files.len(), &links);
    Ok(circles.iter().map(|circle| describe(&tree, circle, &edges)).collect())
}

/// What a circle's edges are, one line each.
fn describe(tree: &Tree, circle: &BTreeSet<usize>, edges: &[Edge]) -> String {
    let mut lines = vec![format!("{} files import each other:", circle.len())];
    let within = |edge: &&Edge| circle.contains(&edge.from) && circle.contains(&edge.to);
    for edge in edges.iter().filter(within) {
        let (from, to) = (tree.files[edge.from].display(), tree.files[edge.to].display());
        lines.push(format!("    {from}:{} uses `{}` of {to}", edge.line, edge.item));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        breaches(&folder.path().join("lib.rs")).unwrap()
    }

    #[test]
    fn two_files_that_use_each_other_are_found() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; pub fn a() -> super::a::A { todo!() }"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("a.rs:1 uses `B`"), "{found:?}");
        assert!(found[0].contains("b.rs:1 uses `A`"), "{found:?}");
    }

    #[test]
    fn a_circle_through_a_re_export_is_found() {
        let found = circles(&[
            ("lib.rs", "pub mod part;"),
            ("part/mod.rs", "mod inner; pub use inner::Inner; pub struct Outer;"),
            ("part/inner.rs", "use crate::part::Outer; pub struct Inner(Outer);"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_circle_through_a_glob_and_an_inline_path_is_found() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use super::b::*; pub fn f() { g() }"),
            ("b.rs", "use crate::c; pub fn g() { c::h() }"),
            ("c.rs", "pub fn h() { println!(\"{}\", crate::a::f()) }"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("3 files"), "{found:?}");
    }

    #[test]
    fn a_use_in_one_direction_is_no_circle() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            (
                "a.rs",
                "use crate::b::B; pub struct A(pub B); impl A { pub fn b(&self) -> &B { &self.0 } }",
            ),
            (
                "b.rs",
                "#[derive(Debug)] pub struct B;\n#[cfg(test)] mod tests { use crate::a::A; fn f(_: A) {} }",
            ),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_crate_that_is_named_by_itself_is_resolved_beside_modules() {
        let found = circles(&[
            ("lib.rs", "mod a; mod serde_like;"),
            ("a.rs", "use serde_like::X; pub struct A(X);"),
            ("serde_like.rs", "pub struct X(crate::a::A);"),
        ]);
        // `serde_like` in `a.rs` is an outside crate: modules of the root need `crate::`.
        assert_eq!(found, Vec::<String>::new());
    }
}
