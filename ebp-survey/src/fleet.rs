//! The fleet of devices: states, coverage, histories, silences; which meters a device reads.

use ebp_core::contract::{Coverage, DeviceHistory, NewSilence, Silence, limits::HISTORY_DAYS};
use ebp_store::{DeviceEdit, DeviceEdited, Fleet, FleetQuery, StoreError};
use jiff::{SignedDuration, civil::Date};
use uuid::Uuid;

use crate::{Survey, registration::Revision};

impl Survey {
    /// A page of devices with their states, judged now by the survey's cycles.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fleet(&self, query: FleetQuery) -> Result<Fleet, StoreError> {
        self.store().fleet(query, self.cycles(), self.clock().now()).await
    }

    /// In which slots a device's meters were measured, for so many days.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device, [`StoreError::ConsentRevoked`].
    pub async fn coverage(
        &self,
        device: Uuid,
        from: Date,
        days: usize,
    ) -> Result<Coverage, StoreError> {
        self.store().coverage(device, from, days, self.cycles(), self.clock().now()).await
    }

    /// A device's incidents and statuses of the last 400 days.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage).
    pub async fn device_history(&self, device: Uuid) -> Result<DeviceHistory, StoreError> {
        let now = self.clock().now();
        let since = now.checked_sub(SignedDuration::from_hours(24 * i64::from(HISTORY_DAYS)));
        self.store().device_history(device, since.unwrap_or(now)).await
    }

    /// Silences a device from now on.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage), and [`StoreError::Registration`] with
    /// every fault of the silence; [`StoreError::Changed`].
    pub async fn silence_device(
        &self,
        device: Uuid,
        silence: NewSilence,
        by: Option<Revision>,
    ) -> Result<Silence, StoreError> {
        let edit = DeviceEdit::Silence(silence, self.clock().now());
        match self.store().edit_device(device, edit, self.edit_options(by)).await? {
            DeviceEdited::Silenced(silence) => Ok(silence),
            _ => Err(StoreError::Damaged("silence")),
        }
    }

    /// Ends a device's silence.
    ///
    /// # Errors
    /// Returns the same errors as [`device_silence`](Self::device_silence), and
    /// [`StoreError::Changed`].
    pub async fn end_silence(&self, device: Uuid, by: Option<Revision>) -> Result<(), StoreError> {
        let options = self.edit_options(by);
        self.store().edit_device(device, DeviceEdit::EndSilence, options).await.map(drop)
    }

    /// Sets the meters of its household that a device reads from now on.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device, or its household has no such
    /// meter; [`StoreError::ConsentRevoked`], [`StoreError::Changed`].
    pub async fn change_device(
        &self,
        device: Uuid,
        meters: Vec<Uuid>,
        by: Option<Revision>,
    ) -> Result<(), StoreError> {
        let (edit, options) = (DeviceEdit::Meters(meters), self.edit_options(by));
        self.store().edit_device(device, edit, options).await.map(drop)
    }

    /// Removes a device that was added by mistake.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device; [`StoreError::InUse`] if it
    /// reads a meter that has measurements, or certificates were issued to it;
    /// [`StoreError::Changed`].
    pub async fn remove_device(
        &self,
        device: Uuid,
        by: Option<Revision>,
    ) -> Result<(), StoreError> {
        let options = self.edit_options(by);
        self.store().edit_device(device, DeviceEdit::Remove, options).await.map(drop)
    }

    /// The device's silence, if it is silenced.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage); [`StoreError::NotFound`] if it is not
    /// silenced.
    pub async fn device_silence(&self, device: Uuid) -> Result<Silence, StoreError> {
        self.store().device_silence(device, self.cycles(), self.clock().now()).await
    }

    /// Ends every silence that is over. A server does so each minute.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_silences(&self) -> Result<u64, StoreError> {
        self.store().end_silences(self.cycles(), self.clock().now()).await
    }
}
