//! Unlocking a meter by light, as its owner does with a torch.
//!
//! Enters: a model's [`profile`](crate::profile), the owner's [`Pin`], a meter at a port.
//! Leaves: presses of light, and a meter that tells its power. Absent: where PINs are asked for,
//! how progress is shown, and the meter itself (see [`crate::virtual_meter`]).
//!
//! The files in the order in which things happen: [`pin`] keeps the secret, [`plan`] turns it into
//! presses and pauses, [`press`] makes light of them, [`tries`] remembers what a meter was told
//! wrongly, [`attempt`] sends a plan and looks at the telegrams, [`Attempt::run`] puts it all
//! together and looks whether it worked, [`keep`] says what to do
//! so that it lasts. A long press is sent only where a source or the meter's owner says that `InF`
//! stands there. [`calibrate`] finds the timing of a model that nobody has described yet.
//!
//! ```
//! use ebp_meter::{profile::Profiles, unlock::{Pin, Plan, Variant}};
//! let profiles = Profiles::embedded();
//! let pin: Pin = "1234".parse().unwrap();
//! let plan = Plan::enter_pin(profiles.get("MT175").unwrap(), &pin, Variant::Normal).unwrap();
//! assert!(plan.to_string().contains("0 to 9 presses"), "a plan keeps the PIN to itself");
//! ```

pub mod attempt;
pub mod calibrate;
mod detail;
mod enter;
pub mod keep;
mod lasting;
mod link;
mod open_list;
mod options;
mod outcome;
pub mod pin;
pub mod plan;
mod plan_error;
pub mod press;
mod step;
pub mod tries;
mod watched;

pub use attempt::Attempt;
pub use calibrate::{Ask, CalibrateError, Calibration, Finding, Question, Quit};
pub use detail::is_detailed;
pub use keep::{Keep, KeepUp, Upkeep};
pub use link::Link;
pub use options::UnlockOptions;
pub use outcome::{InfSwitch, Lasting, Progress, Refused, UnlockError, Unlocked};
pub use pin::{Pin, PinError};
pub use plan::{Phase, Plan, Step, Variant};
pub use plan_error::PlanError;
pub use press::{Head, Method, OnPort, PressError, Stage, execute};
pub use step::{AskItem, Item, Stepped, SteppedEnd};
pub use tries::{MeterKey, Tries, TriesError};
