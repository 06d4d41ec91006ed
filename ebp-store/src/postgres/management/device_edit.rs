//! Changes of a device by people: made if its household is the version that they saw, and written into
//! the household's history.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::{
    super::{PostgresStore, access, certificate, register::one_at_a_time, silence},
    change, device, edit, registration, remove,
};
use crate::{DeviceEdit, DeviceEditStore, DeviceEdited, EditOptions, HouseholdId, StoreError};

#[async_trait]
impl DeviceEditStore for PostgresStore {
    async fn edit_device(
        &self,
        device: Uuid,
        edit: DeviceEdit,
        options: EditOptions,
    ) -> Result<DeviceEdited, StoreError> {
        let mut client = self.client().await?;
        let work = async {
            let tx = client.transaction().await?;
            // A renewal or a revocation that is under way comes first, or finds it made.
            one_at_a_time(&tx).await?;
            begin(&tx, device, &edit, &options).await?;
            let edited = make(&tx, device, &edit).await?;
            tx.commit().await?;
            Ok(edited)
        };
        self.change(work).await
    }
}

/// Checks the version, and writes into the history: of a change that is refused nothing stays. Whether
/// there is such a device, the change itself finds out.
async fn begin(
    tx: &Transaction<'_>,
    device: Uuid,
    change: &DeviceEdit,
    options: &EditOptions,
) -> Result<(), StoreError> {
    if !options.wants_household() {
        return Ok(());
    }
    let found = "SELECT household FROM measurement_device WHERE uuid = $1";
    let Some(row) = tx.query_opt(found, &[&device]).await? else { return Ok(()) };
    let Some(household): Option<Uuid> = row.try_get(0)? else { return Ok(()) };
    let household = HouseholdId(household);
    change::require_open(tx, household).await?;
    if options.expected.is_some() {
        options.check(&registration::shown(tx, household).await?)?;
    }
    match &options.editor {
        Some(editor) => edit::note(tx, household, editor, change.kind(), &[]).await,
        None => Ok(()),
    }
}

async fn make(
    tx: &Transaction<'_>,
    device: Uuid,
    change: &DeviceEdit,
) -> Result<DeviceEdited, StoreError> {
    match change {
        DeviceEdit::Meters(meters) => device::change(tx, device, meters).await?,
        DeviceEdit::Remove => remove::device(tx, device).await?,
        DeviceEdit::Enrolment(enrolment) => access::create_enrolment(tx, enrolment).await?,
        DeviceEdit::SignInCode(hash) => access::set_sign_in_hash(tx, device, hash).await?,
        DeviceEdit::Silence(new, at) => {
            return silence::begin(tx, device, new, *at).await.map(DeviceEdited::Silenced);
        }
        DeviceEdit::EndSilence => silence::end(tx, device).await?,
        DeviceEdit::Revoke(at) => {
            return certificate::revoke_device(tx, device, *at).await.map(DeviceEdited::Revoked);
        }
        DeviceEdit::RevokeCertificate(entry, at) => {
            return certificate::revoke(tx, entry, *at).await.map(DeviceEdited::Certificate);
        }
    }
    Ok(DeviceEdited::Done)
}
