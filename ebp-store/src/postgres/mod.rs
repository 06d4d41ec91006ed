//! The survey in a PostgreSQL database, for any number of servers.
//!
//! Enters: calls of [`Store`](crate::Store). Leaves: rows, as the contract's bodies. Absent: rules
//! that the schema (`migrations/postgres/`) enforces, and state between two calls that another
//! server would need.
//!
//! Each method takes a connection from the pool and gives it back. A broken one is thrown away, and
//! the next method opens a new one: PostgreSQL may be restarted at any time. An operation that was
//! not acknowledged is reported as a temporary failure, and may be stored nevertheless, completely
//! or not at all; therefore measurements have identifiers.

mod access;
mod alert;
mod alert_rule;
mod authority;
mod certificate;
mod connect;
mod consent;
mod copy;
mod database;
mod device;
mod device_past;
mod erase;
mod error;
mod error_group;
mod evaluation;
mod fleet;
mod fleet_list;
mod fleet_row;
mod gather;
mod history;
mod household;
mod incident;
mod job;
mod latest;
mod ledger;
mod list_page;
mod listing;
mod location;
mod lookup;
mod management;
mod masking;
mod measurement;
mod message;
mod migrate;
mod patience;
mod pooler;
mod publication;
mod quota;
mod register;
mod registered;
mod release;
mod report;
mod rollout;
mod series;
mod silence;
mod status;
mod store;
mod store_error;
mod stored;
mod survey_text;
mod tls;
mod tunnel;
mod tunnel_session;
mod value;
mod web_session;

pub use connect::{DatabaseUrl, PostgresSettings};
pub use database::PostgresStore;
pub use error::PostgresError;
