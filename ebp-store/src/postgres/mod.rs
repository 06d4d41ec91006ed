//! The survey in a PostgreSQL database, for any number of servers.
//!
//! Enters: what [`Store`](crate::Store) is asked. Leaves: rows, as the contract's bodies. Absent:
//! any rule that the schema (`migrations/postgres/`) can keep by itself, and anything remembered
//! between two calls that another server would have to know.
//!
//! Each method takes a connection from the pool and gives it back. A broken one is thrown away, and
//! the next method makes a new one: PostgreSQL may go and come again at any time. What it had not
//! yet acknowledged is told as a temporary failure and may be there all the same: all of it or
//! nothing, which is why measurements have identifiers.

mod access;
mod certificate;
mod connect;
mod consent;
mod copy;
mod database;
mod device;
mod erase;
mod error;
mod evaluation;
mod gather;
mod history;
mod household;
mod incident;
mod list_page;
mod listing;
mod location;
mod lookup;
mod management;
mod masking;
mod measurement;
mod migrate;
mod patience;
mod pooler;
mod quota;
mod register;
mod release;
mod report;
mod status;
mod store;
mod store_error;
mod stored;
mod tls;
mod value;

pub use connect::{DatabaseUrl, PostgresSettings};
pub use database::PostgresStore;
pub use error::PostgresError;
