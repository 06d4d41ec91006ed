//! A measurement device of the `ebp` measurement system, as a library.
//!
//! What the meters show is kept in the device's [`spool`] and sent to the Data API by the
//! [`transmitter`] until the server has confirmed it. Nothing is measured or sent without the
//! household's consent ([`consent`]).
//!
//! Enters: readings, the device's clocks, the Data API's answers. Leaves: rows of the spool, requests
//! to the Data API. Absent: the command line, words for people, an HTTP server.

pub mod clock;
pub mod consent;
pub mod keeper;
pub mod spool;
pub mod transmitter;
