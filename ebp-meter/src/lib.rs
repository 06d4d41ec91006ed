//! Reading German household electricity meters.
//!
//! A meter sends telegrams through its optical port, unasked or on request. A
//! [`Session`](session::Session) finds them in what comes from a port and gives each as a
//! [`Readout`]: every entry with its OBIS code, its unit and its exact value.
//!
//! ```no_run
//! use std::time::Duration;
//! use ebp_meter::session::{ReadOptions, Session, SessionEvent};
//!
//! let mut session = Session::open(&"/dev/ttyUSB0".parse()?, ReadOptions::default())?;
//! while let SessionEvent::Readout(readout) = session.next(Duration::from_secs(10))? {
//!     for point in readout.survey() {
//!         println!("{} {}", point.obis, point.value);
//!     }
//! }
//! # Ok::<(), ebp_meter::port::PortError>(())
//! ```
//!
//! It needs 45 other crates (`cargo tree -p ebp-meter --no-default-features -e normal`, those that
//! run while building included); `cargo xtask crates` checks the number. No database, no
//! HTTP, no asynchronous runtime. Features: `promises` is the suite that every driver's meters have to pass, for
//! tests; there is none that a reader needs.
//!
//! Enters: bytes from a reading head, models' profiles. Leaves: [`Readout`]s, measurements, light.
//! Deliberately absent: the cloud's databases, HTTP, geometry.

pub mod aggregator;
mod byte_text;
pub mod canonical;
pub mod d0;
pub mod decoder;
pub mod diagnosis;
mod file;
mod flag_id;
pub mod hex_text;
pub mod identify;
pub mod interface;
pub mod lock;
pub mod maker;
pub mod pace;
pub mod port;
pub mod profile;
pub mod readout;
pub mod redact;
pub mod scan;
pub mod session;
pub mod sml;
pub mod unlock;
pub mod virtual_meter;

pub use readout::Readout;
