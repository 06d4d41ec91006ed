//! Promises of unlocking: no light where none is needed, tries that count, an end when it is stopped.

use std::sync::{Arc, atomic::Ordering};

use super::{Pins, Stand, Start, stand::parsed};
use crate::unlock::{Progress, Refused, UnlockError, UnlockOptions};

/// A meter of a model with a lock.
fn with_lock(put_up: &impl Fn(Start) -> Stand, start: Start) -> (Stand, Pins) {
    let stand = put_up(start);
    assert!(stand.driver.model().pin.is_some(), "{} has no lock", stand.name());
    let pins = stand.pins.unwrap_or_else(|| panic!("the PINs of {} are not given", stand.name()));
    (stand, pins)
}

/// Unlocking a model without a lock is an error and sends nothing.
///
/// # Panics
/// If it is not, or does.
pub fn a_model_without_a_lock_gets_no_light(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Open);
    assert!(stand.driver.model().pin.is_none(), "{} has a lock", stand.name());
    match stand.unlock("1234") {
        Err(UnlockError::Plan(_)) => {}
        Ok(unlocked) => assert!(unlocked.already),
        Err(error) => panic!("another error than that of the model: {error}"),
    }
    assert_eq!((stand.keys)(), 0);
}

/// A meter that is open is only looked at, whatever the PIN.
///
/// # Panics
/// If it is not.
pub fn an_open_meter_gets_no_light(put_up: impl Fn(Start) -> Stand) {
    let (stand, pins) = with_lock(&put_up, Start::Open);
    for pin in [pins.right, pins.wrong] {
        let unlocked = stand.unlock(pin).unwrap_or_else(|error| panic!("{error}"));
        assert!(unlocked.already);
        assert_eq!(stand.tries(&unlocked.readout), 0);
    }
    assert_eq!(((stand.keys)(), (stand.wrong_pins)()), (0, 0));
}

/// The right PIN shows the details; a second time nothing is sent.
///
/// # Panics
/// If it does not, or something is.
pub fn unlocking_twice_is_unlocking_once(put_up: impl Fn(Start) -> Stand) {
    let (stand, pins) = with_lock(&put_up, Start::Locked);
    let mut meter = stand.open();
    let unlocked = stand.unlock_with(&mut *meter, pins.right).unwrap_or_else(|e| panic!("{e}"));
    assert!(!unlocked.already && meter.is_detailed(&unlocked.readout));
    assert_eq!(stand.tries(&unlocked.readout), 0, "a right PIN is forgotten");
    let keys = (stand.keys)();
    assert!(keys > 0);
    let readout = stand.telegram(&mut *meter);
    assert!(meter.is_detailed(&readout));
    let again = stand.unlock_with(&mut *meter, pins.right).unwrap_or_else(|e| panic!("{e}"));
    assert!(again.already);
    assert_eq!(((stand.keys)(), (stand.wrong_pins)()), (keys, 0));
}

/// A wrong PIN is one wrong try, here and at the meter.
///
/// # Panics
/// If it is not.
pub fn a_wrong_pin_counts_once(put_up: impl Fn(Start) -> Stand) {
    let (stand, pins) = with_lock(&put_up, Start::Locked);
    let mut meter = stand.open();
    let readout = stand.telegram(&mut *meter);
    let result = stand.unlock_with(&mut *meter, pins.wrong);
    assert!(matches!(result, Err(UnlockError::NotUnlocked { tries: 1, .. })), "{result:?}");
    assert_eq!((stand.tries(&readout), (stand.wrong_pins)()), (1, 1));
    let after = stand.telegram(&mut *meter);
    assert!(!meter.is_detailed(&after));
}

/// After as many wrong tries as may be, nothing more is sent.
///
/// # Panics
/// If something is.
pub fn used_up_tries_forbid_another(put_up: impl Fn(Start) -> Stand) {
    let (stand, pins) = with_lock(&put_up, Start::Locked);
    for wrong in 0..10 {
        let keys = (stand.keys)();
        match stand.unlock(pins.wrong) {
            Err(UnlockError::NotUnlocked { .. }) => {
                assert_eq!((stand.wrong_pins)(), wrong + 1);
            }
            Err(UnlockError::Refused(Refused::TriesExhausted { .. })) => {
                assert!(wrong > 0, "not even one was made");
                assert_eq!(((stand.keys)(), (stand.wrong_pins)()), (keys, wrong));
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("ten wrong PINs were entered");
}

/// While the stop flag is raised no light is sent, and no try is counted.
///
/// # Panics
/// If one is.
pub fn stopped_before_it_begins_nothing_is_sent(put_up: impl Fn(Start) -> Stand) {
    let (stand, pins) = with_lock(&put_up, Start::Locked);
    let readout = stand.telegram(&mut *stand.open());
    stand.environment.stop.store(true, Ordering::Relaxed);
    let result = stand.unlock(pins.right);
    assert!(matches!(result, Err(UnlockError::Interrupted { .. })), "{result:?}");
    assert_eq!(((stand.keys)(), stand.tries(&readout)), (0, 0));
}

/// Stopped at any point, what was begun is counted, and what was not is not.
///
/// # Panics
/// If it is otherwise.
pub fn stopped_in_the_midst_the_try_stays_counted(put_up: impl Fn(Start) -> Stand) {
    for point in [2, 4, 6] {
        let (stand, pins) = with_lock(&put_up, Start::Locked);
        let mut meter = stand.open();
        let readout = stand.telegram(&mut *meter);
        let (stop, mut heard) = (Arc::clone(&stand.environment.stop), 0);
        let progress = &mut |_: Progress| {
            heard += 1;
            stop.store(heard >= point, Ordering::Relaxed);
        };
        let options = UnlockOptions { slower: false, ..UnlockOptions::default() };
        let result = meter.enable_detailed_readout(&parsed(pins.right), &options, progress);
        match result {
            Err(UnlockError::Interrupted { .. }) => {
                let counted = u8::from((stand.keys)() > 0);
                assert_eq!(stand.tries(&readout), counted, "stopped at {point}");
            }
            Ok(unlocked) => assert!(heard < point || meter.is_detailed(&unlocked.readout)),
            Err(error) => panic!("stopped at {point}: {error}"),
        }
    }
}

/// A list is kept open by a press where the model has one; elsewhere nothing is sent.
///
/// # Panics
/// If it is otherwise.
pub fn keeping_open_needs_a_lock(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Open);
    let pressed = stand.open().keep_open();
    match (pressed, stand.pins) {
        (Ok(()), Some(_)) => assert!((stand.keys)() > 0),
        (Err(UnlockError::Plan(_)), _) => assert_eq!((stand.keys)(), 0),
        (pressed, pins) => panic!("{pressed:?} of a model with {pins:?}"),
    }
}

/// Neither PIN is in what an attempt says of itself.
///
/// # Panics
/// If one is.
pub fn no_pin_is_shown(put_up: impl Fn(Start) -> Stand) {
    let (stand, pins) = with_lock(&put_up, Start::Locked);
    let mut said = Vec::new();
    let mut meter = stand.open();
    let options = UnlockOptions { slower: false, ..UnlockOptions::default() };
    let progress = &mut |progress: Progress| said.push(format!("{progress:?} {progress}"));
    let wrong = meter.enable_detailed_readout(&parsed(pins.wrong), &options, progress);
    let Err(error) = wrong else { panic!("the PIN is wrong") };
    said.push(format!("{error:?} {error} {:?}", stand.driver));
    for text in said {
        assert!(!text.contains(pins.wrong) && !text.contains(pins.right), "{text}");
    }
}
