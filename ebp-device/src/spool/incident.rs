//! Trouble with meters: what the device sees, and what the server has still to be told.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

use super::{Spool, SpoolError};
use ebp_core::model::{Failures, Incident, IncidentType};

/// What the server is to be told of a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentChange {
    /// It has come.
    Reported,
    /// It is gone.
    Resolved,
}

/// Something of which the server has not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentNews {
    /// Which meter.
    pub meter: Uuid,
    /// What trouble.
    pub kind: IncidentType,
    /// Whether it has come or gone.
    pub change: IncidentChange,
    /// Since when it is as it is, UTC by this device's clock.
    pub since: Timestamp,
    /// When the first or the last failure was that makes it, if the time was known then.
    pub at: Option<Timestamp>,
}

/// What the server holds of a trouble, as far as the device knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ServerView {
    /// Nothing that the device knows of.
    #[default]
    Nothing,
    Ended,
    Open,
    /// It was told something, and has not answered yet.
    Doubtful,
}

impl ServerView {
    /// As the database keeps it.
    const fn number(self) -> Option<i64> {
        match self {
            Self::Nothing => None,
            Self::Ended => Some(0),
            Self::Open => Some(1),
            Self::Doubtful => Some(2),
        }
    }

    const fn numbered(number: Option<i64>) -> Self {
        match number {
            None => Self::Nothing,
            Some(0) => Self::Ended,
            Some(1) => Self::Open,
            Some(_) => Self::Doubtful,
        }
    }
}

/// What is known of one trouble of one meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    /// What the device sees; nothing before it looked.
    present: Option<bool>,
    /// What the server holds.
    told: ServerView,
    /// It has come and gone, and the server has heard of neither.
    missed: bool,
    /// The failures that make it.
    failures: Failures,
}

impl Known {
    const COLUMNS: &str = "present, told, missed, first_at, last_at, failures";

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let told = ServerView::numbered(row.get(1)?);
        // An instant that cannot be understood is none.
        let instant = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let (first, last) = (instant(row.get(3)?), instant(row.get(4)?));
        let failures = Failures { first, last, slots: row.get(5)? };
        Ok(Self { present: row.get(0)?, told, missed: row.get(2)?, failures })
    }

    /// What the device sees now, and of what failures.
    fn see(self, present: bool, of: Failures) -> Self {
        let mut failures = self.failures;
        if present {
            // Unless the server has heard that the last trouble is over, this is the same.
            if !self.missed && matches!(self.told, ServerView::Nothing | ServerView::Ended) {
                failures = Failures::default();
            }
            failures.first = failures.first.or(of.first);
            failures.last = None;
        } else {
            failures.first = failures.first.or(of.first);
            failures.last = of.last;
            failures.slots = failures.slots.saturating_add(of.slots);
        }
        let open = self.told == ServerView::Open;
        let missed = match (present, self.present) {
            // Gone before the server heard that it had come.
            (false, Some(true)) if !open => true,
            // Come again: what was missed is the beginning of what is there now.
            (true, _) => false,
            _ => self.missed,
        };
        Self { present: Some(present), missed, failures, ..self }
    }

    /// What the server now holds.
    fn tell(self, change: IncidentChange) -> Self {
        match change {
            IncidentChange::Reported => Self { told: ServerView::Open, missed: false, ..self },
            IncidentChange::Resolved => Self { told: ServerView::Ended, ..self },
        }
    }

    /// What the server is to be told, in this order.
    fn news(self) -> &'static [IncidentChange] {
        use IncidentChange::{Reported, Resolved};
        match self {
            Self { missed: true, .. } => &[Reported, Resolved],
            Self { present: Some(true), told, .. } if told != ServerView::Open => &[Reported],
            Self {
                present: Some(false), told: ServerView::Open | ServerView::Doubtful, ..
            } => &[Resolved],
            _ => &[],
        }
    }
}

