//! Both files of texts have the same identifiers and variables, and pages use exactly those.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};

use super::*;

/// Each text's identifier with the names of its variables.
fn variables(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = parser::parse(text).expect("the texts are Fluent");
    let mut found = BTreeMap::new();
    for entry in resource.body {
        if let Entry::Message(message) = entry {
            let mut names = BTreeSet::new();
            collect(&message.value.expect("a text has a value"), &mut names);
            let before = found.insert(message.id.name.to_owned(), names);
            assert_eq!(before, None, "{} stands there twice", message.id.name);
        }
    }
    found
}

fn collect(pattern: &Pattern<&str>, names: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => collect_inline(inline, names),
            Expression::Select { selector, variants } => {
                collect_inline(selector, names);
                variants.iter().for_each(|variant| collect(&variant.value, names));
            }
        }
    }
}

fn collect_inline(inline: &InlineExpression<&str>, names: &mut BTreeSet<String>) {
    if let InlineExpression::VariableReference { id } = inline {
        names.insert(id.name.to_owned());
    }
}

/// All texts of a language, those of frontends that are not built included.
fn all_texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language.code());
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        for (id, names) in variables(&fs::read_to_string(entry.unwrap().path()).unwrap()) {
            assert_eq!(all.insert(id.clone(), names), None, "{id} stands there twice");
        }
    }
    all
}

#[test]
fn both_languages_have_the_same_texts_with_the_same_variables() {
    let [german, english] = Language::ALL.map(all_texts);
    assert_eq!(german, english);
    assert!(german.len() > 20);
}

/// Identifiers in quotes after `say(` and `say_with(`, in templates and code.
fn used(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            used(&path, found);
        } else if !path.ends_with("language/tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            for start in ["say(", "say_with(", "say_one(", "markdown(", "/* text */"] {
                let quoted = text
                    .split(start)
                    .skip(1)
                    .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
                found.extend(quoted.map(str::to_owned));
            }
        }
    }
}

#[test]
fn every_text_is_used_and_every_used_text_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    used(&root.join("src"), &mut names);
    let templates = root.join("templates");
    if templates.is_dir() {
        used(&templates, &mut names);
    }
    let there: BTreeSet<_> = all_texts(Language::De).into_keys().collect();
    let missing: Vec<_> = names.difference(&there).collect();
    assert!(missing.is_empty(), "without a text: {missing:?}");
    let unused: Vec<_> = there.difference(&names).collect();
    assert!(unused.is_empty(), "used nowhere: {unused:?}");
}

#[test]
fn browsers_get_the_language_that_they_prefer() {
    for (accepted, language) in [
        ("", Language::De),
        ("de-DE,de;q=0.9,en;q=0.8", Language::De),
        ("en-GB,en;q=0.9,de;q=0.8", Language::En),
        ("fr,en;q=0.2,de;q=0.1", Language::En),
        ("en;q=0,de;q=0.1", Language::De),
        ("fr;q=1", Language::De),
        ("en;q=x", Language::De),
        ("en;q=0.1234567890123456789", Language::En),
    ] {
        assert_eq!(Language::negotiate(accepted), language, "{accepted}");
    }
    assert_eq!(Language::negotiate(&"fr,".repeat(10_000)), Language::De);
}

#[test]
fn plurals_follow_the_count() {
    let count = |language: Language, n: u64| language.say_with("hours-ago", [("count", n.into())]);
    assert_eq!(count(Language::De, 1), "vor 1 Stunde");
    assert_eq!(count(Language::De, 2), "vor 2 Stunden");
    assert_eq!(count(Language::En, 1), "1 hour ago");
    assert_eq!(count(Language::En, 0), "0 hours ago");
}
