//! Unlocking every model in simulated time, against a lock as strict as its profile.

use std::{sync::atomic::Ordering, time::Duration};

use crate::unlock_world::{SimPort, Way, World};
use ebp_meter::{
    lock::Lock,
    port::PortName,
    profile::{Blocking, Profile, Profiles},
    unlock::{
        InfSwitch, Keep, KeepUp, Lasting, MeterKey, Method, OnPort, Phase, Plan, PressError,
        Progress, Refused, Tries, UnlockError, Upkeep, Variant,
        press::{Head, execute},
    },
    virtual_meter::{Display, LockOptions},
};

fn lockable() -> Vec<Profile> {
    Profiles::embedded().iter().filter(|profile| profile.pin.is_some()).cloned().collect()
}

/// Those whose list is known or assumed to have InF, at that place.
fn with_inf() -> Vec<(Profile, u8)> {
    let inf = |profile: &Profile| Some(profile.pin.as_ref()?.menu.as_ref()?.inf_presses);
    lockable().into_iter().filter_map(|profile| inf(&profile).map(|n| (profile, n))).collect()
}

fn fresh() -> (tempfile::TempDir, Tries) {
    let folder = tempfile::tempdir().unwrap();
    let tries = Tries::in_folder(folder.path());
    (folder, tries)
}

#[test]
fn every_model_opens_by_break_and_by_zero_bytes_and_for_good() {
    for (profile, inf_presses) in with_inf() {
        for way in [Way::Break, Way::ZeroBytes, Way::Inverted] {
            for pin in ["0000", "9999", "0907", "4711", "1000"] {
                let mut world = World::new(&profile, &profile, pin, LockOptions::default()).by(way);
                let (_folder, tries) = fresh();
                let mut options = world.options();
                world.head.inverted = way == Way::Inverted;
                options.inf_presses = Some(inf_presses);
                let (result, progress) = world.run(pin, &tries, &options);
                let unlocked = result.unwrap_or_else(|e| panic!("{} {pin}: {e}", profile.name));
                assert_eq!(unlocked.lasting, Lasting::Permanent, "{}", profile.name);
                assert_eq!(unlocked.variant, Some(Variant::Normal));
                assert_eq!(unlocked.inf, InfSwitch::On);
                assert!(unlocked.seen.unwrap() > Duration::from_secs(120));
                assert!(world.lock().lock.harm().is_none());
                assert!(!unlocked.already && world.lock().lock.is_inf_on());
                assert_eq!(tries.get(&key(&world)).unwrap(), None, "cleared");
                assert!(progress.contains(&Progress::Step {
                    index: 3,
                    of: 5,
                    phase: Phase::Digit { number: 2, of: 4 }
                }));
                // And now there is nothing to do.
                let (again, _) = world.run(pin, &tries, &options);
                assert!(again.unwrap().already);
                let presses = world.lock().presses;
                world.pass(Duration::from_secs(86_400));
                assert!(world.lock().lock.is_detailed());
                assert_eq!(world.lock().presses, presses);
            }
        }
    }
}

fn key(world: &World) -> MeterKey {
    use ebp_meter::readout::ServerId;
    MeterKey::new(Some(&ServerId(b"\x0a\x01ISK\0\0\0\0\x07"[..].into())), &world.name)
}

#[test]
fn wrong_pins_stop_before_the_meters_limit_in_this_run_and_all_later_ones() {
    let may_block = |profile: &Profile| profile.pin.as_ref().unwrap().blocks != Blocking::Never;
    for profile in lockable().into_iter().filter(may_block) {
        let world = World::new(&profile, &profile, "1234", LockOptions::default());
        let (_folder, tries) = fresh();
        let (result, progress) = world.run("1235", &tries, &world.options());
        let error = result.unwrap_err();
        assert!(matches!(error, UnlockError::NotUnlocked { tries: 2, left: 0, .. }), "{error}");
        assert!(progress.contains(&Progress::SlowerVariant));
        assert_eq!(world.lock().lock.wrong_pins(), 2, "{}", profile.name);
        // A timer that comes again and again, for a day.
        for _ in 0..96 {
            world.pass(Duration::from_secs(900));
            let (again, _) = world.run("1235", &tries, &world.options());
            assert!(matches!(
                again,
                Err(UnlockError::Refused(Refused::TriesExhausted { wrong: 2, limit: 3, .. }))
            ));
        }
        assert_eq!(world.lock().lock.wrong_pins(), 2);
        assert_ne!(world.lock().lock.display(), Display::Blocked);
        // The owner has found the right letter.
        tries.forget(&key(&world)).unwrap();
        assert!(world.run("1234", &tries, &world.options()).0.is_ok());
        assert_eq!(world.lock().lock.wrong_pins(), 0);
    }
}

