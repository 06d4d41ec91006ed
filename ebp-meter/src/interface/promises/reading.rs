//! Promises of reading: values or a typed error, in time, without any light.

use std::{sync::atomic::Ordering, time::Duration};

use super::{Stand, Start};
use crate::{
    identify::{Listening, identify_meter},
    interface::{Heard, ReadError, Reading, Registry, Telegram, measure, read},
    lock::Lock,
};

/// A time-out that a silent meter uses up.
const SHORT: Duration = Duration::from_secs(3);
/// What a wait may take beyond its time: answering a meter's identification, and a busy machine.
const BEYOND: Duration = Duration::from_secs(2);

fn measured(stand: &Stand, wait: Duration) -> (Result<Box<Telegram>, ReadError>, Heard) {
    let from = stand.clock.since_boot();
    let until = from + wait;
    let reading = Reading { from, until, latest: until * 10, detect: false };
    let (mut meter, mut heard) = (stand.open(), Heard::default());
    let stop = &stand.environment.stop;
    let telegram = measure(&mut *meter, reading, &*stand.clock, stop, &|_| {}, &mut heard);
    (telegram, heard)
}

/// Measuring gives the survey's values and when they were complete.
///
/// # Panics
/// If it does not.
pub fn measuring_gives_what_the_meter_shows(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Open);
    let from = stand.clock.moment();
    let (telegram, heard) = measured(&stand, Duration::from_secs(60));
    let telegram = telegram.unwrap_or_else(|error| panic!("{}: {error}", stand.name()));
    let values = telegram.readout.survey();
    assert!(!values.is_empty(), "{} shows none of the survey's values", stand.name());
    assert!(heard.good >= 1 && heard.damaged == 0, "{heard:?}");
    assert!(telegram.at.since_boot >= from.since_boot, "it is complete before it was asked for");
    let interface = stand.open();
    let model = interface.model().unwrap_or_else(|| panic!("the model is known"));
    assert_eq!(model, stand.driver.model());
    assert_eq!(interface.port_name(), &stand.site.port);
    let is_detailed = interface.is_detailed(&telegram.readout);
    assert!(is_detailed || !model.sends_power, "{} is open", stand.name());
    assert_eq!((stand.keys)(), 0);
}

/// A meter that says nothing is a typed error, at the deadline and not later.
///
/// # Panics
/// If it is not.
pub fn silence_ends_in_time(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Silent);
    let from = stand.clock.since_boot();
    let (telegram, heard) = measured(&stand, SHORT);
    let passed = stand.clock.since_boot() - from;
    assert!(matches!(telegram, Err(ReadError::Silent { .. })), "{telegram:?}");
    assert!((SHORT..SHORT + BEYOND).contains(&passed), "{passed:?}");
    assert_eq!(heard, Heard::default());
    let (mut meter, from) = (stand.open(), stand.clock.since_boot());
    let silence = read(&mut *meter, SHORT, &stand.environment);
    let passed = stand.clock.since_boot() - from;
    assert!(matches!(silence, Err(ReadError::Silent { .. })), "{silence:?}");
    assert!(passed < SHORT + BEYOND, "{passed:?}");
    assert_eq!(meter.received(), 0);
}

/// A raised stop flag ends a wait within a second.
///
/// # Panics
/// If it does not.
pub fn stopping_ends_reading(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Silent);
    stand.environment.stop.store(true, Ordering::Relaxed);
    let from = stand.clock.since_boot();
    let stopped = read(&mut *stand.open(), Duration::from_secs(600), &stand.environment);
    assert!(matches!(stopped, Err(ReadError::Stopped)), "{stopped:?}");
    let (stopped, _) = measured(&stand, Duration::from_secs(600));
    assert!(matches!(stopped, Err(ReadError::Stopped)), "{stopped:?}");
    let passed = stand.clock.since_boot() - from;
    assert!(passed < Duration::from_secs(1), "{passed:?}");
}

/// Whatever a meter holds back, reading it changes nothing.
///
/// # Panics
/// If it does.
pub fn reading_sends_no_light(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Locked);
    let mut meter = stand.open();
    for _ in 0..3 {
        let readout = stand.telegram(&mut *meter);
        assert!(!meter.is_detailed(&readout) || stand.pins.is_none(), "it was locked");
    }
    assert_eq!((stand.keys)(), 0);
}

/// Identifying names the model and the lock, and leaves both as they are.
///
/// # Panics
/// If it does not.
pub fn identifying_leaves_the_meter_as_it_is(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Locked);
    let mut registry = Registry::embedded();
    // One of the program's own is there already.
    if registry.driver(stand.name()).is_err() {
        registry
            .register(stand.driver.clone())
            .unwrap_or_else(|error| panic!("it cannot be registered: {error}"));
    }
    let mut meter = stand.open();
    let before = stand.telegram(&mut *meter);
    let listening = Listening::default();
    let identity = identify_meter(&registry, &mut *meter, listening, &stand.environment)
        .unwrap_or_else(|error| panic!("{} is not identified: {error}", stand.name()));
    let is_named = identity.models.iter().any(|candidate| candidate.model == stand.name());
    assert!(is_named, "{identity:?} names no {}", stand.name());
    assert!(identity.maker.is_some(), "{identity:?} names no maker");
    if stand.pins.is_some() {
        assert_eq!(identity.lock, Lock::Locked);
    }
    let after = stand.telegram(&mut *meter);
    assert_eq!(meter.is_detailed(&before), meter.is_detailed(&after));
    assert_eq!((stand.keys)(), 0);
}

/// A meter that was read can be taken up again.
///
/// # Panics
/// If it cannot.
pub fn dropping_it_frees_the_port(put_up: impl Fn(Start) -> Stand) {
    let stand = put_up(Start::Open);
    for _ in 0..2 {
        let mut meter = stand.open();
        let readout = stand.telegram(&mut *meter);
        assert!(!readout.entries.is_empty());
        assert!(meter.received() > 0);
    }
}
