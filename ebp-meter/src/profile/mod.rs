//! Models of meters as data: what a model sends, how it is unlocked, and where each number is from.
//!
//! Enters: TOML files, embedded ones (`profiles/*.toml`) and those of a folder.
//! Leaves: checked [`Profile`]s by name. Absent: reading, unlocking and imitating a meter, which
//! only follow what a profile says; secrets of any single meter.
//!
//! ```
//! use ebp_meter::profile::Profiles;
//! let profiles = Profiles::embedded();
//! let mt175 = profiles.get("mt175").unwrap();
//! assert_eq!(mt175.flag.as_str(), "ISK");
//! ```
//!
//! A file reads like this (numbers in milliseconds where the key ends in `_ms`):
//!
//! ```toml
//! name = "MT631"                     # what people type, case does not matter
//! aliases = ["ISKRA MT631"]
//! maker = "Iskraemeco"
//! flag = "ISK"                       # the maker's FLAG id
//!
//! [line]
//! protocol = "sml"                   # sml, d0-push or d0-request
//! baud = 9600
//! framing = "8N1"
//! push_interval_ms = 1000
//! source = "dump ISKRA_MT631-D1A52-K0z-H01_with_PIN"
//!
//! [telegram]
//! server_id = "din43863-5"
//! list_name = "0100620affff"
//! source = "as above"
//!
//! [unlocked]
//! source = "as above"
//! registers = [
//!   { obis = "1-0:96.50.1*1", content = "maker" },
//!   { obis = "1-0:1.8.0*255", unit = "Wh", scaler = -1, width = 4, compact = true },
//!   { obis = "1-0:16.7.0*255", unit = "W", scaler = 0, width = 4, signed = true, compact = true },
//! ]
//! ```

mod check;
mod error;
mod limits;
mod line;
mod model;
mod near;
mod parse;
mod pin;
mod register;
mod set;
mod words;

pub use crate::flag_id::FlagId;
pub use error::{ProfileError, UnknownModel};
pub use limits::{Limits, max_kilowatts};
pub use line::{Line, ServerIdForm, TelegramForm, Transport};
pub use model::{Profile, Quirk, QuirkNote};
pub(crate) use near::nearest;
pub use pin::{Blocking, Interval, LockKind, LockNote, Menu, Pin, Relock, RelockBehaviour, Wake};
pub use register::{AsciiForm, Content, Quantity, Register, Registers, Status};
pub use set::Profiles;
