//! The descriptions of a release.

use std::{fs, path::Path, sync::Arc};

use ebp_core::contract::ReleaseTier;
use ebp_dataset::{
    files::{
        Described, citation, croissant, data_package, hash_file, licence, oemetadata,
        release_readme, sums as list_of_sums,
    },
    release::Check,
};
use ebp_store::Store;
use serde_json::json;

use super::{
    super::{ExportError, ExportOrder, folder::Folder, plan::Plan},
    ReleaseOrder,
};

/// The result of each rule.
const CHECKS: &str = "RELEASE-CHECK.json";

/// Writes everything that does not depend on the checks.
pub(super) fn metadata(
    store: &Arc<dyn Store>,
    (export, order, number): (&ExportOrder, &ReleaseOrder, u64),
    plan: &Plan,
    folder: &Folder,
) -> Result<(), ExportError> {
    let mut set = described(export, order, folder);
    let regions = store.masking().and_then(|masking| masking.mark());
    set.notices = regions.into_iter().map(|mark| mark.description).collect();
    let about = json!({
        "tier": set.tier.name(),
        "release": number,
        "recipient": order.recipient,
        "parameters": {
            "as_of": export.as_of,
            "from": export.from,
            "to": export.to,
            "format": export.format.extension(),
            "resolution": "PT15M",
            "zone": export.zone,
            "finest": order.finest.name(),
            "systems_counted_on": order.register.as_ref().map(|register| register.date().to_owned()),
            "name": export.name,
            "publisher": export.publisher,
            "version": set.version,
        },
        "households": {
            // Of an aggregate nobody may count to one.
            "covered": match order.tier {
                ReleaseTier::Research => plan.households.len(),
                ReleaseTier::Public => ebp_dataset::release::round_down(plan.households.len()),
            },
        },
        "notices": set.notices,
        "files": set.files.iter().map(|file| json!({
            "path": file.path,
            "table": file.table.name,
            "rows": file.rows,
            "sha256": file.sha256,
        })).collect::<Vec<_>>(),
    });
    for (name, text) in [
        ("datapackage.json", data_package(&set)),
        ("oemetadata.json", oemetadata(&set)),
        ("croissant.json", croissant(&set)),
        ("CITATION.cff", citation(&set)),
        ("LICENSE.md", licence(&set)),
        ("EXPORT.json", format!("{about:#}\n")),
    ] {
        folder.write_text(name, &text)?;
    }
    Ok(())
}

/// Writes what people read, and the result of each rule.
pub(super) fn pages(
    export: &ExportOrder,
    order: &ReleaseOrder,
    checks: &[Check],
    risk: &[String],
    folder: &Folder,
) -> Result<(), ExportError> {
    let set = described(export, order, folder);
    let readme = release_readme(&set, order.recipient.as_deref(), checks, risk);
    folder.write_text("README.md", &readme)?;
    let about = json!({ "tier": set.tier.name(), "checks": checks, "risk": risk });
    folder.write_text(CHECKS, &format!("{about:#}\n"))
}

/// The result of each rule, and what an attacker finds, as [`pages`] has written them.
pub(super) fn read_checks(folder: &Folder) -> Result<(Vec<Check>, Vec<String>), ExportError> {
    #[derive(serde::Deserialize)]
    struct Written {
        checks: Vec<Check>,
        risk: Vec<String>,
    }
    let path = folder.path().join(CHECKS);
    let text = fs::read(&path).map_err(|error| ExportError::system(&path, error))?;
    let written: Written = serde_json::from_slice(&text).map_err(|_| folder.damaged())?;
    Ok((written.checks, written.risk))
}

fn described(export: &ExportOrder, order: &ReleaseOrder, folder: &Folder) -> Described {
    let mut files = folder.files().to_vec();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Described {
        name: export.name.clone(),
        publisher: export.publisher.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        as_of: export.as_of.as_microsecond(),
        // Whole months, which the files' names say; when the first series began they do not.
        covers: None,
        zone: export.zone.clone(),
        tier: order.tier_of_files(),
        notices: Vec::new(),
        format: export.format,
        step: "PT15M",
        files,
    }
}

/// Writes the list of sums; returns its SHA-256, which seals the draft.
pub(super) fn sums(folder: &Folder) -> Result<String, ExportError> {
    let mut hashes = Vec::new();
    for name in names(folder.path())? {
        hashes.push((name.clone(), hash_file(&folder.path().join(&name))?));
    }
    let list = list_of_sums(hashes.iter().map(|(name, hash)| (name.as_str(), hash.as_str())));
    folder.write_text("SHA256SUMS", &list)?;
    Ok(hash_file(&folder.path().join("SHA256SUMS"))?)
}

/// The files of a set, without notes and the list of sums.
pub(super) fn names(root: &Path) -> Result<Vec<String>, ExportError> {
    fn walk(root: &Path, folder: &Path, names: &mut Vec<String>) -> Result<(), ExportError> {
        let failed = |error| ExportError::system(folder, error);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.file_name().is_some_and(|name| name == ".export") {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, names)?;
            } else if let Ok(within) = path.strip_prefix(root) {
                names.push(within.to_string_lossy().into_owned());
            }
        }
        Ok(())
    }
    let mut names = Vec::new();
    walk(root, root, &mut names)?;
    names.retain(|name| !["SHA256SUMS", "RELEASE.json"].contains(&name.as_str()));
    names.sort();
    Ok(names)
}