#[test]
fn decimals_without_power_say_that_the_operator_has_switched_it_off() {
    for profile in lockable() {
        let world = World::new(&profile, &profile, "4711", LockOptions::default());
        world.lock().operator_off = true;
        let (_folder, tries) = fresh();
        let (result, seen) = world.run("4711", &tries, &world.options());
        let error = result.unwrap_err();
        assert!(matches!(error, UnlockError::OperatorOff), "{}: {error}", profile.name);
        assert_eq!(error.lock(), Some(Lock::OperatorOff));
        assert!(!seen.contains(&Progress::SlowerVariant), "a right PIN needs no second try");
        assert_eq!(tries.get(&key(&world)).unwrap().unwrap().wrong, 0, "it was no wrong one");
        // Its list is still open for the next run, which waits for its end.
        let (result, seen) = world.run("4711", &tries, &world.options());
        assert!(matches!(result, Err(UnlockError::OperatorOff)), "{}: {result:?}", profile.name);
        assert!(matches!(seen[1], Progress::Resting { .. }), "{seen:?}");
        // Without a memory the first try is in vain, and the second one tells.
        let (_folder, other) = fresh();
        let result = world.run("4711", &other, &world.options()).0;
        assert!(matches!(result, Err(UnlockError::OperatorOff)), "{}: {result:?}", profile.name);
        // A wrong one brings no decimals.
        world.pass(Duration::from_secs(300));
        let error = world.run("4712", &tries, &world.options()).0.unwrap_err();
        assert_eq!(error.lock(), Some(Lock::Locked), "{}: {error}", profile.name);
    }
}

#[test]
fn a_meter_that_blocks_nothing_takes_the_pin_that_its_owner_has_put_right() {
    let mut models = 0;
    for profile in lockable() {
        if profile.pin.as_ref().unwrap().blocks != Blocking::Never {
            continue;
        }
        models += 1;
        let world = World::new(&profile, &profile, "1234", LockOptions::default());
        let (_folder, tries) = fresh();
        for run in 1..=3 {
            let error = world.run("1235", &tries, &world.options()).0.unwrap_err();
            assert!(matches!(error, UnlockError::NotUnlocked { tries: 2, left: 2, .. }), "{error}");
            assert_eq!(world.lock().lock.wrong_pins(), 2 * run);
        }
        assert_ne!(world.lock().lock.display(), Display::Blocked, "{}", profile.name);
        assert!(world.run("1234", &tries, &world.options()).0.is_ok(), "{}", profile.name);
        assert_eq!(tries.get(&key(&world)).unwrap(), None);
    }
    assert!(models >= 4, "{models}");
}

#[test]
fn the_refusal_says_how_to_go_on() {
    let world = World::for_model("MT175", "1234");
    let (_folder, tries) = fresh();
    let _ = world.run("9999", &tries, &world.options());
    let error = world.run("9999", &tries, &world.options()).0.unwrap_err().to_string();
    assert!(error.contains("--reset-tries") && error.contains("unlock-tries.json"), "{error}");
    assert!(!error.contains("9999"));
}

