//! `CITATION.cff` (Citation File Format 1.2.0) and `LICENSE.md`.

use std::fmt::Write as _;

use super::described::Described;
use crate::files::column::Tier;

/// The content of `CITATION.cff`, whose fields are those that DataCite requires.
#[must_use]
pub fn citation(set: &Described) -> String {
    format!(
        "cff-version: 1.2.0\n\
         message: Cite the data set by its name and version; another version is another data set.\n\
         type: dataset\n\
         title: {}\n\
         version: {}\n\
         date-released: {}\n\
         authors:\n  - name: {}\n",
        quoted(&set.title()),
        quoted(&format!("{} (ebp {})", set.name, set.version)),
        set.day(),
        quoted(&set.publisher),
    )
}

/// A YAML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The content of `LICENSE.md`.
#[must_use]
pub fn licence(set: &Described) -> String {
    let (_, title) = set.licence();
    let mut text = format!("# Licence\n{title}.\n");
    if set.tier < Tier::Public {
        text.push_str(
            "\nThese are personal data. Delete every copy of a household as soon as it revokes its \
             consent; the survey says so to whoever holds a copy.\n",
        );
    }
    if !set.notices.is_empty() {
        text.push_str("\n## Notices\n");
        for notice in &set.notices {
            let _ = writeln!(text, "- {notice}");
        }
    }
    text
}
