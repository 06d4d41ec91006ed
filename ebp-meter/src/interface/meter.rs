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
/// Every implementation guarantees these points, which `interface::promises` (feature `promises`)
/// tests:
///
/// 1. **Reading** returns a telegram with the values that the meter shows, or a typed error. The
///    values are exact decimals with OBIS codes; a value that the meter did not send is absent.
/// 2. **Time**: [`next`](Self::next) returns at the latest half a second after `wait`, whatever the
///    meter and the line do. It waits at the port or in the environment's time, and never spins.
/// 3. **Light**: nothing that a meter could take for a key press or a PIN is sent, except by
///    [`enable_detailed_readout`](Self::enable_detailed_readout),
///    [`enable_with_owner`](Self::enable_with_owner) and [`keep_open`](Self::keep_open). Opening,
///    reading and identifying leave the meter's state unchanged.
/// 4. **An open meter** that is to be unlocked is only read: the answer is [`Unlocked::already`],
///    and no light is sent. Unlocking twice therefore has the same effect as unlocking once.
/// 5. **Tries**: a PIN is counted in the environment's tries, on the disk, before the meter can
///    receive it, and the count is deleted when a telegram shows the detailed values. A wrong PIN
///    counts once for each time that it was entered. Nothing is entered while the tries are used
///    up, or if they cannot be stored.
/// 6. **Stop**: while the environment's stop flag is set no light is sent. If the flag is set
///    during unlocking, unlocking ends with [`UnlockError::Interrupted`] within a second, the head
///    is dark, and the try stays counted if any part of it was sent.
/// 7. **Without a lock**: unlocking such a meter is an error (or finds it open), and sends nothing.
/// 8. **Secrets**: neither the PIN nor the meter's own number is in an error, in `Debug` or in a
///    log.
/// 9. **Dropping** the value frees the port and leaves the head dark.
pub trait MeterInterface: Send {
    /// The description of the meter's model; none if the model is not known.
    fn model(&self) -> Option<&Model>;

    /// The name of its port.
    fn port_name(&self) -> &PortName;

    /// The next telegram, or noise that was skipped; waits at most `wait`. A meter that sends only
    /// on request gets its request.
    ///
    /// # Errors
    /// Returns [`PortError::Vanished`] when the device is gone: [`Self::reopen`] then continues.
    /// Returns another [`PortError`] when the port fails.
    fn next(&mut self, wait: Duration) -> Result<SessionEvent, PortError>;

    /// How many bytes have arrived altogether.
    fn received(&self) -> u64;

    /// Opens the port anew after it vanished.
    ///
    /// # Errors
    /// Returns the errors of opening the port; the call can be repeated.
    fn reopen(&mut self) -> Result<(), PortError>;

    /// Passes every byte that arrives to `tap`, for saving raw telegrams.
    fn set_raw_tap(&mut self, tap: RawTap);

    /// Enters the PIN and makes the detailed values last, as the model needs it. `progress` is
    /// called with each step; it must return quickly, because key presses wait for it.
    ///
    /// # Errors
    /// Returns [`UnlockError`] if the model or the PIN allows no plan, no telegram arrives, no
    /// detailed values appear, the operator has switched off the power value, the tries are used up
    /// or cannot be stored, the stop flag is set, or the light or the port fails. No more tries are
    /// made than the model allows.
    fn enable_detailed_readout(
        &mut self,
        pin: &Pin,
        options: &UnlockOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unlocked, UnlockError>;

    /// Enters the PIN and steps through the menu that follows with the meter's owner, who reports
    /// what the display shows.
    ///
    /// # Errors
    /// Returns [`PlanError::NoMenu`] for a model without such a menu, otherwise as
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

    /// Keeps the menu open that the PIN has opened, with one short press.
    ///
    /// # Errors
    /// Returns [`PlanError::NoLock`] for a model that is not kept open in this way, and errors of
    /// the port.
    fn keep_open(&mut self) -> Result<(), UnlockError> {
        Err(PlanError::NoLock { model: self.model_name() }.into())
    }

    /// Whether a telegram has the detailed values that the survey needs.
    fn is_detailed(&self, readout: &Readout) -> bool {
        readout.is_detailed()
    }

    /// Whether the port delivers bytes without an end (see
    /// [`Port::is_live`](crate::port::Port::is_live)).
    fn is_live(&self) -> bool {
        true
    }

    /// The present line settings; none if they are not known.
    fn line(&self) -> Option<LineSettings> {
        None
    }

    /// The protocol, once it is known.
    fn protocol(&self) -> Option<Protocol> {
        None
    }

    /// How long ago, at most, the telegram ended that [`Self::next`] returned last.
    fn over_within(&self, readout: &Readout) -> Duration {
        let _ = readout;
        Duration::ZERO
    }

    /// The progress of an answer that is arriving. A caller that waits for it should limit the time
    /// without a byte, not the length of the answer.
    fn answering(&self) -> Option<AnswerProgress> {
        None
    }

    /// Why nothing could be read, as far as the bytes show it.
    fn cause(&self) -> Option<Cause> {
        None
    }

    /// The encoding around the meter's bytes (Telnet, hexadecimal text), once it is certain.
    fn wrapping(&self) -> Option<Wrapping> {
        None
    }

    /// The model's name for an error.
    #[doc(hidden)]
    fn model_name(&self) -> String {
        self.model().map_or_else(|| "this meter".to_owned(), |model| model.name.clone())
    }
}
