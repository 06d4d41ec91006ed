//! The fleet of devices: states, coverage, histories, silences.

use ebp_core::contract::{Coverage, DeviceHistory, NewSilence, Silence, limits::HISTORY_DAYS};
use ebp_store::{Fleet, FleetQuery, StoreError};
use jiff::{SignedDuration, civil::Date};
use uuid::Uuid;

use crate::Survey;

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
    /// every fault of the silence.
    pub async fn silence_device(
        &self,
        device: Uuid,
        silence: NewSilence,
    ) -> Result<Silence, StoreError> {
        self.store().silence_device(device, silence, self.clock().now()).await
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
