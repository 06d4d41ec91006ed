//! The rules of revocation: a masked location, and months instead of instants.

use ebp_anon::Position;
use ebp_core::{
    contract::{Household, Withdrawal},
    model::Location,
};
use jiff::{Timestamp, civil::Time, tz::TimeZone};

use crate::masking::{Masking, Unmasked};

/// What a revocation leaves: which instants, and how the location is masked.
pub struct Revoking<'a> {
    /// When consent was granted.
    pub granted_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Timestamp,
    /// How it was withdrawn, if researchers recorded that.
    pub withdrawal: Option<Withdrawal>,
    /// The masked location that was drawn for it elsewhere.
    pub drawn: Option<&'a Location>,
    /// What it is masked by, if there is anything.
    pub by: Option<&'a Masking>,
}

impl Revoking<'_> {
    /// The location that a household has from now on.
    pub fn release(&self, known: &Household, measured: bool) -> Released {
        if !measured {
            return Released::Nowhere;
        }
        if let Some(drawn) = self.drawn {
            return Released::At(drawn.clone());
        }
        let Household { address, location, .. } = known;
        let origin = match self.by {
            Some(by) => by.origin(location.as_ref(), address.as_ref()),
            None => {
                let known = location.as_ref();
                known.and_then(|at| Position::new(at.latitude, at.longitude).ok())
            }
        };
        match draw(self.by, origin) {
            Ok(drawn) => Released::At(drawn),
            Err(why) => {
                tracing::warn!(
                    %why,
                    "a household that revoked its consent is withheld until it can be masked"
                );
                Released::Withheld(origin)
            }
        }
    }
}

/// Where a household is said to be that revoked.
pub enum Released {
    /// There.
    At(Location),
    /// It is withheld, and is truly there, as far as is known.
    Withheld(Option<Position>),
    /// Nowhere: nothing was measured there.
    Nowhere,
}

/// Draws a masked location, if that can be.
pub fn draw(by: Option<&Masking>, origin: Option<Position>) -> Result<Location, Unmasked> {
    by.ok_or(Unmasked::NoRegions)?.draw(origin)
}

/// The first instant of the month (UTC).
pub fn month(at: Timestamp) -> Timestamp {
    let first = TimeZone::UTC.to_datetime(at).date().first_of_month();
    TimeZone::UTC.to_timestamp(first.to_datetime(Time::midnight())).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_midnight_utc() {
        for (at, first) in [
            ("2026-03-31T23:59:59.999999Z", "2026-03-01T00:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("2026-03-01T00:30:00+02:00", "2026-02-01T00:00:00Z"),
        ] {
            assert_eq!(month(at.parse().unwrap()).to_string(), first);
        }
    }
}
