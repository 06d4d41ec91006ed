//! Everything that the survey holds about a household, as one document that is written as it is
//! read: a household's years are never in memory at once.
//!
//! Enters: a household. Leaves: parts of a JSON document ([`HouseholdExport`]). Absent: who may ask;
//! what the document does not have and why, which is in `columns`.
//!
//! [`HouseholdExport`]: ebp_core::contract::HouseholdExport

pub mod columns;

use std::sync::Arc;

use ebp_core::contract::{
    AgreedText, ExportedHousehold, LeftOut, ManagedCertificate, ManagedHousehold, Silence,
    StoredMeasurement, SurveyText,
};
use ebp_core::model::Incident;
use ebp_store::{HouseholdId, ListQuery, PageQuery, RegisterEntry, StoreError};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{Caller, Survey, SurveyError};

/// Measurements in a part.
const MEASUREMENTS: usize = 500;

/// Messages or certificates in a part.
const ENTRIES: usize = 50;

/// The parts of a document, in order. An error is the last: the document broke off.
pub type ExportParts = mpsc::Receiver<Result<Vec<u8>, SurveyError>>;

impl Survey {
    /// Begins the export of the caller's household. Parts are read as the receiver takes them, and
    /// nothing more is read once it is dropped. If consent is revoked meanwhile, the document breaks
    /// off.
    ///
    /// # Errors
    /// [`SurveyError::HouseholdAmbiguous`]; [`StoreError::ConsentRevoked`]; whatever keeps the
    /// store from being read.
    pub async fn export_household(
        self: &Arc<Self>,
        caller: &Caller,
    ) -> Result<ExportParts, SurveyError> {
        let household = caller.household()?;
        let now = self.clock().now();
        let (parts, receiver) = mpsc::channel(1);
        let shown = self.store().registration(household).await.map_err(gone)?;
        let text = self.agreed_text(&shown).await?;
        let certificates = self.certificates_of(shown.participant_uuid)?;
        let survey = Arc::clone(self);
        tokio::spawn(async move {
            let mut writer = Writer { parts, buffer: Vec::new() };
            match survey.write_export(&mut writer, shown, (text, certificates), now).await {
                Ok(()) | Err(Stop::Unwanted) => {}
                Err(Stop::Failed(error)) => {
                    tracing::warn!(%error, "an export broke off");
                    let _ = writer.parts.send(Err(error)).await;
                }
            }
        });
        Ok(receiver)
    }

    /// The text that the household agreed to, in the language that it was read in.
    async fn agreed_text(&self, of: &ManagedHousehold) -> Result<Option<SurveyText>, SurveyError> {
        let Some(AgreedText { version, language }) = of.consent.text else { return Ok(None) };
        let texts = self.texts_of(version).await?;
        Ok(texts.iter().find(|text| Some(text.language) == language).cloned())
    }

    /// A participant's own certificates, which are in the authority's file.
    fn certificates_of(&self, who: Option<Uuid>) -> Result<Vec<ManagedCertificate>, SurveyError> {
        let Some((authority, who)) = self.authority().zip(who) else { return Ok(Vec::new()) };
        let listed = authority.list()?;
        Ok(listed.iter().filter(|entry| entry.is_held_by(who)).map(certificate).collect())
    }

    async fn write_export(
        &self,
        to: &mut Writer,
        shown: ManagedHousehold,
        (agreed_text, certificates): (Option<SurveyText>, Vec<ManagedCertificate>),
        now: Timestamp,
    ) -> Result<(), Stop> {
        let household = HouseholdId(shown.uuid);
        to.text("{");
        to.member("exported_at", &now)?;
        to.member("survey", &self.about().name)?;
        to.member("controller", &self.about().controller)?;
        to.member("left_out", &left_out())?;
        to.member(
            "household",
            &ExportedHousehold {
                uuid: shown.uuid,
                registered_at: shown.registered_at,
                participant: shown.participant,
                participant_uuid: shown.participant_uuid,
                address: shown.address,
                location: shown.location,
                metadata: shown.metadata,
                consent: shown.consent,
            },
        )?;
        to.member("agreed_text", &agreed_text)?;
        self.write_changes(to, household).await?;
        self.write_messages(to, household).await?;
        to.member("pv_systems", &shown.pv_systems)?;
        self.write_devices(to, household).await?;
        to.member("certificates", &certificates)?;
        to.member("releases", &self.releases_of(household).await?)?;
        to.text("\"meters\":[");
        for (place, meter) in shown.meters.iter().enumerate() {
            to.separate(place);
            to.text("{");
            to.member("meter", meter)?;
            to.member("incidents", &self.all_incidents(household, meter.uuid).await?)?;
            self.write_measurements(to, household, meter.uuid, now).await?;
            to.text("}");
        }
        to.text("],\"complete\":true}\n");
        to.flush().await
    }

    /// The incidents of a meter, and those that were before them, oldest first.
    async fn all_incidents(&self, of: HouseholdId, meter: Uuid) -> Result<Vec<Incident>, Stop> {
        let mut incidents = self.store().incidents(of, meter).await.map_err(gone)?;
        incidents.extend(self.store().past_incidents(of, meter).await.map_err(gone)?);
        incidents.sort_by_key(|incident| (incident.reported_at, incident.kind));
        Ok(incidents)
    }

