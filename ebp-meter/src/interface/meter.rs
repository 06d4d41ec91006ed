//! One meter at its reading head, whatever its model and however it is driven.

use std::time::Duration;

use super::Model;
use crate::{
    diagnosis::Cause,
    port::{LineSettings, PortError, PortName},
    readout::{Protocol, Readout},
    session::{Progress as AnswerProgress, RawTap, SessionEvent, Wrapping},
    unlock::{AskItem, Pin, PlanError, Progress, Stepped, UnlockError, UnlockOptions, Unlocked},
};

/// A meter that can be read, and unlocked if its model has a lock.
///
/// Every implementation keeps these promises, which `interface::promises` (feature `promises`) tests:
///
/// 1. **Reading** gives a telegram with the values that the meter shows, or a typed error. What it
///    gives are exact decimals with OBIS codes; a value that the meter did not send is left out.
/// 2. **Time**: [`next`](Self::next) returns at the latest half a second after `wait`, whatever the
///    meter and the line do. It waits at the port or in the environment's time, and never spins.
/// 3. **Light**: nothing is sent that a meter could take for a key or a PIN but by
///    [`enable_detailed_readout`](Self::enable_detailed_readout),
///    [`enable_with_owner`](Self::enable_with_owner) and [`keep_open`](Self::keep_open). Opening,
///    reading and identifying leave the meter as it is.
/// 4. **An open meter** that is to be unlocked is only looked at: the answer is
///    [`Unlocked::already`], and no light is sent. Unlocking twice is therefore unlocking once.
/// 5. **Tries**: a PIN is counted in the environment's tries, on the disk, before the meter could hear
///    of it, and forgotten when its detail is seen. A wrong one counts once for each time that it was
///    entered. Nothing is entered while the tries are used up, or cannot be remembered.
/// 6. **Stop**: while the environment's stop flag is raised no light is sent; one that is raised in
///    the midst ends unlocking with [`UnlockError::Interrupted`] within a second, the head is dark, and
///    the try stays counted if anything of it was sent.
/// 7. **Without a lock**: unlocking such a meter is an error (or finds it open), and sends nothing.
/// 8. **Secrets**: neither the PIN nor the meter's own number is in an error, in `Debug` or in a log.
/// 9. **Dropping** it frees the port and leaves the head dark.
pub trait MeterInterface: Send {
    /// What is known of its model; nothing of one whose model is not known.
    fn model(&self) -> Option<&Model>;

    /// The name of its port.
    fn port_name(&self) -> &PortName;

    /// The next telegram or what was passed over, waiting at most `wait`. A meter that wants to be
    /// asked is asked.
    ///
    /// # Errors
    /// [`PortError::Vanished`] when the device is gone: [`Self::reopen`] then goes on where it was.
    /// Others when the port fails.
    fn next(&mut self, wait: Duration) -> Result<SessionEvent, PortError>;

    /// How many bytes have come in all.
    fn received(&self) -> u64;

    /// Opens the port anew after it vanished.
    ///
    /// # Errors
    /// Those of opening; it can be asked again.
    fn reopen(&mut self) -> Result<(), PortError>;

    /// Lets `tap` have every byte that comes, for saving raw telegrams.
    fn set_raw_tap(&mut self, tap: RawTap);

    /// Enters the PIN and makes the detail last, as the model needs it. `progress` hears how it goes
    /// on; it must not take long, for presses wait for it.
    ///
    /// # Errors
    /// [`UnlockError`]; nothing is tried beyond what the model allows.
    fn enable_detailed_readout(
        &mut self,
        pin: &Pin,
        options: &UnlockOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unlocked, UnlockError>;

    /// Enters the PIN and walks through the list behind it with the meter's owner, who says what
    /// stands on the display.
    ///
    /// # Errors
    /// [`PlanError::NoMenu`] for a model without such a list, otherwise as
    /// [`Self::enable_detailed_readout`].
    fn enable_with_owner(
        &mut self,
        pin: &Pin,
        options: &UnlockOptions,
        owner: &mut dyn AskItem,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Stepped, UnlockError> {
        let _ = (pin, options, owner, progress);
        Err(PlanError::NoMenu { model: self.model_name() }.into())
    }

    /// Keeps open what the PIN has opened: one short press.
    ///
    /// # Errors
    /// [`PlanError::NoLock`] for a model that is not kept open so; those of the port.
    fn keep_open(&mut self) -> Result<(), UnlockError> {
        Err(PlanError::NoLock { model: self.model_name() }.into())
    }

    /// Whether a telegram has what the survey wants in detail.
    fn is_detailed(&self, readout: &Readout) -> bool {
        readout.is_detailed()
    }

    /// Whether the port goes on for ever (see [`Port::is_live`](crate::port::Port::is_live)).
    fn is_live(&self) -> bool {
        true
    }

    /// The present line settings; none where they are not known.
    fn line(&self) -> Option<LineSettings> {
        None
    }

    /// The language, once it is known.
    fn protocol(&self) -> Option<Protocol> {
        None
    }

    /// How long ago, at most, the telegram may have been over that [`Self::next`] gave last.
    fn over_within(&self, readout: &Readout) -> Duration {
        let _ = readout;
        Duration::ZERO
    }

    /// How far an answer has come that is under way. Whoever waits for it should count its silence,
    /// not its length.
    fn answering(&self) -> Option<AnswerProgress> {
        None
    }

    /// Why nothing could be read, as far as the bytes show it.
    fn cause(&self) -> Option<Cause> {
        None
    }

    /// What the bytes are wrapped in, once that is certain.
    fn wrapping(&self) -> Option<Wrapping> {
        None
    }

    /// The model's name for an error.
    #[doc(hidden)]
    fn model_name(&self) -> String {
        self.model().map_or_else(|| "this meter".to_owned(), |model| model.name.clone())
    }
}
