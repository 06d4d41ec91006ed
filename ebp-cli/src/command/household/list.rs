//! `ebp household list` and `history`.

use std::io::Write;

use ebp_client::Manager;
use ebp_core::{
    contract::{HouseholdCounts, HouseholdFilter, HouseholdSort, RegistrationEntry},
    model::ConsentState,
};
use uuid::Uuid;

use super::refusal::refused;
use crate::{
    command::heading::OUTPUT,
    exit::{CommandResult, Failure},
    output::{TableFormat, new_table},
    stdout::print,
    tell::tell,
};

/// Which households, and how they are listed.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Words of which each has to be in name, e-mail address, postal code or city, or at the
    /// beginning of the identifier (at least four digits of it). `%` and `_` stand for themselves.
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,

    /// Only households whose consent is in this state.
    #[arg(long, value_enum)]
    consent: Option<Consent>,

    /// The order: registered, name, email, postal-code or city; with - before it the reverse.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true, default_value_t)]
    sort: HouseholdSort,

    /// How they are printed; JSON is one object a line.
    #[arg(long, value_enum, default_value_t = TableFormat::Table, help_heading = OUTPUT)]
    format: TableFormat,
}

/// A state of consent, as it is typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Consent {
    /// Not granted yet.
    NotGranted,
    /// Granted.
    Granted,
    /// Revoked.
    Revoked,
}

/// Of which household, and how it is listed.
#[derive(Debug, clap::Args)]
pub struct History {
    /// The household.
    household: Uuid,

    /// How it is printed; JSON is one object a line.
    #[arg(long, value_enum, default_value_t = TableFormat::Table, help_heading = OUTPUT)]
    format: TableFormat,
}

impl List {
    /// Prints them, and how many there are.
    pub fn run(&self, manager: &Manager) -> CommandResult {
        let consent = self.consent.map(|consent| match consent {
            Consent::NotGranted => ConsentState::NotGranted,
            Consent::Granted => ConsentState::Granted,
            Consent::Revoked => ConsentState::Revoked,
        });
        let filter = HouseholdFilter { search: self.search.clone(), consent, sort: self.sort };
        let (mut entries, mut cursor) = (Vec::new(), None::<String>);
        let counts = loop {
            let page = manager.registrations(&filter, cursor.as_deref()).map_err(refused)?;
            entries.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break page.counts;
            }
        };
        let mut text = Vec::new();
        match self.format {
            TableFormat::Json => {
                for entry in &entries {
                    serde_json::to_writer(&mut text, entry).map_err(Failure::failed)?;
                    text.push(b'\n');
                }
            }
            TableFormat::Table => {
                let mut table = new_table();
                table.set_header(["household", "participant", "email", "consent", "registered"]);
                for RegistrationEntry { uuid, registered_at, participant, consent, .. } in &entries
                {
                    let (name, email) = participant
                        .as_ref()
                        .map_or(("", ""), |p| (p.name.as_str(), p.email.as_str()));
                    table.add_row([
                        &uuid.to_string(),
                        name,
                        email,
                        consent.state.name(),
                        &registered_at.to_string(),
                    ]);
                }
                writeln!(text, "{table}")?;
            }
        }
        print(&text)?;
        let HouseholdCounts { registered, granted, revoked, withheld } = counts;
        tell!(
            "ebp: {} of {registered} households listed; {granted} granted, {revoked} revoked, of \
             which {withheld} withheld",
            entries.len()
        );
        Ok(())
    }
}

impl History {
    /// Prints it, oldest first.
    pub fn run(&self, manager: &Manager) -> CommandResult {
        let (mut changes, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = manager.changes(self.household, cursor.as_deref()).map_err(refused)?;
            changes.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut text = Vec::new();
        match self.format {
            TableFormat::Json => {
                for change in &changes {
                    serde_json::to_writer(&mut text, change).map_err(Failure::failed)?;
                    text.push(b'\n');
                }
            }
            TableFormat::Table => {
                let mut table = new_table();
                table.set_header(["at", "group", "label", "change", "fields"]);
                for change in &changes {
                    table.add_row([
                        &change.at.to_string(),
                        change.group.name(),
                        change.label.as_deref().unwrap_or_default(),
                        change.kind.name(),
                        &change.fields.join(" "),
                    ]);
                }
                writeln!(text, "{table}")?;
            }
        }
        print(&text)
    }
}
