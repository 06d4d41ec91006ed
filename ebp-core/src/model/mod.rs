//! The survey's entities as figures 4.2 to 4.8 of the specification model them.
//!
//! Enters: parsed values. Leaves: the types that all other parts use. Absent: storage, transport.

mod consent;
mod data;
mod host_name;
mod household;
mod identifier;
mod incident;
mod measurement;
mod meter;
mod metering;

pub use consent::ConsentState;
pub use data::{DataPoint, MeasurementData, parse_data, read_data, write_data};
pub use host_name::device_host_name;
pub use household::{Address, Location, Masked, Metadata, Participant, Precision};
pub use identifier::{MeasurementIds, measurement_id, says_a_slot};
pub use incident::{Failures, Incident, IncidentType, UnknownIncidentType};
pub use measurement::{Flag, Measurement};
pub use meter::{Meter, MeterType, PvSystem};
pub use metering::{Battery, GenerationRegister, MeteringConcept};
