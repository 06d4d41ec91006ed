//! Incidents of meters: as the device observes them, and what has still to be reported to the
//! server.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

use super::{Spool, SpoolError};
use ebp_core::model::{Failures, Incident, IncidentType};

/// A change of an incident that has to be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentChange {
    /// It has begun.
    Reported,
    /// It has ended.
    Resolved,
}

/// A change that was not reported to the server yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentNews {
    /// Which meter.
    pub meter: Uuid,
    /// The type of incident.
    pub kind: IncidentType,
    /// Whether it has begun or ended.
    pub change: IncidentChange,
    /// When it last changed, UTC by this device's clock.
    pub since: Timestamp,
    /// The time of its first or last failure, if the time was known then.
    pub at: Option<Timestamp>,
}

/// The server's state of an incident, as far as the device knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ServerView {
    /// Unknown to the server, as far as the device knows.
    #[default]
    Nothing,
    Ended,
    Open,
    /// A change was sent, and not answered yet.
    Doubtful,
}

impl ServerView {
    /// As a number for the database.
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

/// The state of one type of incident of one meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    /// Whether the device observes it; `None` before the first observation.
    present: Option<bool>,
    /// The server's state.
    told: ServerView,
    /// It began and ended without a report.
    missed: bool,
    /// The failures that it consists of.
    failures: Failures,
}

impl Known {
    const COLUMNS: &str = "present, told, missed, first_at, last_at, failures";

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let told = ServerView::numbered(row.get(1)?);
        // An instant that cannot be parsed is ignored.
        let instant = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let (first, last) = (instant(row.get(3)?), instant(row.get(4)?));
        let failures = Failures { first, last, slots: row.get(5)? };
        Ok(Self { present: row.get(0)?, told, missed: row.get(2)?, failures })
    }

    /// Sets what the device observes now, with its failures.
    fn see(self, present: bool, of: Failures) -> Self {
        let mut failures = self.failures;
        if present {
            // Unless the end of the last incident was reported, this is the same incident.
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
            // Ended before its beginning was reported.
            (false, Some(true)) if !open => true,
            // It has begun again: the unreported one is the beginning of this one.
            (true, _) => false,
            _ => self.missed,
        };
        Self { present: Some(present), missed, failures, ..self }
    }

    /// Sets the server's state.
    fn tell(self, change: IncidentChange) -> Self {
        match change {
            IncidentChange::Reported => Self { told: ServerView::Open, missed: false, ..self },
            IncidentChange::Resolved => Self { told: ServerView::Ended, ..self },
        }
    }

    /// The changes to report, in this order.
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
    /// Records whether the meter has that incident now; returns `true` if that is a change. To be
    /// called in every cycle: an unchanged state is not written again.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn note_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        present: bool,
        at: Timestamp,
    ) -> Result<bool, SpoolError> {
        self.note_incident_with(meter, kind, present, at, Failures::default())
    }

    /// The same, with the failures of the incident so far: the times of the first and the last are
    /// reported to the server.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
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

    /// Whether the meter has that incident, as last recorded.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn has_incident(&self, meter: Uuid, kind: IncidentType) -> Result<bool, SpoolError> {
        Ok(self.known_incident(meter, kind)?.is_some_and(|known| known.present == Some(true)))
    }

    /// The failures of a meter's latest incident of that type.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn incident_failures(
        &self,
        meter: Uuid,
        kind: IncidentType,
    ) -> Result<Failures, SpoolError> {
        Ok(self.known_incident(meter, kind)?.unwrap_or_default().failures)
    }

    /// The changes that were not reported, in the order in which they happened. An incident that
    /// began and ended unreported is reported as both; one that ended and began again unreported
    /// counts as one that lasted.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
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

    /// Records that a change is about to be sent. It is sent again until the server has answered,
    /// because it is unknown whether the server received it; repeating it changes nothing at the
    /// server.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn incident_telling(&self, news: &IncidentNews) -> Result<(), SpoolError> {
        self.change_incident(news.meter, news.kind, None, |known| Known {
            told: ServerView::Doubtful,
            ..known
        })
    }

    /// Records that the server has answered.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn incident_told(&self, news: &IncidentNews) -> Result<(), SpoolError> {
        self.change_incident(news.meter, news.kind, None, |known| known.tell(news.change))
    }

    /// Records the server's incidents of a meter, so that none is reported twice, and one that was
    /// reported from an earlier spool is resolved.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
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
            // An incident that never occurred needs no row.
            if known.map(|known| known.told).unwrap_or_default() == told {
                continue;
            }
            let since = known.is_none().then_some(at);
            self.change_incident(meter, kind, since, |known| {
                // The unreported one is open at the server after all.
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

    /// Writes the state; `since` is the instant of its last change, if it changed.
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
