//! Changes by people: made if the household is the version that they saw, and written into its
//! history.

use deadpool_postgres::{Client, Transaction};
use ebp_core::{
    contract::{ChangeKind, RegistrationChange},
    scope::Group,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    super::{
        list_page::{bounds, page},
        value::Instant,
    },
    change, device, registration, remove,
};
use crate::{
    HouseholdId, ListCursor, ListPage, ListQuery, StoreError,
    edit::{Edit, EditOptions, Editor, changed_fields, fields_from, fields_text, kind_from},
};

/// Makes a change. Returns the identifier of what was added.
pub async fn edit(
    tx: &Transaction<'_>,
    id: HouseholdId,
    edit: &Edit,
    options: &EditOptions,
) -> Result<Option<Uuid>, StoreError> {
    let before = if options.wants_household() {
        change::require_open(tx, id).await?;
        let before = registration::shown(tx, id).await?;
        options.check(&before)?;
        Some(before)
    } else {
        None
    };
    let added = make(tx, id, edit).await?;
    if let (Some(editor), Some(before)) = (&options.editor, before)
        && let Some(fields) = changed_fields(edit, &before, &registration::shown(tx, id).await?)?
    {
        note(tx, id, editor, edit.kind(), &fields).await?;
    }
    Ok(added)
}

async fn make(
    tx: &Transaction<'_>,
    id: HouseholdId,
    edit: &Edit,
) -> Result<Option<Uuid>, StoreError> {
    match edit {
        Edit::Household(change, at) => change::household(tx, id, change, *at).await?,
        Edit::AddMeter(meter) => return change::add_meter(tx, id, meter).await.map(Some),
        Edit::ChangeMeter(meter, change) => change::meter(tx, id, *meter, change).await?,
        Edit::RemoveMeter(meter) => remove::meter(tx, id, *meter).await?,
        Edit::AddPvSystem(system) => return change::add_pv_system(tx, id, system).await.map(Some),
        Edit::ChangePvSystem(system, change) => change::pv_system(tx, id, *system, change).await?,
        Edit::RemovePvSystem(system) => remove::pv_system(tx, id, *system).await?,
        Edit::AddDevice(meters) => return device::add(tx, id, meters).await.map(Some),
    }
    Ok(None)
}

/// Writes a change into the household's history.
pub async fn note(
    tx: &Transaction<'_>,
    id: HouseholdId,
    editor: &Editor,
    kind: ChangeKind,
    fields: &[String],
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO household_change (household, at, changed_by, label, kind, fields)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &id.0,
            &Instant(editor.at),
            &editor.group.name(),
            &editor.label.as_ref().map(crate::edit::Label::as_str),
            &kind.name(),
            &fields_text(fields),
        ],
    )
    .await?;
    Ok(())
}

/// Writes a change of many households into their histories, without fields.
pub async fn note_all(
    tx: &Transaction<'_>,
    households: &[Uuid],
    editor: &Editor,
    kind: ChangeKind,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO household_change (household, at, changed_by, label, kind, fields)
         SELECT household, $2, $3, $4, $5, $6 FROM unnest($1::uuid[]) AS household",
        &[
            &households,
            &Instant(editor.at),
            &editor.group.name(),
            &editor.label.as_ref().map(crate::edit::Label::as_str),
            &kind.name(),
            &fields_text(&[]),
        ],
    )
    .await?;
    Ok(())
}

/// A page of a household's history, oldest first.
pub async fn list(
    db: &Client,
    id: HouseholdId,
    query: ListQuery,
) -> Result<ListPage<RegistrationChange>, StoreError> {
    let there = "SELECT FROM household WHERE uuid = $1 AND NOT withheld";
    db.query_opt(there, &[&id.0]).await?.ok_or(StoreError::NotFound)?;
    let (_, _, limit) = bounds(query);
    let after = query.after.map_or(0, |after| after.registered_at);
    let statement = db
        .prepare_cached(
            "SELECT number, at, changed_by, label, kind, fields FROM household_change
             WHERE household = $1 AND number > $2 ORDER BY number LIMIT $3",
        )
        .await?;
    let rows = db.query(&statement, &[&id.0, &after, &limit]).await?;
    Ok(page(query, rows.iter().map(change_of).collect::<Result<_, StoreError>>()?))
}

fn change_of(row: &Row) -> Result<(ListCursor, RegistrationChange), StoreError> {
    let (Instant(at), group): (Instant, &str) = (row.try_get(1)?, row.try_get(2)?);
    let change = RegistrationChange {
        at,
        group: group.parse::<Group>().map_err(|_| StoreError::Damaged("change"))?,
        label: row.try_get(3)?,
        kind: kind_from(row.try_get(4)?)?,
        fields: fields_from(row.try_get(5)?),
    };
    Ok((ListCursor { registered_at: row.try_get(0)?, uuid: Uuid::nil() }, change))
}

/// Deletes the initials in all histories. Returns how many there were.
pub async fn forget_labels(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let forget = "UPDATE household_change SET label = NULL WHERE label IS NOT NULL";
    let forgotten = tx.execute(forget, &[]).await?;
    if forgotten > 0 {
        tx.execute("INSERT INTO erasure_due DEFAULT VALUES", &[]).await?;
    }
    Ok(forgotten)
}
