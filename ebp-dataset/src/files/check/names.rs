//! The households and meters of a set, which other tables refer to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::cells::Cells;
use crate::files::{column::Table, read::Value};

/// Households and meters that there are.
#[derive(Debug, Default)]
pub(super) struct Names {
    households: BTreeMap<String, Household>,
    meters: HashMap<String, Meter>,
    /// How many consents there are.
    pub consents: usize,
}

/// A household.
#[derive(Debug, Default)]
pub(super) struct Household {
    /// Whether its meters allow a balance.
    pub has_balance: bool,
    /// Whether its consent was revoked.
    pub is_revoked: bool,
    /// In the order of files.
    pub meters: BTreeSet<String>,
}

/// A meter.
#[derive(Debug)]
pub(super) struct Meter {
    pub household: String,
    /// Whether it was registered as one that counts what is generated.
    pub generates: bool,
    /// Whether 1.8.0 is the register that does; nothing where it is not known.
    pub by_import: Option<bool>,
    /// When it was first and last read, microseconds since the Unix epoch.
    pub read: Option<(i64, i64)>,
}

impl Names {
    pub fn note(&mut self, table: &Table, values: &[Value]) {
        let row = Cells { table, values };
        let text = |name: &str| row.text(name);
        match table.name {
            "households" => {
                let Some(name) = text("household") else { return };
                let has_balance = row.value("topology") == Some(&Value::Null);
                let household = self.households.entry(name.to_owned()).or_default();
                household.has_balance = has_balance;
                household.is_revoked = text("consent_state") == Some("revoked");
            }
            "meters" => {
                let (Some(name), Some(household)) = (text("meter"), text("household")) else {
                    return;
                };
                if let Some(of) = self.households.get_mut(household) {
                    of.meters.insert(name.to_owned());
                }
                let meter = Meter {
                    household: household.to_owned(),
                    generates: text("type") == Some("PV-GENERATION"),
                    by_import: text("generation_register").map(|register| register == "1.8.0"),
                    read: row.int("first").zip(row.int("last")),
                };
                self.meters.insert(name.to_owned(), meter);
            }
            "consents" => self.consents += 1,
            _ => {}
        }
    }

    pub fn has(&self, table: &str, name: &str) -> bool {
        match table {
            "households" => self.households.contains_key(name),
            _ => self.meters.contains_key(name),
        }
    }

    /// How many meters there are.
    pub fn meters(&self) -> usize {
        self.meters.len()
    }

    /// In the order of files.
    pub fn households(&self) -> impl Iterator<Item = (&String, &Household)> {
        self.households.iter()
    }

    pub fn household(&self, name: &str) -> Option<&Household> {
        self.households.get(name)
    }

    /// When any of a household's meters was first and last read, microseconds since the Unix epoch.
    pub fn read_of(&self, household: &Household) -> Option<(i64, i64)> {
        let meters = household.meters.iter().filter_map(|name| self.meter(name)?.read);
        meters.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    pub fn meter(&self, name: &str) -> Option<&Meter> {
        self.meters.get(name)
    }
}