#[test]
fn interrupted_in_the_midst_the_light_is_off_and_the_next_run_waits() {
    for (profile, inf_presses) in with_inf() {
        for way in [Way::Break, Way::ZeroBytes] {
            let world = World::new(&profile, &profile, "1234", LockOptions::default()).by(way);
            let (_folder, tries) = fresh();
            let mut options = world.options();
            options.inf_presses = Some(inf_presses);
            let stop = world.stop.clone();
            let at_digit_two = |progress: &Progress| {
                if let Progress::Step { phase: Phase::Digit { number: 2, .. }, .. } = progress {
                    stop.store(true, Ordering::Relaxed);
                }
            };
            let (result, _) = world.run_with("1234", &tries, &options, at_digit_two);
            let error = result.unwrap_err();
            assert!(matches!(error, UnlockError::Interrupted { .. }), "{error}");
            assert_eq!(tries.get(&key(&world)).unwrap().unwrap().wrong, 1);

            // Without patience it is a refusal that says how long; nothing is pressed.
            world.pass(Duration::from_secs(10));
            let presses = world.lock().presses;
            let mut impatient = world.options();
            impatient.wait_for_rest = false;
            let (refused, _) = world.run("1234", &tries, &impatient);
            let Err(UnlockError::Refused(Refused::Resting { left })) = refused else {
                panic!("{refused:?}")
            };
            assert!((110..=121).contains(&left.as_secs()), "{left:?}");
            assert_eq!(world.lock().presses, presses);

            // The meter has set zeros by itself meanwhile: it counts that as a wrong PIN.
            let (result, progress) = world.run("1234", &tries, &options);
            assert_eq!(world.lock().lock.wrong_pins(), 0, "{}", profile.name);
            assert!(progress.iter().any(|p| matches!(p, Progress::Resting { .. })));
            assert_eq!(result.unwrap().lasting, Lasting::Permanent);
        }
    }
}

#[test]
fn stopped_before_any_light_no_try_is_counted() {
    let world = World::for_model("MT175", "1234");
    let (_folder, tries) = fresh();
    let stop = world.stop.clone();
    let (result, _) = world.run_with("1234", &tries, &world.options(), |progress| {
        if matches!(progress, Progress::Try { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(matches!(result, Err(UnlockError::Interrupted { rest: Duration::ZERO })));
    assert_eq!(world.lock().presses, 0);
    assert_eq!(tries.get(&key(&world)).unwrap(), None);
}

#[test]
fn killed_between_the_record_and_the_press_the_try_counts() {
    let world = World::for_model("MT175", "1234");
    let (_folder, tries) = fresh();
    // A panic in the midst is the nearest that a test comes to a kill: nothing is written after it.
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        world.run_with("1234", &tries, &world.options(), |progress| {
            assert!(!matches!(progress, Progress::Try { .. }), "killed");
        })
    }));
    assert!(died.is_err());
    assert_eq!(world.lock().presses, 0);
    let known = tries.get(&key(&world)).unwrap().unwrap();
    assert_eq!(known.wrong, 1);

    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        world.run_with("1234", &tries, &world.options(), |progress| {
            let third = matches!(progress, Progress::Step { index: 3, .. });
            assert!(!third, "killed");
        })
    }));
    assert!(died.is_err());
    assert!(world.lock().presses > 0 && !world.is_lit(), "unwinding switches the light off");
    let (result, _) = world.run("1234", &tries, &world.options());
    assert!(matches!(result, Err(UnlockError::Refused(Refused::TriesExhausted { .. }))));
}

#[test]
fn a_port_that_vanishes_leaves_the_try_counted() {
    for way in [Way::Break, Way::ZeroBytes] {
        let world = World::for_model("MT175", "1234").by(way);
        world.lock().fails_after = Some(4);
        let (_folder, tries) = fresh();
        let (result, _) = world.run("1234", &tries, &world.options());
        assert!(matches!(result, Err(UnlockError::Press(PressError::Port(_)))));
        assert_eq!(tries.get(&key(&world)).unwrap().unwrap().wrong, 1);
    }
}

/// The profile with other tolerances than its unit has.
fn shifted(profile: &Profile) -> Profile {
    let mut truth = profile.clone();
    let pin = truth.pin.as_mut().unwrap();
    // Sees only longer presses and is slower to fix a digit than the profile believes.
    pin.short_press.accept_ms[0] = pin.short_press.send_ms + 50;
    let send = pin.next_digit.send_ms;
    pin.next_digit.accept_ms = [send + 50, send + 3000];
    pin.between_presses.accept_ms[0] = pin.between_presses.send_ms + 50;
    truth
}

#[test]
fn a_unit_that_misses_the_normal_variant_opens_to_the_slower() {
    for (profile, inf_presses) in with_inf() {
        let world = World::new(&profile, &shifted(&profile), "1923", LockOptions::default());
        let (_folder, tries) = fresh();
        let mut options = world.options();
        options.inf_presses = Some(inf_presses);
        let (result, progress) = world.run("1923", &tries, &options);
        let unlocked = result.unwrap_or_else(|error| panic!("{}: {error}", profile.name));
        assert_eq!(unlocked.variant, Some(Variant::Slower), "{}", profile.name);
        assert_eq!(unlocked.lasting, Lasting::Permanent);
        assert!(progress.contains(&Progress::SlowerVariant));
        assert_eq!(tries.get(&key(&world)).unwrap(), None);
        // Where that is not wanted it is left alone.
        let world = World::new(&profile, &shifted(&profile), "1923", LockOptions::default());
        let mut options = world.options();
        options.slower = false;
        let (result, _) = world.run("1923", &tries, &options);
        let never = profile.pin.as_ref().unwrap().blocks == Blocking::Never;
        let expected = if never { 2 } else { 1 };
        assert!(
            matches!(result, Err(UnlockError::NotUnlocked { tries: 1, left, .. }) if left == expected)
        );
    }
}