impl Spool {
    /// Notes whether the meter has that trouble now; `true` where that is a change. To be called in
    /// every cycle: what is known already is not written again.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn note_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        present: bool,
        at: Timestamp,
    ) -> Result<bool, SpoolError> {
        self.note_incident_with(meter, kind, present, at, Failures::default())
    }

    /// The same with the failures that make the trouble, as far as it has come: the server is told
    /// when the first and the last was.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn note_incident_with(
        &self,
        meter: Uuid,
        kind: IncidentType,
        present: bool,
        at: Timestamp,
        failures: Failures,
    ) -> Result<bool, SpoolError> {
        let known = self.known_incident(meter, kind)?;
        let is_news = match known {
            Some(known) => known.present != Some(present),
            None => present,
        };
        if !is_news || self.is_revoked()? {
            return Ok(false);
        }
        self.change_incident(meter, kind, Some(at), |known| known.see(present, failures))?;
        Ok(known.and_then(|known| known.present).unwrap_or(false) != present)
    }

    /// Whether the meter has that trouble, as last noted.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn has_incident(&self, meter: Uuid, kind: IncidentType) -> Result<bool, SpoolError> {
        Ok(self.known_incident(meter, kind)?.is_some_and(|known| known.present == Some(true)))
    }

    /// The failures of a meter's latest trouble of that kind.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn incident_failures(
        &self,
        meter: Uuid,
        kind: IncidentType,
    ) -> Result<Failures, SpoolError> {
        Ok(self.known_incident(meter, kind)?.unwrap_or_default().failures)
    }

    /// What the server has not heard, in the order in which it happened. A trouble that came and went
    /// unheard is told as both; one that went and came again unheard has simply lasted.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn incidents_to_tell(&self) -> Result<Vec<IncidentNews>, SpoolError> {
        let rows: Vec<(Known, Vec<u8>, String, String)> = self.rows(
            &format!("SELECT {}, meter, kind, since FROM incident", Known::COLUMNS),
            [],
            |row| Ok((Known::from_row(row)?, row.get(6)?, row.get(7)?, row.get(8)?)),
        )?;
        let mut news = Vec::new();
        for (known, meter, kind, since) in rows {
            let meter = self.uuid(&meter)?;
            let kind = kind.parse().map_err(|_| self.damaged("an incident is of no known type"))?;
            let since = self.instant(&since)?;
            news.extend(known.news().iter().map(|&change| IncidentNews {
                meter,
                kind,
                change,
                since,
                at: match change {
                    IncidentChange::Reported => known.failures.first,
                    IncidentChange::Resolved => known.failures.last,
                },
            }));
        }
        news.sort_by_key(|news| news.since);
        Ok(news)
    }

    /// The server is about to be told. It is told again until it has answered; that changes nothing
    /// with it, and nobody knows what it heard otherwise.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn incident_telling(&self, news: &IncidentNews) -> Result<(), SpoolError> {
        self.change_incident(news.meter, news.kind, None, |known| Known {
            told: ServerView::Doubtful,
            ..known
        })
    }

    /// The server has heard of it.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn incident_told(&self, news: &IncidentNews) -> Result<(), SpoolError> {
        self.change_incident(news.meter, news.kind, None, |known| known.tell(news.change))
    }

    /// What the server holds of a meter's troubles, so that none is reported twice and one that an
    /// earlier spool reported is resolved.
    ///
    /// # Errors
    /// [`SpoolError`] of the file.
    pub fn learn_incidents(
        &self,
        meter: Uuid,
        incidents: &[Incident],
        at: Timestamp,
    ) -> Result<(), SpoolError> {
        for kind in IncidentType::ALL {
            let held = incidents.iter().find(|incident| incident.kind == kind);
            let told = match held.map(Incident::is_open) {
                None => ServerView::Nothing,
                Some(true) => ServerView::Open,
                Some(false) => ServerView::Ended,
            };
            let known = self.known_incident(meter, kind)?;
            // One that never was is not worth a row.
            if known.map(|known| known.told).unwrap_or_default() == told {
                continue;
            }
            let since = known.is_none().then_some(at);
            self.change_incident(meter, kind, since, |known| {
                // What was missed the server has open after all.
                let missed = known.missed && told != ServerView::Open;
                Known { told, missed, ..known }
            })?;
        }
        Ok(())
    }

    fn known_incident(&self, meter: Uuid, kind: IncidentType) -> Result<Option<Known>, SpoolError> {
        self.connection
            .prepare_cached(&format!(
                "SELECT {} FROM incident WHERE meter = ?1 AND kind = ?2",
                Known::COLUMNS
            ))
            .and_then(|mut statement| {
                statement
                    .query_row(params![meter.as_bytes(), kind.name()], Known::from_row)
                    .optional()
            })
            .map_err(|e| self.fault(e))
    }

    /// Changes what is known; `since` is the new instant of its last change, if that is one.
    fn change_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        since: Option<Timestamp>,
        change: impl FnOnce(Known) -> Known,
    ) -> Result<(), SpoolError> {
        let transaction = self.write()?;
        let known = match (self.known_incident(meter, kind)?, since) {
            (None, None) => return Ok(()),
            (known, _) => change(known.unwrap_or_default()),
        };
        transaction
            .execute(
                "INSERT INTO incident (meter, kind, present, told, missed, since, first_at, last_at,
                                       failures)
                 VALUES (?1, ?2, ?3, ?4, ?5, coalesce(?6, ''), ?7, ?8, ?9)
                 ON CONFLICT (meter, kind) DO UPDATE SET present = excluded.present,
                 told = excluded.told, missed = excluded.missed, since = coalesce(?6, since),
                 first_at = ?7, last_at = ?8, failures = ?9",
                params![
                    meter.as_bytes(),
                    kind.name(),
                    known.present,
                    known.told.number(),
                    known.missed,
                    since.map(|at| at.to_string()),
                    known.failures.first.map(|at| at.to_string()),
                    known.failures.last.map(|at| at.to_string()),
                    known.failures.slots,
                ],
            )
            .and_then(|_| transaction.commit())
            .map_err(|e| self.fault(e))
    }
}
