//! An export as the Data API asks for it.

use ebp_core::contract::{ExportFormat, ExportRequest, ExportResolution, TimeBound};
use ebp_dataset::{
    Calendar, CalendarError,
    files::{Decimal, Format},
};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::{ExportOrder, LEAST_AGE, Resolution};

/// Who publishes a set where nobody says it.
pub const PUBLISHER: &str = "the research group of the survey";

/// The latest instant that can be exported then, to the second.
#[must_use]
pub fn latest(now: Timestamp) -> Timestamp {
    let latest = now.checked_sub(LEAST_AGE).unwrap_or(now);
    let second = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc);
    latest.round(second).unwrap_or(latest)
}

/// `ebp-` and the day.
#[must_use]
pub fn default_name(as_of: Timestamp) -> String {
    format!("ebp-{}", as_of.to_string().chars().take(10).collect::<String>())
}

/// From when to when a request goes, where days are those of the time zone.
///
/// # Errors
/// As [`ExportOrder::from_request`].
pub fn stretch(
    request: &ExportRequest,
    zone: &str,
) -> Result<(Option<Timestamp>, Option<Timestamp>), CalendarError> {
    let calendar = Calendar::bundled(zone)?;
    let place = |bound: TimeBound| {
        let at = calendar.place(bound)?;
        Timestamp::from_microsecond(at).map_err(|_| CalendarError::OutOfRange(at))
    };
    Ok((request.from.map(place).transpose()?, request.to.map(place).transpose()?))
}

impl ExportOrder {
    /// The order that a request made at `asked_at` is, where days are those of the time zone: each
    /// attempt at it is the same order.
    ///
    /// # Errors
    /// Where the zone is unknown, or its calendar does not cover a day that is given.
    pub fn from_request(
        request: &ExportRequest,
        asked_at: Timestamp,
        zone: &str,
    ) -> Result<Self, CalendarError> {
        let as_of = request.as_of.unwrap_or_else(|| latest(asked_at));
        let (from, to) = stretch(request, zone)?;
        Ok(Self {
            name: request.name.clone().unwrap_or_else(|| default_name(as_of)),
            publisher: request.publisher.clone().unwrap_or_else(|| PUBLISHER.to_owned()),
            as_of,
            from,
            to,
            format: match request.format {
                ExportFormat::Parquet => Format::Parquet,
                ExportFormat::Csv => Format::Csv(Decimal::Point),
                ExportFormat::CsvComma => Format::Csv(Decimal::Comma),
            },
            resolution: match request.resolution {
                ExportResolution::Quarter => Resolution::Quarter,
                ExportResolution::Hour => Resolution::Hour,
                ExportResolution::Day => Resolution::Day,
            },
            fill: request.fill,
            zone: zone.to_owned(),
        })
    }
}