#[test]
fn clocks_that_drift_and_heads_that_hear_themselves() {
    for profile in lockable() {
        for drift_ppm in [-20_000, -500, 500, 20_000] {
            let options = LockOptions { drift_ppm, ..LockOptions::default() };
            let world = World::new(&profile, &profile, "0907", options);
            world.lock().echo = true;
            let (_folder, tries) = fresh();
            let unlocked = world.run("0907", &tries, &world.options()).0.unwrap();
            assert_eq!(unlocked.variant, Some(Variant::Normal), "{} {drift_ppm}", profile.name);
            assert_eq!(world.lock().echo_heard, 0, "the echo is nothing that was heard");
        }
    }
}

#[test]
fn where_inf_is_configured_away_the_detail_is_known_to_end() {
    for profile in lockable() {
        let options = LockOptions { inf_offered: false, ..LockOptions::default() };
        let world = World::new(&profile, &profile, "1234", options);
        let (_folder, tries) = fresh();
        let unlocked = world.run("1234", &tries, &world.options()).0.unwrap();
        assert_eq!(unlocked.lasting, Lasting::WhileOpen(Duration::from_secs(120)));
        let (every, within) = (Duration::from_secs(100), Duration::from_secs(120));
        assert_eq!(
            Keep::for_profile(&profile, unlocked.lasting),
            Some(Keep::Press { every, within })
        );
    }
}

/// The daemon's loop to come: readings on a grid, upkeep in between.
fn day(world: &World, tries: &Tries, readings: u64) -> (u64, u64, u64) {
    let mut options = world.options();
    options.inf = false;
    let keep =
        Keep::for_profile(&world.profile, Lasting::WhileOpen(Duration::from_secs(120))).unwrap();
    let mut up = KeepUp::new(keep, None);
    let head = Head::on(world.profile.line.settings());
    let (mut detailed, mut presses, mut pins) = (0, 0, 0);
    let start = world.lock().now;
    for reading in 1..=readings {
        let at = start + Duration::from_secs(900) * u32::try_from(reading).unwrap();
        loop {
            let now = world.lock().now;
            match up.due(now, at.saturating_sub(now)) {
                Upkeep::Nothing(_) if now >= at => break,
                Upkeep::Nothing(time) => world.pass(time.unwrap_or(at - now).min(at - now)),
                Upkeep::Press => {
                    let plan = Plan::keep_alive(&world.profile, Variant::Normal).unwrap();
                    execute(&plan, &mut OnPort(&mut SimPort(world.clone())), &head, world).unwrap();
                    up.pressed(world.lock().now);
                    presses += 1;
                }
                Upkeep::EnterPin => {
                    world.run("1290", tries, &options).0.unwrap();
                    up.pressed(world.lock().now);
                    pins += 1;
                }
            }
        }
        detailed += u64::from(world.lock().lock.is_detailed());
    }
    (detailed, presses, pins)
}

fn with_relock(behaviour: &str) -> Profile {
    let text = include_str!("../../profiles/mt175.toml").replacen(
        "behaviour = \"permanent\"",
        behaviour,
        1,
    );
    Profile::parse("mt175.toml", &text).unwrap()
}

#[test]
fn a_press_every_hundred_seconds_keeps_the_detail_up_for_a_day() {
    let profile = with_relock("behaviour = \"keep_alive\"\nkeep_alive_s = 100");
    let world = World::new(&profile, &profile, "1290", LockOptions::default());
    let (_folder, tries) = fresh();
    let (detailed, presses, pins) = day(&world, &tries, 96);
    assert_eq!((detailed, pins), (96, 1));
    assert!((860..=890).contains(&presses), "{presses}");
}

