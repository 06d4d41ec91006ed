//! Calibration with a simulated owner, who sees the display of a strict meter and is not quick.

use std::time::Duration;

use crate::unlock_world::{SimPort, World};
use ebp_core::obis::ObisCode;
use ebp_meter::{
    port::LineSettings,
    profile::{Profile, Profiles, Wake},
    readout::{Entry, Integrity, Protocol, Readout, ServerId, Value},
    unlock::{
        Ask, CalibrateError, Calibration, Finding, Head, OnPort, Plan, Question, Quit, Tries,
        Variant, press::execute,
    },
    virtual_meter::{Display, LockOptions},
};

struct Owner {
    world: World,
    /// What the display showed when last looked at.
    seen: Display,
    reaction: Duration,
    consents: bool,
    /// Presses to InF, which the simulated menu does not name.
    inf: u8,
}

impl Owner {
    fn new(world: &World) -> Self {
        let reaction = Duration::from_millis(280);
        let inf = world.profile.pin.as_ref().unwrap().menu.as_ref().unwrap().inf_presses;
        Self { world: world.clone(), seen: Display::Normal, reaction, consents: true, inf }
    }

    fn look(&self) -> Display {
        self.world.lock().lock.display()
    }
}

impl Ask for Owner {
    fn yes(&mut self, question: Question) -> Result<bool, Quit> {
        self.world.pass(Duration::from_millis(900));
        let now = self.look();
        let before = std::mem::replace(&mut self.seen, now);
        Ok(match question {
            Question::ShowsNormal => now == Display::Normal,
            Question::Reacted { .. } => now != before,
            Question::MaySpendTry => self.consents,
            Question::AsksForPin => matches!(now, Display::Entry { .. }),
            Question::ShowsInf => now == Display::Menu { item: self.inf },
            _ => panic!("{question} is no question of yes or no"),
        })
    }

    fn moment(&mut self, question: Question) -> Result<(), Quit> {
        for _ in 0..10_000 {
            let there = match (question, self.look()) {
                (Question::AsksForDigit { number }, Display::Entry { digit }) => {
                    digit >= usize::from(number)
                }
                (Question::BackToNormal, display) => display == Display::Normal,
                _ => false,
            };
            if there {
                self.world.pass(self.reaction);
                return Ok(());
            }
            self.world.pass(Duration::from_millis(10));
        }
        panic!("it never came: {question}")
    }
}

fn locked_telegram() -> Readout {
    let entry = |obis: ObisCode, value, scaler| Entry {
        obis,
        value,
        unit: None,
        scaler,
        status: None,
        time: None,
        corrected: None,
    };
    let id = b"\x0a\x01ABC\0\0\0\0\x07".to_vec();
    Readout {
        protocol: Protocol::Sml,
        server_id: Some(ServerId(id.as_slice().into())),
        manufacturer: None,
        meter_time: None,
        entries: vec![
            entry(ObisCode::SERVER_ID, Value::Octets(id.into()), 0),
            entry(ObisCode::POSITIVE_ENERGY, Value::Integer(12), 3),
            entry(ObisCode::NEGATIVE_ENERGY, Value::Integer(3), 3),
        ],
        unaddressed: Vec::new(),
        integrity: Integrity::Ok,
        bytes: 200,
    }
}

fn calibrate(world: &World, owner: &mut Owner) -> Result<Finding, CalibrateError> {
    let mut port = SimPort(world.clone());
    let mut spent = 0;
    let mut spend = || {
        spent += 1;
        Ok(true)
    };
    let head = Head::on(LineSettings::SML);
    let mut calibration = Calibration { port: &mut port, head, pace: world, spend: &mut spend };
    let result = calibration.find(owner);
    assert!(spent <= 1);
    result
}

