//! The administrators' pages: how devices are, alerts, the server.
//!
//! Enters: what the survey's operations answer. Leaves: pages in German and English, with pictures made
//! on the server. Absent: people, but for a participant's name; values of meters; who may do what, which
//! the operations decide.
//!
//! A page is made by a pure function of what is known (`overview.rs`, `device.rs`, `alerts.rs`,
//! `rollout.rs`, `server.rs`); `routes/` asks for that and takes forms.

mod alerts;
mod brief;
mod confirm;
mod device;
mod device_state;
mod filter;
mod heat_map;
mod kept;
mod overview;
mod reason;
mod rollout;
mod routes;
mod rule_form;
mod server;
#[cfg(test)]
mod tests;
mod timeline;

pub(crate) use kept::KeptFleets;
pub(crate) use routes::routes;
