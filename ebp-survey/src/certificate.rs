//! Certificates of clients and servers: a device's are listed, and all are revoked, whoever issued them.

use ebp_store::{DeviceEdit, DeviceEdited, ListPage, ListQuery, RegisterEntry, Serial, StoreError};
use uuid::Uuid;

use crate::{Survey, SurveyError, authority::AuthorityError, registration::Revision};

impl Survey {
    /// A part of a device's certificates, oldest first.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if there is no such device.
    pub async fn device_certificates_page(
        &self,
        device: Uuid,
        query: ListQuery,
    ) -> Result<ListPage<RegisterEntry>, SurveyError> {
        self.import_register().await?;
        self.store().managed_device(device).await?;
        Ok(self.store().certificates(device, query).await?)
    }

    /// Revokes every certificate of a device and voids its one-time tokens, for good and from the
    /// next request on, on every server of the database. Returns how many certificates were revoked
    /// by this.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if there is no such device,
    /// [`Changed`](StoreError::Changed).
    pub async fn revoke_device(
        &self,
        device: Uuid,
        by: Option<Revision>,
    ) -> Result<u64, SurveyError> {
        self.import_register().await?;
        let (edit, options) = (DeviceEdit::Revoke(self.clock().now()), self.edit_options(by));
        let DeviceEdited::Revoked(revoked) =
            self.store().edit_device(device, edit, options).await?
        else {
            return Err(StoreError::Damaged("certificate").into());
        };
        self.keep_revocations().await;
        self.note_in_folder(|authority| authority.revoke_device(device));
        Ok(revoked)
    }

    /// Revokes a device's certificate, for good and from the next request on. Returns its entry.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if the device has no such certificate,
    /// [`Changed`](StoreError::Changed).
    pub async fn revoke_device_certificate(
        &self,
        device: Uuid,
        serial: Serial,
        by: Option<Revision>,
    ) -> Result<RegisterEntry, SurveyError> {
        self.import_register().await?;
        let entry = self.store().certificate(serial).await?;
        let entry = entry.filter(|entry| entry.device == Some(device));
        let entry = entry.ok_or(StoreError::NotFound)?;
        let edit = DeviceEdit::RevokeCertificate(entry, self.clock().now());
        let DeviceEdited::Certificate(revoked) =
            self.store().edit_device(device, edit, self.edit_options(by)).await?
        else {
            return Err(StoreError::Damaged("certificate").into());
        };
        self.keep_revocations().await;
        self.note_in_folder(|authority| authority.revoke(&serial).map(drop));
        Ok(revoked)
    }

    /// Revokes a certificate wherever it is known: of a participant, a device or a server. Every
    /// server of the database refuses it from the next request on, whatever copy of the authority's
    /// folder it has.
    ///
    /// # Errors
    /// [`AuthorityError::UnknownSerial`] if there is none with that serial number.
    pub async fn revoke_certificate(&self, serial: Serial) -> Result<(), SurveyError> {
        self.import_register().await?;
        let of_client = self.store().certificate(serial).await?;
        let entry = match of_client {
            Some(entry) => Some(entry),
            // A server's is in the authority's register alone.
            None => self.store().registered(serial).await?,
        };
        self.revoke_in_store(entry.ok_or(AuthorityError::UnknownSerial(serial))?).await?;
        self.keep_revocations().await;
        self.note_in_folder(|authority| authority.revoke(&serial).map(drop));
        Ok(())
    }

    /// Revokes a certificate in the store, without its device if that is not registered there.
    async fn revoke_in_store(&self, entry: RegisterEntry) -> Result<(), StoreError> {
        let now = self.clock().now();
        match self.store().revoke_certificate(entry.clone(), now).await {
            Err(StoreError::NotFound) if entry.device.is_some() => {
                let entry = RegisterEntry { device: None, ..entry };
                self.store().revoke_certificate(entry, now).await.map(drop)
            }
            revoked => revoked.map(drop),
        }
    }
}