#[test]
fn what_is_found_opens_the_meter_whatever_its_model() {
    // InF is looked for.
    let has_inf = |profile: &&Profile| profile.pin.as_ref().is_some_and(|pin| pin.menu.is_some());
    for profile in Profiles::embedded().iter().filter(has_inf) {
        for pin in ["4711", "9070"] {
            let world = World::new(profile, profile, pin, LockOptions::default());
            let mut owner = Owner::new(&world);
            let mut finding = calibrate(&world, &mut owner).unwrap();
            let timing = profile.pin.as_ref().unwrap();
            // A press ends the display test, if one press is all that it takes.
            let wake = if timing.display_test_ms > 0 { 2 } else { timing.wake_presses };
            assert_eq!(finding.wake_presses, wake, "{}", profile.name);
            let wakes_to_long = timing.wake == Wake::Long;
            assert_eq!(finding.long_wake_ms, wakes_to_long.then_some(5500), "{}", profile.name);
            assert!(finding.period_ms.abs_diff(timing.next_digit.accept_ms[0]) <= 100);
            assert!(world.lock().lock.wrong_pins() <= 1);

            // With it the PIN is entered, and InF looked for.
            let telegram = locked_telegram();
            let every = Some(Duration::from_secs(2));
            let text = finding.profile("MY METER", &telegram, LineSettings::SML, every).unwrap();
            let own = Profile::parse("mine.toml", &text).unwrap();
            assert_eq!(own.flag.as_str(), "ABC");
            world.pass(Duration::from_secs(130));
            let head = Head::on(LineSettings::SML);
            let plan = Plan::enter_pin(&own, &pin.parse().unwrap(), Variant::Normal).unwrap();
            execute(&plan, &mut OnPort(&mut SimPort(world.clone())), &head, &world).unwrap();
            assert!(world.lock().lock.is_detailed(), "{} {pin}\n{text}", profile.name);

            let mut port = SimPort(world.clone());
            let mut spend = || Ok(false);
            let mut calibration =
                Calibration { port: &mut port, head, pace: &world, spend: &mut spend };
            calibration.find_inf(&mut finding, &mut owner).unwrap();
            assert_eq!(finding.inf_presses, Some(timing.menu.as_ref().unwrap().inf_presses));

            // The whole of it, as a run of the program with the new profile.
            let text = finding.profile("MY METER", &telegram, LineSettings::SML, every).unwrap();
            let own = Profile::parse("mine.toml", &text).unwrap();
            let world = World::new(&own, profile, pin, LockOptions::default());
            let folder = tempfile::tempdir().unwrap();
            let tries = Tries::in_folder(folder.path());
            world.run(pin, &tries, &world.options()).0.unwrap();
            assert!(world.lock().lock.is_inf_on());
        }
    }
}

#[test]
fn an_owner_who_does_not_want_to_spend_a_try_spends_none() {
    let world = World::for_model("MT175", "1234");
    let mut owner = Owner::new(&world);
    owner.consents = false;
    assert!(matches!(calibrate(&world, &mut owner), Err(CalibrateError::Quit(Quit))));
    assert_eq!(world.lock().presses, 0);
}

/// After a long press that wakes, but not to PIN entry, another one could switch something.
#[test]
fn a_second_long_press_is_never_sent() {
    let profiles = Profiles::embedded();
    let siconia = profiles.get("Siconia").unwrap();
    let options = LockOptions { asks_pin: false, ..LockOptions::default() };
    let world = World::new(siconia, siconia, "1234", options);
    let result = calibrate(&world, &mut Owner::new(&world));
    assert!(matches!(result, Err(CalibrateError::NoPinEntry { presses: 1 })), "{result:?}");
    assert!(world.lock().lock.harm().is_none() && !world.lock().lock.asks_pin());
}

#[test]
fn profiles_of_ascii_meters_and_of_odd_names_are_read_back_or_refused() {
    let finding = Finding {
        shortest_press_ms: 600,
        long_wake_ms: None,
        wake_presses: 1,
        period_ms: 2500,
        inf_presses: None,
    };
    let mut readout = locked_telegram();
    readout.protocol = Protocol::D0;
    readout.entries.clear();
    readout.server_id = None;
    for every in [None, Some(Duration::from_secs(1))] {
        let text = finding.profile("A \"B\"", &readout, LineSettings::D0_PUSH, every).unwrap();
        assert_eq!(Profile::parse("x", &text).unwrap().name, "A \"B\"");
    }
    for bad in ["", " x", "Zähler", "a\nb"] {
        let result = finding.profile(bad, &readout, LineSettings::D0_PUSH, None);
        assert!(matches!(result, Err(CalibrateError::Profile(_))), "{bad:?}");
    }
    for shortest_press_ms in [100, 200, 300, 400, 600, 1000] {
        for period_ms in [1000, 1700, 3000, 10_000] {
            for long_wake_ms in [None, Some(5500), Some(8000)] {
                let finding =
                    Finding { shortest_press_ms, period_ms, long_wake_ms, ..finding.clone() };
                finding.profile("X", &readout, LineSettings::D0_PUSH, None).unwrap();
            }
        }
    }
}
