//! The survey in one SQLite file.
//!
//! Enters: calls of [`Store`](crate::Store). Leaves: rows, as the contract's bodies. Absent: any
//! rule that the schema (`migrations/sqlite/`) enforces.
//!
//! One connection writes, on a separate thread, and a few others read; SQLite's write-ahead log
//! lets them do so at the same time. Every commit is synced (`synchronous=FULL`), deleted content
//! is overwritten (`secure_delete`).

mod access;
mod alert;
mod alert_rule;
mod authority;
mod certificate;
mod connection;
mod consent;
mod database;
mod device;
mod device_past;
mod error_group;
mod evaluation;
mod fleet;
mod fleet_list;
mod fleet_row;
mod history;
mod household;
mod incident;
mod job;
mod latest;
mod ledger;
mod list_page;
mod location;
mod management;
mod masking;
mod measurement;
mod message;
mod migrate;
mod quota;
mod reader;
mod register;
mod registered;
mod release;
mod rollout;
mod series;
mod silence;
mod status;
mod store;
mod stored;
mod survey_text;
mod tunnel;
mod tunnel_session;
mod value;
mod web_session;
mod writer;

pub use database::SqliteStore;
