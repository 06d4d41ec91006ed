//! Changes of a device by people: made if its household is the version that they saw, and written into
//! the household's history.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Transaction};
use uuid::Uuid;

use super::{
    super::{SqliteStore, access, certificate, silence, value::Id},
    change, device, edit, registration, remove,
};
use crate::{DeviceEdit, DeviceEditStore, DeviceEdited, EditOptions, HouseholdId, StoreError};

#[async_trait]
impl DeviceEditStore for SqliteStore {
    async fn edit_device(
        &self,
        device: Uuid,
        edit: DeviceEdit,
        options: EditOptions,
    ) -> Result<DeviceEdited, StoreError> {
        self.writer
            .run(move |tx| {
                begin(tx, device, &edit, &options)?;
                make(tx, device, &edit)
            })
            .await
    }
}

/// Checks the version, and writes into the history: of a change that is refused nothing stays. Whether
/// there is such a device, the change itself finds out.
fn begin(
    tx: &Transaction<'_>,
    device: Uuid,
    change: &DeviceEdit,
    options: &EditOptions,
) -> Result<(), StoreError> {
    if !options.wants_household() {
        return Ok(());
    }
    let household: Option<Id> = tx
        .query_row(
            "SELECT household FROM measurement_device WHERE uuid = ?1",
            [Id(device)],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    let Some(Id(household)) = household else { return Ok(()) };
    let household = HouseholdId(household);
    change::require_open(tx, household)?;
    if options.expected.is_some() {
        options.check(&registration::show(tx, household)?)?;
    }
    match &options.editor {
        Some(editor) => edit::note(tx, household, editor, change.kind(), &[]),
        None => Ok(()),
    }
}

fn make(
    tx: &Transaction<'_>,
    device: Uuid,
    change: &DeviceEdit,
) -> Result<DeviceEdited, StoreError> {
    match change {
        DeviceEdit::Meters(meters) => device::change(tx, device, meters)?,
        DeviceEdit::Remove => remove::device(tx, device)?,
        DeviceEdit::Enrolment(enrolment) => access::create_enrolment(tx, enrolment)?,
        DeviceEdit::SignInCode(hash) => access::set_sign_in_hash(tx, device, hash)?,
        DeviceEdit::Silence(new, at) => {
            return silence::begin(tx, device, new, *at).map(DeviceEdited::Silenced);
        }
        DeviceEdit::EndSilence => silence::end(tx, device)?,
        DeviceEdit::Revoke(at) => {
            return certificate::revoke_device(tx, device, *at).map(DeviceEdited::Revoked);
        }
        DeviceEdit::RevokeCertificate(entry, at) => {
            return certificate::revoke(tx, entry, *at).map(DeviceEdited::Certificate);
        }
    }
    Ok(DeviceEdited::Done)
}
