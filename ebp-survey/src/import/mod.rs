//! Many registrations at once: read, checked, located.
//!
//! Enters: a file, JSON Lines or CSV. Leaves: each line with what would become of it, and the
//! registrations of those that can be taken in. Absent: registering them, which the store does in one
//! transaction with the record of whoever asked; queues.

mod looked_up;
mod order;
mod parse;

use std::{collections::HashMap, sync::Arc};

use ebp_core::{
    contract::{ImportedLine, LineFault, LineOutcome, Registration},
    model::Participant,
};
use ebp_store::{StoreError, address::normalised};
use uuid::Uuid;

pub use looked_up::LookedUp;
pub use order::ImportOrder;
pub use parse::{FileError, Line, lines};

use crate::{Survey, SurveyError};

/// Registrations of an import that is taken in as a whole, at most: nobody else registers or revokes
/// while they are stored.
pub const IMPORT_LIMIT: usize = 1_000;

/// A line with its registration, if that is to be taken in.
pub type CheckedLine = (ImportedLine, Option<Registration>);

impl Survey {
    /// What would become of each line. `step` is told of each line and says whether to go on; none if
    /// it did not.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn check_lines(
        &self,
        lines: Vec<Line>,
        step: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Vec<CheckedLine>>, SurveyError> {
        let mut seen = Seen::default();
        let mut checked = Vec::with_capacity(lines.len());
        for (line, parsed) in lines {
            checked.push(self.check_line(line, parsed, &mut seen).await?);
            if !step() {
                return Ok(None);
            }
        }
        Ok(Some(checked))
    }

    async fn check_line(
        &self,
        line: u64,
        parsed: Result<Registration, Vec<LineFault>>,
        seen: &mut Seen,
    ) -> Result<CheckedLine, SurveyError> {
        let mut imported = ImportedLine {
            line,
            outcome: LineOutcome::New,
            same_as_line: None,
            reason: None,
            faults: Vec::new(),
            household: None,
            registered: None,
        };
        let refused = |imported: ImportedLine, faults: Vec<LineFault>| {
            Ok((
                ImportedLine {
                    outcome: LineOutcome::Refused,
                    reason: Some(LineFault::list(&faults)),
                    faults,
                    same_as_line: None,
                    ..imported
                },
                None,
            ))
        };
        let registration = match parsed {
            Ok(registration) => registration,
            Err(faults) => return refused(imported, faults),
        };
        imported.same_as_line = seen.same(&registration);
        match self.check_registration(registration.clone(), false).await {
            Ok(()) => {}
            Err(SurveyError::Store(StoreError::RegisteredAlready(household))) => {
                imported.outcome = LineOutcome::Known;
                imported.household = Some(household);
                return Ok((imported, None));
            }
            Err(SurveyError::Store(StoreError::Registration(faults))) => {
                return refused(imported, faults.iter().map(LineFault::from).collect());
            }
            Err(error) => return Err(error),
        }
        if imported.same_as_line.is_some() {
            // It is known once the line before is stored.
            imported.outcome = LineOutcome::Known;
            return Ok((imported, Some(registration)));
        }
        match seen.conflict(&registration) {
            Some(fault) => refused(imported, vec![fault]),
            None => {
                seen.add(line, &registration);
                Ok((imported, Some(registration)))
            }
        }
    }

    /// Looks up the addresses of registrations that have no location, and returns which those were.
    /// `step` is told of each line and says whether to go on; none if it did not.
    pub async fn locate_lines(
        self: &Arc<Self>,
        lines: &mut [CheckedLine],
        step: &(dyn Fn() -> bool + Sync),
    ) -> Option<LookedUp> {
        let mut looked_up = LookedUp::new(self.clone());
        for (line, registration) in lines {
            if let Some(registration) = registration
                && registration.location.is_none()
                && line.same_as_line.is_none()
            {
                looked_up.add(&registration.address);
                let located = self.locate(&registration.address).await;
                if let Some(located) = &located {
                    located.log_trouble();
                }
                registration.location = located.and_then(|found| found.location);
            }
            if !step() {
                return None;
            }
        }
        Some(looked_up)
    }
}

/// What the lines before have taken.
#[derive(Default)]
struct Seen {
    /// Participants and addresses.
    households: HashMap<(String, String, String), u64>,
    /// E-mail addresses, with the names that they came with.
    names: HashMap<String, (String, u64)>,
    /// Identifiers of devices and meters.
    identifiers: HashMap<Uuid, u64>,
}

impl Seen {
    fn key(registration: &Registration) -> (String, String, String) {
        let Participant { name, email } = registration.participant.clone();
        (email.to_ascii_lowercase(), name, normalised(&registration.address))
    }

    /// The line before of the same participant and address.
    fn same(&self, registration: &Registration) -> Option<u64> {
        self.households.get(&Self::key(registration)).copied()
    }

    /// Why it cannot be taken in beside the lines before.
    fn conflict(&self, registration: &Registration) -> Option<LineFault> {
        let Participant { name, email } = &registration.participant;
        let taken = self.names.get(&email.to_ascii_lowercase());
        if let Some((_, line)) = taken.filter(|(other, _)| other != name) {
            return Some(LineFault::EmailTaken { line: Some(*line) });
        }
        identifiers(registration)
            .find_map(|(place, uuid)| Some((place, self.identifiers.get(&uuid)?)))
            .map(|(pointer, line)| LineFault::Taken { pointer, line: *line })
    }

    fn add(&mut self, line: u64, registration: &Registration) {
        let Participant { name, email } = registration.participant.clone();
        self.households.insert(Self::key(registration), line);
        self.names.entry(email.to_ascii_lowercase()).or_insert((name, line));
        self.identifiers.extend(identifiers(registration).map(|(_, uuid)| (uuid, line)));
    }
}

/// The identifiers that a registration brings, each with its place.
fn identifiers(registration: &Registration) -> impl Iterator<Item = (String, Uuid)> {
    let device = registration.measurement_device.map(|uuid| ("/measurement_device".into(), uuid));
    let meters = registration.meters.iter().enumerate();
    let meters = meters.filter_map(|(i, meter)| Some((format!("/meters/{i}/uuid"), meter.uuid?)));
    device.into_iter().chain(meters)
}
