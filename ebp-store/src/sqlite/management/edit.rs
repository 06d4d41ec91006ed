//! Changes by people: made if the household is the version that they saw, and written into its
//! history.

use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

use super::{
    super::{
        list_page::{bounds, page},
        value::{Id, Instant},
    },
    change, device, registration, remove,
};
use crate::{
    HouseholdId, ListCursor, ListPage, ListQuery, StoreError,
    edit::{Edit, EditOptions, Editor, changed_fields, fields_from, fields_text, kind_from},
};
use ebp_core::{
    contract::{ChangeKind, RegistrationChange},
    scope::Group,
};

/// Makes a change. Returns the identifier of what was added.
pub fn edit(
    tx: &Transaction<'_>,
    id: HouseholdId,
    edit: &Edit,
    options: &EditOptions,
) -> Result<Option<Uuid>, StoreError> {
    let before = if options.wants_household() {
        change::require_open(tx, id)?;
        let before = registration::show(tx, id)?;
        options.check(&before)?;
        Some(before)
    } else {
        None
    };
    let added = make(tx, id, edit)?;
    if let (Some(editor), Some(before)) = (&options.editor, before)
        && let Some(fields) = changed_fields(edit, &before, &registration::show(tx, id)?)?
    {
        note(tx, id, editor, edit.kind(), &fields)?;
    }
    Ok(added)
}

fn make(tx: &Transaction<'_>, id: HouseholdId, edit: &Edit) -> Result<Option<Uuid>, StoreError> {
    match edit {
        Edit::Household(change, at) => change::household(tx, id, change, *at)?,
        Edit::AddMeter(meter) => return change::add_meter(tx, id, meter).map(Some),
        Edit::ChangeMeter(meter, change) => change::meter(tx, id, *meter, change)?,
        Edit::RemoveMeter(meter) => remove::meter(tx, id, *meter)?,
        Edit::AddPvSystem(system) => return change::add_pv_system(tx, id, system).map(Some),
        Edit::ChangePvSystem(system, change) => change::pv_system(tx, id, *system, change)?,
        Edit::RemovePvSystem(system) => remove::pv_system(tx, id, *system)?,
        Edit::AddDevice(meters) => return device::add(tx, id, meters).map(Some),
    }
    Ok(None)
}

/// Writes a change into the household's history.
pub fn note(
    tx: &Transaction<'_>,
    id: HouseholdId,
    editor: &Editor,
    kind: ChangeKind,
    fields: &[String],
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO household_change (household, at, changed_by, label, kind, fields)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            Id(id.0),
            Instant(editor.at),
            editor.group.name(),
            editor.label.as_ref().map(crate::edit::Label::as_str),
            kind.name(),
            fields_text(fields)
        ],
    )?;
    Ok(())
}

/// A page of a household's history, oldest first.
pub fn list(
    db: &Connection,
    id: HouseholdId,
    query: ListQuery,
) -> Result<ListPage<RegistrationChange>, StoreError> {
    registration::show(db, id)?;
    let (_, _, limit) = bounds(query);
    let after = query.after.map_or(0, |after| after.registered_at);
    let mut statement = db.prepare_cached(
        "SELECT number, at, changed_by, label, kind, fields FROM household_change
         WHERE household = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let rows = statement.query_and_then(params![Id(id.0), after, limit], |row| {
        let (number, Instant(at)): (i64, Instant) = (row.get(0)?, row.get(1)?);
        let (group, kind, fields): (String, String, String) =
            (row.get(2)?, row.get(4)?, row.get(5)?);
        let change = RegistrationChange {
            at,
            group: group.parse::<Group>().map_err(|_| StoreError::Damaged("change"))?,
            label: row.get(3)?,
            kind: kind_from(&kind)?,
            fields: fields_from(&fields),
        };
        Ok((ListCursor { registered_at: number, uuid: Uuid::nil() }, change))
    })?;
    Ok(page(query, rows.collect::<Result<_, StoreError>>()?))
}

/// Deletes the initials in all histories. Returns how many there were.
pub fn forget_labels(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let forgotten =
        tx.execute("UPDATE household_change SET label = NULL WHERE label IS NOT NULL", [])?;
    Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
}
