//! Changes of a device by people: what is changed, made for the version of its household that they
//! saw and written into the household's history, in one transaction.
//!
//! Enters: a device, a change, who makes it. Leaves: what came of it. Absent: SQL; changes of
//! households, which are in `edit`.

use async_trait::async_trait;
use ebp_core::contract::{ChangeKind, NewSilence, Silence};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{EditOptions, Enrolment, RegisterEntry, StoreError};

/// A change of a device.
#[derive(Debug, Clone, PartialEq)]
pub enum DeviceEdit {
    /// Sets the meters of its household that it reads from now on.
    Meters(Vec<Uuid>),
    /// Removes a device that was added by mistake.
    Remove,
    /// Stores a one-time token.
    Enrolment(Enrolment),
    /// Gives its page the sign-in code with that hash.
    SignInCode(String),
    /// Silences it, in place of a silence that is there, since that instant.
    Silence(NewSilence, Timestamp),
    /// Ends its silence.
    EndSilence,
    /// Revokes all of its certificates, at that instant.
    Revoke(Timestamp),
    /// Revokes one of its certificates, at that instant.
    RevokeCertificate(RegisterEntry, Timestamp),
}

impl DeviceEdit {
    /// What the history calls it.
    #[must_use]
    pub const fn kind(&self) -> ChangeKind {
        match self {
            Self::Meters(_) => ChangeKind::DeviceChanged,
            Self::Remove => ChangeKind::DeviceRemoved,
            Self::Enrolment(_) => ChangeKind::TokenMade,
            Self::SignInCode(_) => ChangeKind::SignInCodeMade,
            Self::Silence(..) => ChangeKind::DeviceSilenced,
            Self::EndSilence => ChangeKind::SilenceEnded,
            Self::Revoke(_) | Self::RevokeCertificate(..) => ChangeKind::CertificateRevoked,
        }
    }
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceEdited {
    /// It is made.
    Done,
    /// The silence that began.
    Silenced(Silence),
    /// How many certificates were revoked.
    Revoked(u64),
    /// The entry of the certificate that was revoked.
    Certificate(RegisterEntry),
}

/// What people change of devices. The methods for single changes do so whatever the version of the
/// household is, and without a history.
#[async_trait]
pub trait DeviceEditStore: Send + Sync {
    /// Makes a change of a device if its household is a version that the caller has seen, and writes
    /// it into the household's history.
    ///
    /// # Errors
    /// Returns [`StoreError::Changed`] if it is another version, and the errors of the method for
    /// that change.
    async fn edit_device(
        &self,
        device: Uuid,
        edit: DeviceEdit,
        options: EditOptions,
    ) -> Result<DeviceEdited, StoreError>;

    /// Sets the meters of its household that a device reads from now on.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device, or its household has no such
    /// meter.
    async fn change_device(&self, device: Uuid, meters: Vec<Uuid>) -> Result<(), StoreError> {
        let edit = DeviceEdit::Meters(meters);
        self.edit_device(device, edit, EditOptions::default()).await.map(drop)
    }

    /// Removes a device that was added by mistake; no device reads its meters then.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device; [`StoreError::InUse`] if it
    /// reads a meter that has measurements, or certificates were issued to it.
    async fn remove_device(&self, device: Uuid) -> Result<(), StoreError> {
        self.edit_device(device, DeviceEdit::Remove, EditOptions::default()).await.map(drop)
    }

    /// Stores a one-time token. An earlier one of the same device that was not used becomes
    /// invalid.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device,
    /// [`StoreError::ConsentRevoked`].
    async fn create_enrolment(&self, enrolment: Enrolment) -> Result<(), StoreError> {
        let (device, edit) = (enrolment.device, DeviceEdit::Enrolment(enrolment));
        self.edit_device(device, edit, EditOptions::default()).await.map(drop)
    }

    /// Gives a device's page another sign-in code, which that of a token not yet used does not
    /// replace.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device,
    /// [`StoreError::ConsentRevoked`].
    async fn set_sign_in_hash(&self, device: Uuid, hash: String) -> Result<(), StoreError> {
        let edit = DeviceEdit::SignInCode(hash);
        self.edit_device(device, edit, EditOptions::default()).await.map(drop)
    }

    /// Silences a device, in place of a silence that is there.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device, [`StoreError::ConsentRevoked`],
    /// and [`StoreError::Registration`] with every fault of the silence.
    async fn silence_device(
        &self,
        device: Uuid,
        silence: NewSilence,
        at: Timestamp,
    ) -> Result<Silence, StoreError> {
        let edit = DeviceEdit::Silence(silence, at);
        match self.edit_device(device, edit, EditOptions::default()).await? {
            DeviceEdited::Silenced(silence) => Ok(silence),
            _ => Err(StoreError::Damaged("silence")),
        }
    }

    /// Ends the device's silence.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device or it is not silenced,
    /// [`StoreError::ConsentRevoked`].
    async fn end_silence(&self, device: Uuid) -> Result<(), StoreError> {
        self.edit_device(device, DeviceEdit::EndSilence, EditOptions::default()).await.map(drop)
    }

    /// Revokes every certificate of a device, those in the authority's register included, and
    /// invalidates its one-time tokens: certificates that were requested with any of them are not
    /// registered any more. Returns how many were revoked.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device.
    async fn revoke_device(&self, device: Uuid, at: Timestamp) -> Result<u64, StoreError> {
        match self.edit_device(device, DeviceEdit::Revoke(at), EditOptions::default()).await? {
            DeviceEdited::Revoked(count) => Ok(count),
            _ => Err(StoreError::Damaged("certificate")),
        }
    }
}
