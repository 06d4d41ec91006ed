//! Certificates: those that servers issued, which are in the store, and those of the authority's
//! own file, listed and revoked together.

use ebp_store::{
    CertificateKind, ListCursor, ListPage, ListQuery, RegisterEntry, Serial, StoreError,
};
use uuid::Uuid;

use crate::{
    Survey, SurveyError,
    authority::{Authority, AuthorityError},
};

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
        self.store().managed_device(device).await?;
        let page = self.store().certificates(device, query).await?;
        Ok(merge(page, self.in_file(device)?, query))
    }

    /// Revokes every certificate of a device and voids its one-time tokens, for good and from the
    /// next request on. Returns how many certificates were revoked by this.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if there is no such device.
    pub async fn revoke_device(&self, device: Uuid) -> Result<u64, SurveyError> {
        let known = self.in_file(device)?;
        // The store first: every server goes by it.
        let revoked = self.store().revoke_device(device, known, self.clock().now()).await?;
        self.keep_revocations().await;
        if let Some(authority) = self.authority()
            && let Err(error) = authority.revoke_device(device)
        {
            tracing::warn!(%error, "the authority's register does not have the revoked certificates");
        }
        Ok(revoked)
    }

    /// Revokes a device's certificate, for good and from the next request on. Returns its entry.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if the device has no such certificate.
    pub async fn revoke_device_certificate(
        &self,
        device: Uuid,
        serial: Serial,
    ) -> Result<RegisterEntry, SurveyError> {
        let in_file = self.in_file(device)?.into_iter().find(|entry| entry.serial == serial);
        let in_store = self.store().certificate(serial).await?;
        let entry = in_store.filter(|entry| entry.device == Some(device)).or(in_file.clone());
        let entry = entry.ok_or(StoreError::NotFound)?;
        // The store first: every server goes by it.
        let revoked = self.store().revoke_certificate(entry, self.clock().now()).await?;
        self.keep_revocations().await;
        if let Some(authority) = self.authority().filter(|_| in_file.is_some()) {
            authority.revoke(&serial)?;
        }
        Ok(revoked)
    }

    /// Revokes a certificate wherever it is known: of a participant, a device or a server. Every
    /// server of the database refuses it from the next request on, whatever copy of the authority's
    /// folder it has.
    ///
    /// # Errors
    /// [`AuthorityError::UnknownSerial`] if there is none with that serial number.
    pub async fn revoke_certificate(&self, serial: Serial) -> Result<(), SurveyError> {
        let listed = self.authority().map(Authority::list).transpose()?.unwrap_or_default();
        let in_file = listed.into_iter().find(|entry| entry.serial == serial);
        let in_store = self.store().certificate(serial).await?;
        let entry = in_store.or_else(|| in_file.clone());
        let entry = entry.ok_or(AuthorityError::UnknownSerial(serial))?;
        // Nobody shows a server's certificate to a server.
        if entry.kind == CertificateKind::Client {
            // The store first: every server goes by it.
            self.revoke_in_store(entry).await?;
            self.keep_revocations().await;
        }
        if let Some(authority) = self.authority().filter(|_| in_file.is_some()) {
            authority.revoke(&serial)?;
        }
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

    /// A device's certificates in the authority's own file.
    fn in_file(&self, device: Uuid) -> Result<Vec<RegisterEntry>, SurveyError> {
        let Some(authority) = self.authority() else { return Ok(Vec::new()) };
        let mut entries = authority.list()?;
        entries.retain(|entry| entry.device == Some(device));
        Ok(entries)
    }
}

/// A part of what the store has and of what the authority's file has. Of what both have, the store's
/// entry counts: revocations are there first.
fn merge(
    page: ListPage<RegisterEntry>,
    in_file: Vec<RegisterEntry>,
    query: ListQuery,
) -> ListPage<RegisterEntry> {
    let place = |entry: &RegisterEntry| {
        let ListCursor { registered_at, uuid } = ListCursor::of_certificate(entry);
        (registered_at, uuid)
    };
    let after = query.after.map(|after| (after.registered_at, after.uuid));
    let mut items = page.items;
    for entry in in_file {
        let known = items.iter().any(|item| item.serial == entry.serial);
        if !known && after.is_none_or(|after| place(&entry) > after) {
            items.push(entry);
        }
    }
    items.sort_by_key(place);
    let more = page.next.is_some() || items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(ListCursor::of_certificate);
    ListPage { items, next }
}