    async fn write_changes(&self, to: &mut Writer, of: HouseholdId) -> Result<(), Stop> {
        to.text("\"changes\":[");
        let mut query = ListQuery { after: None, limit: ENTRIES };
        let mut written = 0;
        loop {
            let mut page = self.store().changes(of, query).await.map_err(gone)?;
            for change in &mut page.items {
                change.label = None;
            }
            written = to.items(written, &page.items).await?;
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        to.text("],");
        Ok(())
    }

    async fn write_messages(&self, to: &mut Writer, of: HouseholdId) -> Result<(), Stop> {
        to.text("\"messages\":[");
        let mut query = ListQuery { after: None, limit: ENTRIES };
        let mut written = 0;
        loop {
            let page = self.store().household_messages(of, query).await?;
            written = to.items(written, &page.items).await?;
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        to.text("],");
        Ok(())
    }

    async fn write_devices(&self, to: &mut Writer, of: HouseholdId) -> Result<(), Stop> {
        to.text("\"measurement_devices\":[");
        for (place, device) in self.store().devices(of).await?.iter().enumerate() {
            to.separate(place);
            to.text("{");
            to.member("device", device)?;
            to.member("days", &self.device_history(device.uuid).await.map_err(gone)?.days)?;
            to.member("silence", &self.silence_of(device.uuid).await?)?;
            to.text("\"certificates\":[");
            let mut query = ListQuery { after: None, limit: ENTRIES };
            let mut written = 0;
            loop {
                let page = self.device_certificates_page(device.uuid, query).await;
                let page = page.map_err(|error| match error {
                    SurveyError::Store(error) => gone(error),
                    error => error,
                })?;
                let entries: Vec<_> = page.items.iter().map(certificate).collect();
                written = to.items(written, &entries).await?;
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            to.text("]}");
        }
        to.text("],");
        Ok(())
    }

    async fn silence_of(&self, device: Uuid) -> Result<Option<Silence>, Stop> {
        match self.device_silence(device).await {
            Err(StoreError::NotFound) => Ok(None),
            silence => Ok(Some(silence?)),
        }
    }

    async fn write_measurements(
        &self,
        to: &mut Writer,
        of: HouseholdId,
        meter: Uuid,
        until: Timestamp,
    ) -> Result<(), Stop> {
        to.text("\"measurements\":[");
        let mut query = PageQuery { from: None, to: Some(until), after: None, limit: MEASUREMENTS };
        let mut written = 0;
        loop {
            let page = self.store().measurements_page(of, meter, query).await.map_err(gone)?;
            written = to.items::<StoredMeasurement>(written, &page.items).await?;
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        to.text("]");
        Ok(())
    }
}

/// What the export does not have.
fn left_out() -> Vec<LeftOut> {
    columns::LEFT_OUT
        .iter()
        .map(|left| LeftOut { what: left.what.to_owned(), reason: left.reason.to_owned() })
        .collect()
}

/// What is asked for was there when the export began: it is gone with the household's consent.
fn gone(error: StoreError) -> SurveyError {
    match error {
        StoreError::NotFound => StoreError::ConsentRevoked.into(),
        error => error.into(),
    }
}

fn certificate(entry: &RegisterEntry) -> ManagedCertificate {
    ManagedCertificate {
        serial: entry.serial.to_string(),
        scopes: entry.scopes.to_string(),
        not_before: entry.not_before,
        not_after: entry.not_after,
        revoked_at: entry.revoked_at,
    }
}

/// Why nothing more is written.
enum Stop {
    /// Nobody receives it any more.
    Unwanted,
    /// It cannot be read.
    Failed(SurveyError),
}

impl<E: Into<SurveyError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Where the document is written.
struct Writer {
    parts: mpsc::Sender<Result<Vec<u8>, SurveyError>>,
    buffer: Vec<u8>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        serde_json::to_writer(&mut self.buffer, value)
            .map_err(|_| Stop::Failed(StoreError::Damaged("household").into()))
    }

    /// A member of an object, which another one follows.
    fn member(&mut self, name: &str, value: &impl Serialize) -> Result<(), Stop> {
        self.text("\"");
        self.text(name);
        self.text("\":");
        self.value(value)?;
        self.text(",");
        Ok(())
    }

    fn separate(&mut self, place: usize) {
        if place > 0 {
            self.text(",");
        }
    }

    /// Entries of an array of which so many are written. Returns how many are then.
    async fn items<T: Serialize>(&mut self, written: usize, items: &[T]) -> Result<usize, Stop> {
        for (place, item) in items.iter().enumerate() {
            self.separate(written + place);
            self.value(item)?;
        }
        self.flush().await?;
        Ok(written + items.len())
    }

    /// Hands over what is written so far, once the receiver has taken what was before.
    async fn flush(&mut self) -> Result<(), Stop> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let part = std::mem::take(&mut self.buffer);
        self.parts.send(Ok(part)).await.map_err(|_| Stop::Unwanted)
    }
}
