//! The project's one style of tables.

use comfy_table::{ContentArrangement, Table, presets};

/// A table in the project's one style.
pub fn new_table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}
