//! The researchers' pages: households are registered, corrected and imported here, their messages are
//! answered, and devices get what they are enrolled with.
//!
//! Enters: forms. Leaves: pages; changes by operations of the survey. Absent: the rules of a
//! registration, which the survey has; devices' state, which is the administrators'.

mod consents;
mod decoding;
mod device;
mod draft;
mod draft_fields;
mod edit;
mod field;
mod form;
mod geodata;
mod household;
mod households;
mod import;
mod import_column;
mod member;
mod messages;
mod new;
mod no_table;
mod question;
mod reason;
mod remove;
mod router;
mod spreadsheet;
mod table;
mod withdrawal;

pub use router::routes;
