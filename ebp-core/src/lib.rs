//! Domain model, Data API contract and evaluation of the `ebp` measurement system.
//!
//! A household's meters are read once per measurement cycle; each reading becomes a
//! [`model::Measurement`], and [`contract`] says how a device sends it to the Data API.
//!
//! Enters: readings as OBIS codes with exact decimals, configuration values, the clock. Leaves: the
//! survey's entities, the contract's bodies, figures of an evaluation. Deliberately absent: input
//! and output, except for the machine's clock and the modes of private files.
//!
//! Features: `openapi` gives the contract's bodies their schemas; `retry-after` reads how long a
//! server asks to wait.
//!
//! ```
//! use ebp_core::cycle::Cycle;
//! let cycle: Cycle = "15m".parse().unwrap();
//! let at = "2026-01-31T12:07:30Z".parse().unwrap();
//! assert_eq!(cycle.slot(at).start().to_string(), "2026-01-31T12:00:00Z");
//! ```

pub mod clock;
pub mod contract;
pub mod cycle;
pub mod evaluation;
pub mod exact;
pub mod model;
pub mod obis;
pub mod owner;
pub mod phrase;
pub mod plain_text;
pub mod private_file;
pub mod quantity;
#[cfg(feature = "retry-after")]
pub mod retry_after;
pub mod scope;
pub mod sign_in;
pub mod tar;
pub mod trace;
