//! The households and meters of a set, which other tables refer to.

use std::collections::HashSet;

use crate::files::read::Value;

/// Households and meters that there are.
#[derive(Debug, Default)]
pub(super) struct Names {
    households: HashSet<String>,
    meters: HashSet<String>,
}

impl Names {
    pub fn note(&mut self, table: &str, values: &[Value]) {
        let name = values.first().and_then(|value| value.text());
        match (table, name) {
            ("households", Some(name)) => _ = self.households.insert(name.to_owned()),
            ("meters", Some(name)) => _ = self.meters.insert(name.to_owned()),
            _ => {}
        }
    }

    pub fn has(&self, table: &str, name: &str) -> bool {
        match table {
            "households" => self.households.contains(name),
            _ => self.meters.contains(name),
        }
    }
}
