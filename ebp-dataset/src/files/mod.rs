//! The data set's files: what a table is, Parquet and CSV, the metadata beside them, and whether a
//! folder keeps its promises.
//!
//! Enters: rows of declared tables, what is to be said of the set. Leaves: bytes that depend on
//! nothing else: no clock, no random numbers, no locale, no time zone of the machine. Absent:
//! databases, households, who may receive what.
//!
//! Why these files: `docs/decisions/dataset.md`.

mod cell;
mod check;
mod column;
mod digest;
mod error;
mod metadata;
mod read;
mod table;
mod text;
mod write;
mod zones;

pub use cell::Cell;
pub use check::{
    Confirmation, Finding, ReleaseFacts, ReleaseSignature, Verdict, check_folder, check_release,
    is_signed_by, signed_text,
};
pub use column::{Column, Encoding, Kind, Table, Tier};
pub use digest::{hash_file, hex, sums};
pub use error::FileError;
pub use metadata::{
    Described, FileEntry, Lost, MeterQuality, citation, croissant, data_package, licence,
    oemetadata, quality_page, readme, release_readme,
};
pub use read::{Value, read_rows};
pub use table::{
    BALANCE, CONSENTS, DAILY, ENERGY, FLAG_LIST, HOUSEHOLDS, INCIDENTS, METERS, PROFILES,
    PV_SYSTEMS, QUALITY, READINGS, RELEASED_BALANCE, RELEASED_HOUSEHOLDS, SPANS, TABLES, flag_rows,
    tables_of,
};
pub use write::{Decimal, Format, GROUP, TableWriter, Written};
pub use zones::zones_version;
