//! What must not be found in any file of a release (rule R3).

use std::{fs, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use ebp_dataset::{
    files::{Value, read_rows},
    release::{Check, Counts, Finder, Needle, Rule},
};
use ebp_store::{HouseholdId, Store};
use uuid::Uuid;

use super::{
    super::{ExportError, folder::Folder, plan::Plan},
    ReleaseOrder,
    describe::names,
};

/// Collects what is known of the households.
pub(super) async fn finder(
    store: &Arc<dyn Store>,
    folder: &Folder,
    plan: &Plan,
) -> Result<Finder, ExportError> {
    let mut needles = Vec::new();
    folder.each_household(|facts| {
        identifier(&mut needles, facts.household.uuid);
        for meter in &facts.meters {
            identifier(&mut needles, meter.uuid);
            for register in &meter.registers {
                // A short number occurs by chance.
                if register.len() >= 7 && register.contains('.') {
                    needles.push(Needle::word("a register", register));
                }
            }
        }
        facts.systems.iter().for_each(|system| identifier(&mut needles, system.uuid));
        if let Some(location) = &facts.household.location {
            for degrees in [location.latitude, location.longitude] {
                // To three decimals, cut off, whatever follows.
                let text = format!("{degrees:.6}");
                let end = text.find('.').map_or(text.len(), |point| point + 4);
                if text[..end].trim_end_matches('0').len() == end {
                    needles.push(Needle::text("a coordinate", &text[..end]));
                }
            }
        }
        Ok(())
    })?;
    for (household, is_revoked) in &plan.households {
        if *is_revoked {
            continue;
        }
        let known = store.registration(HouseholdId(*household)).await?;
        known.participant_uuid.into_iter().for_each(|uuid| identifier(&mut needles, uuid));
        if let Some(participant) = &known.participant {
            needles.push(Needle::word("an e-mail address", &participant.email));
            needles.push(Needle::word("a name", &participant.name));
        }
        if let Some(address) = &known.address {
            needles.push(Needle::word("a street", &address.street));
            needles.push(Needle::word("a postal code", &address.postal_code));
        }
    }
    needles.sort_by(|a, b| a.bytes.cmp(&b.bytes));
    needles.dedup_by(|a, b| a.bytes == b.bytes);
    Finder::new(needles).map_err(|_| ExportError::NotSearched)
}

/// In every form: with hyphens, hexadecimal, Base64, 16 bytes.
fn identifier(needles: &mut Vec<Needle>, uuid: Uuid) {
    const WHAT: &str = "an identifier";
    needles.push(Needle::text(WHAT, &uuid.to_string()));
    needles.push(Needle::text(WHAT, &uuid.simple().to_string()));
    // Without the last digits, which depend on what follows.
    let text = STANDARD_NO_PAD.encode(uuid.as_bytes());
    needles.push(Needle::text(WHAT, &text[..text.len() - 1]));
    needles.push(Needle::bytes(WHAT, uuid.as_bytes().to_vec()));
}

/// Rule R3: every byte of every file, and every value that is compressed in one.
pub(super) fn check(
    finder: &Finder,
    folder: &Folder,
    order: &ReleaseOrder,
) -> Result<Check, ExportError> {
    let mut bytes = 0;
    let fail = |what: &str, name: &str| Check::failed(Rule::R3, format!("{what} is in {name}"));
    for name in names(folder.path())? {
        let path = folder.path().join(&name);
        let content = fs::read(&path).map_err(|error| ExportError::system(&path, error))?;
        bytes += content.len();
        if let Some(what) = finder.find(&content) {
            return Ok(fail(what, &name));
        }
    }
    let mut values_read = 0_u64;
    for file in folder.files() {
        let path = folder.path().join(&file.path);
        let format = match path.extension().is_some_and(|ending| ending == "csv") {
            // What CSV holds was just searched.
            true => continue,
            false => ebp_dataset::files::Format::Parquet,
        };
        let mut found = None;
        let mut line = String::new();
        read_rows(&path, file.table, format, &mut |_, values: &[Value]| {
            line.clear();
            for value in values {
                line.push_str(&value.to_string());
                line.push(',');
            }
            values_read += values.len() as u64;
            found = found.or_else(|| finder.find(line.as_bytes()));
        })?;
        if let Some(what) = found {
            return Ok(fail(what, &file.path));
        }
    }
    // How many they are says how many households.
    let many = match order.counts() {
        Counts::Exact => finder.count().to_string(),
        Counts::Rounded => "all".to_owned(),
    };
    let found = format!(
        "{bytes} bytes and {values_read} values searched for {many} identifiers, addresses, coordinates \
         and registers"
    );
    Ok(Check::passed(Rule::R3, found))
}
