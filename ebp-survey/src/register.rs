//! The register of issued certificates, which is in the database: filled from the authority's folder,
//! and by what is issued here.

use std::path::Path;

use ebp_store::{CertificateKind, ListQuery, RegisterEntry, Serial, Store, StoreError};
use jiff::SignedDuration;
use tokio::task::spawn_blocking;

use crate::{
    Survey, SurveyError,
    authority::{Authority, AuthorityError, ClientRequest, Crl, Issued, read_version},
    revocations::issued,
};

/// All of a database's register, oldest first.
pub(crate) async fn register_of(store: &dyn Store) -> Result<Vec<RegisterEntry>, StoreError> {
    let mut entries = Vec::new();
    let mut query = ListQuery { after: None, limit: PART };
    loop {
        let page = store.register_page(query).await?;
        entries.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return Ok(entries);
        }
    }
}

/// So many entries at once.
const PART: usize = 1_000;

impl Survey {
    /// Adds to the register what the file in the authority's folder has and the database lacks:
    /// certificates that were issued where there was no database, by a program that did not share
    /// its register, or that a restored backup does not know. What is revoked in either stays
    /// revoked. A file that has not changed since is not read again. Returns how many entries were
    /// added or revoked by this.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged, or the store fails.
    pub async fn import_register(&self) -> Result<u64, SurveyError> {
        let Some(watch) = self.authority().map(Authority::watch) else { return Ok(0) };
        if watch.is_imported()? {
            return Ok(0);
        }
        let _turn = watch.take_turn().await;
        if watch.is_imported()? {
            return Ok(0);
        }
        let path = watch.path().to_owned();
        let read = spawn_blocking(move || read_version(&path)).await;
        let (version, register) = read.map_err(|_| StoreError::Closed)??;
        let mut changed = 0;
        for part in register.entries.chunks(PART) {
            changed += self.store().add_to_register(part.to_vec()).await?;
        }
        watch.note_imported(version);
        if changed > 0 {
            tracing::info!(changed, "the register has certificates of the authority's folder");
        }
        Ok(changed)
    }

    /// A client's certificate, if it is registered. What is not registered is not trusted.
    ///
    /// # Errors
    /// If register or store cannot be used: then nobody is let in.
    pub async fn registered_client(
        &self,
        serial: Serial,
    ) -> Result<Option<RegisterEntry>, SurveyError> {
        self.import_register().await?;
        Ok(self.store().certificate(serial).await?)
    }

    /// Issues a certificate to a participant or device. It is registered before it is returned.
    ///
    /// # Errors
    /// [`SurveyError::CannotIssue`]; the authority's and the store's.
    pub async fn issue_certificate(&self, request: &ClientRequest) -> Result<Issued, SurveyError> {
        let issued = self.issuing_authority()?.make(request)?;
        self.register_issued(&issued.entry).await?;
        Ok(issued)
    }

    /// Issues a certificate for remote access to a person. It is registered before it is returned.
    ///
    /// # Errors
    /// [`SurveyError::CannotIssue`]; the authority's and the store's.
    pub async fn issue_administrator(
        &self,
        name: &str,
        validity: std::time::Duration,
    ) -> Result<Issued, SurveyError> {
        let issued = self.issuing_authority()?.make_administrator(name, validity)?;
        self.register_issued(&issued.entry).await?;
        Ok(issued)
    }

    /// Whether a server's certificate is registered and not revoked.
    ///
    /// # Errors
    /// If register or store cannot be used.
    pub async fn is_own_server(&self, serial: Serial) -> Result<bool, SurveyError> {
        self.import_register().await?;
        let entry = self.store().registered(serial).await?;
        Ok(entry.is_some_and(|entry| {
            entry.kind == CertificateKind::Server && entry.revoked_at.is_none()
        }))
    }

    /// Makes sure that `chain` and `key` hold a certificate of the authority as
    /// [`Authority::ensure_server`]. True if a new one was issued.
    ///
    /// # Errors
    /// [`SurveyError::CannotIssue`]; the authority's and the store's.
    pub async fn ensure_server_certificate(
        &self,
        hosts: &[String],
        chain: &Path,
        key: &Path,
    ) -> Result<bool, SurveyError> {
        let authority = self.issuing_authority()?;
        self.import_register().await?;
        if let Some(serial) = authority.fitting_server(hosts, chain, key)?
            && let Some(entry) = self.store().registered(serial).await?
            && entry.revoked_at.is_none()
        {
            return Ok(false);
        }
        let issued = authority.make_server(hosts)?;
        self.register_issued(&issued.entry).await?;
        issued.save(chain, key)?;
        Ok(true)
    }

    /// By how much the clock is behind at least, if it is, by the certificates that were issued.
    ///
    /// # Errors
    /// If authority or store cannot be used.
    pub async fn clock_behind(&self) -> Result<Option<SignedDuration>, SurveyError> {
        let Some(authority) = self.authority() else { return Ok(None) };
        Ok(authority.clock_behind(self.store().last_registered().await?)?)
    }

    /// Every certificate that the authority or servers issued, or servers revoked, oldest first.
    ///
    /// # Errors
    /// If register or store cannot be used.
    pub async fn all_certificates(&self) -> Result<Vec<RegisterEntry>, SurveyError> {
        self.import_register().await?;
        let mut entries = register_of(&**self.store()).await?;
        let mut known: std::collections::HashMap<Serial, usize> =
            entries.iter().map(|entry| entry.serial).zip(0..).collect();
        for entry in issued(&**self.store()).await? {
            match known.get(&entry.serial).and_then(|place| entries.get_mut(*place)) {
                Some(known) => known.revoked_at = known.revoked_at.or(entry.revoked_at),
                None => {
                    known.insert(entry.serial, entries.len());
                    entries.push(entry);
                }
            }
        }
        entries.sort_by_key(|entry| entry.not_before);
        Ok(entries)
    }

    /// A signed list of the revoked certificates that are not expired, for other servers.
    ///
    /// # Errors
    /// [`SurveyError::CannotIssue`] without the authority's key; the authority's and the store's.
    pub async fn crl(&self) -> Result<Crl, SurveyError> {
        let entries = self.all_certificates().await?;
        Ok(self.issuing_authority()?.crl(&entries)?)
    }

    /// Registers a certificate, which nobody has yet: in the database, and in a file of the folder
    /// that servers of the release before read.
    async fn register_issued(&self, entry: &RegisterEntry) -> Result<(), SurveyError> {
        self.store().add_to_register(vec![entry.clone()]).await?;
        self.note_in_folder(|authority| authority.add_to_file(entry));
        Ok(())
    }

    /// Notes in the folder's file, if there is one, what is in the database already: for servers of
    /// the release before. That it cannot be written is no failure: the folder may be a secret that
    /// is only read.
    pub(crate) fn note_in_folder(
        &self,
        note: impl FnOnce(&Authority) -> Result<(), AuthorityError>,
    ) {
        let Some(authority) = self.authority().filter(|authority| authority.has_file()) else {
            return;
        };
        match note(authority) {
            Ok(()) | Err(AuthorityError::UnknownSerial(_)) => {}
            Err(error) => {
                tracing::debug!(%error, "the authority's folder does not have what the register has");
            }
        }
    }
}