#[test]
fn the_pin_before_each_reading_for_a_day() {
    let profile = with_relock("behaviour = \"per_reading\"");
    let world = World::new(&profile, &profile, "1290", LockOptions::default());
    let (_folder, tries) = fresh();
    assert_eq!(day(&world, &tries, 96), (96, 0, 96));
    assert_eq!(world.lock().lock.wrong_pins(), 0);
}

#[test]
fn after_a_power_failure_the_meter_is_unlocked_anew() {
    for (profile, inf_presses) in with_inf() {
        let world = World::new(&profile, &profile, "1234", LockOptions::default());
        let (_folder, tries) = fresh();
        let mut options = world.options();
        options.inf_presses = Some(inf_presses);
        world.run("1234", &tries, &options).0.unwrap();
        let now = world.lock().now;
        world.lock().lock.power_failure(now);
        assert!(!world.lock().lock.is_detailed());
        let unlocked = world.run("1234", &tries, &options).0.unwrap();
        assert!(!unlocked.already);
        assert_eq!(unlocked.lasting, Lasting::Permanent);
    }
}

#[test]
fn a_power_failure_in_the_midst_is_a_try_in_vain_and_the_slower_one_helps() {
    let world = World::for_model("MT175", "1234");
    let (_folder, tries) = fresh();
    let failing = world.clone();
    let mut once = true;
    let (result, _) = world.run_with("1234", &tries, &world.options(), |progress| {
        let third =
            matches!(progress, Progress::Step { phase: Phase::Digit { number: 3, .. }, .. });
        if third && std::mem::take(&mut once) {
            let now = failing.lock().now;
            failing.lock().lock.power_failure(now);
        }
    });
    assert_eq!(result.unwrap().variant, Some(Variant::Slower));
}

#[test]
fn relocking_switches_inf_off_again() {
    for (profile, inf_presses) in with_inf() {
        let options = LockOptions { inf_on: true, ..LockOptions::default() };
        let world = World::new(&profile, &profile, "1234", options);
        let plan =
            Plan::relock(&profile, &"1234".parse().unwrap(), inf_presses, Variant::Normal).unwrap();
        let head = Head::on(profile.line.settings());
        let done = execute(&plan, &mut OnPort(&mut SimPort(world.clone())), &head, &world).unwrap();
        assert!(done.finished);
        world.pass(Duration::from_secs(121));
        assert!(!world.lock().lock.is_detailed(), "{}", profile.name);
    }
}

#[test]
fn without_a_telegram_nothing_is_tried() {
    let world = World::for_model("MT175", "1234");
    world.lock().silent = true;
    let (_folder, tries) = fresh();
    let error = world.run("1234", &tries, &world.options()).0.unwrap_err();
    assert_eq!(error.to_string(), "no telegram within 30 s: nothing was tried");
    assert_eq!(world.lock().presses, 0);
    assert!(!tries.path().exists());
}

#[test]
fn a_meter_that_gives_no_identity_is_remembered_by_its_port() {
    let mut world = World::for_model("MT175", "1234");
    world.lock().anonymous = true;
    let (_folder, tries) = fresh();
    let _ = world.run("9999", &tries, &world.options());
    assert_eq!(tries.get(&MeterKey::new(None, &world.name)).unwrap().unwrap().wrong, 2);
    world.name = PortName::Path("/dev/ttySIM1".into());
    assert!(world.run("1234", &tries, &world.options()).0.is_ok());
}

#[test]
fn heads_that_cannot_do_what_is_asked() {
    let mut world = World::for_model("MT175", "1234").by(Way::ZeroBytes);
    let (_folder, tries) = fresh();
    let options = world.options();
    world.head.method = Method::Break;
    let error = world.run("1234", &tries, &options).0.unwrap_err();
    assert_eq!(error.to_string(), "/dev/ttySIM0 knows no break: light needs zero bytes there");
    world.head.method = Method::Auto;
    world.head.inverted = true;
    let error = world.run("1234", &tries, &options).0.unwrap_err();
    assert!(error.to_string().contains("inverted"), "{error}");
    assert_eq!(world.lock().presses, 0);
    assert_eq!(tries.get(&key(&world)).unwrap().map_or(0, |known| known.wrong), 0);
}

