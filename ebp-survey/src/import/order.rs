//! An import that somebody orders, as its job keeps it until a server does it.

use ebp_store::Label;
use serde::{Deserialize, Serialize};

/// Imports a file. `Debug` would show people: it has none.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportOrder {
    /// JSON Lines or CSV.
    pub file: String,
    /// Whether it is checked only.
    pub dry_run: bool,
    /// The initials of who ordered it, for the histories of the households. Orders of servers before
    /// have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_the_release_before_is_read() {
        let read: ImportOrder = serde_json::from_str(r#"{"file":"x","dry_run":false}"#).unwrap();
        assert!(read.file == "x" && !read.dry_run && read.label.is_none());
        let order = ImportOrder { label: "EM".parse().ok(), ..read };
        let text = serde_json::to_string(&order).unwrap();
        assert_eq!(text, r#"{"file":"x","dry_run":false,"label":"EM"}"#);
        let read: ImportOrder = serde_json::from_str(&text).unwrap();
        assert_eq!(read.label.as_ref().map(Label::as_str), Some("EM"));
    }
}