#[test]
fn a_meter_that_asks_for_no_pin_is_found_out_before_its_menu_is_walked_through() {
    for (profile, inf_presses) in with_inf() {
        let world = World::new(&profile, &profile, "1234", LockOptions::default());
        {
            // Its owner has switched the PIN query off, and InF is off.
            let pin = "1234".parse().unwrap();
            let mut plan = Plan::relock(&profile, &pin, inf_presses, Variant::Normal).unwrap();
            let head = Head::on(profile.line.settings());
            let port = &mut SimPort(world.clone());
            execute(&plan, &mut OnPort(port), &head, &world).unwrap();
            world.pass(Duration::from_millis(300));
            execute(&plan_long(&profile), &mut OnPort(port), &head, &world).unwrap();
            plan = Plan::keep_alive(&profile, Variant::Normal).unwrap();
            world.pass(Duration::from_millis(300));
            execute(&plan, &mut OnPort(port), &head, &world).unwrap();
            world.pass(Duration::from_millis(300));
            execute(&plan_long(&profile), &mut OnPort(port), &head, &world).unwrap();
            world.pass(Duration::from_secs(125));
        }
        if world.lock().lock.asks_pin() {
            // The way to PIN is not known in this model.
            continue;
        }
        assert!(!world.lock().lock.is_detailed() && !world.lock().lock.is_inf_on());
        let (_folder, tries) = fresh();
        let (result, progress) = world.run("9999", &tries, &world.options());
        let unlocked = result.unwrap();
        assert_eq!(unlocked.lasting, Lasting::WhileOpen(Duration::from_secs(120)));
        assert!(unlocked.pin_was_needless);
        assert!(!progress.contains(&Progress::SwitchingInf), "{}", profile.name);
        let Some(Progress::Step { phase: Phase::Digit { number, .. }, .. }) = progress.last()
        else {
            panic!("{progress:?}")
        };
        assert!(*number <= 2, "{}: {progress:?}", profile.name);
        assert!(!world.lock().lock.asks_pin() && !world.lock().lock.is_inf_on());
        assert_eq!(tries.get(&key(&world)).unwrap(), None);
    }
}

fn plan_long(profile: &Profile) -> Plan {
    let long = profile.pin.as_ref().unwrap().long_press.send(false);
    Plan::probe(long)
}

#[test]
fn without_telegrams_after_inf_nothing_is_claimed() {
    let world = World::for_model("MT175", "1234");
    let (_folder, tries) = fresh();
    let pulled = world.clone();
    let mut options = world.options();
    options.inf_presses = Some(8);
    let (result, _) = world.run_with("1234", &tries, &options, |progress| {
        if matches!(progress, Progress::Confirming { .. }) {
            pulled.lock().silent = true;
        }
    });
    assert_eq!(result.unwrap().lasting, Lasting::Unknown);
}

#[test]
fn a_meter_that_puts_its_power_in_every_other_telegram_is_left_alone() {
    let options = LockOptions { inf_on: true, ..LockOptions::default() };
    let profiles = Profiles::embedded();
    let mt175 = profiles.get("MT175").unwrap();
    let world = World::new(mt175, mt175, "1234", options);
    world.lock().every_other = true;
    let (_folder, tries) = fresh();
    for _ in 0..2 {
        world.pass(mt175.line.push_interval().unwrap());
        assert!(world.run("1234", &tries, &world.options()).0.unwrap().already);
    }
    assert_eq!(world.lock().presses, 0);
}

#[test]
fn and_it_opens_and_is_confirmed_like_others() {
    let world = World::for_model("MT175", "1234");
    world.lock().every_other = true;
    let (_folder, tries) = fresh();
    let mut options = world.options();
    options.inf_presses = Some(8);
    let unlocked = world.run("1234", &tries, &options).0.unwrap();
    assert_eq!(unlocked.lasting, Lasting::Permanent);
}

#[test]
fn an_error_while_light_is_on_switches_it_off() {
    for way in [Way::Break, Way::Inverted] {
        let mut world = World::for_model("MT175", "1234").by(way);
        world.lock().deaf_in_light = true;
        let (_folder, tries) = fresh();
        let options = world.options();
        world.head.inverted = way == Way::Inverted;
        // An inverted head shines until the first try takes it in hand.
        world.lock().line_break = way == Way::Inverted;
        let (result, _) = world.run("1234", &tries, &options);
        assert!(matches!(result, Err(UnlockError::Press(PressError::Port(_)))), "{result:?}");
        assert_eq!(world.lock().presses, 1);
        assert!(!world.is_lit());
    }
}
