//! The strict lock of virtual meters, handled by a user with a torch.

use std::time::Duration;

use ebp_meter::{
    profile::{Profile, Profiles},
    virtual_meter::{Display, Harm, Lock, LockOptions, MenuItem},
};
use proptest::prelude::*;

/// A user with a torch.
struct Torch {
    lock: Lock,
    now: Duration,
}

impl Torch {
    fn new(model: &str, pin: &str, options: LockOptions) -> Self {
        let profiles = Profiles::embedded();
        let lock = Lock::new(profiles.get(model).unwrap(), pin.parse().unwrap(), options);
        Self { lock: lock.unwrap(), now: Duration::from_secs(1) }
    }

    fn press(&mut self, ms: u64) {
        self.lock.light(true, self.now);
        self.now += Duration::from_millis(ms);
        self.lock.light(false, self.now);
    }

    fn pause(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.lock.advance(self.now);
    }

    fn enter(&mut self, digits: &[u8]) {
        for (index, &digit) in digits.iter().enumerate() {
            for press in 0..digit {
                self.press(400);
                self.pause(if press + 1 == digit { 0 } else { 300 });
            }
            // Zeros in a row share the rest of the last period.
            let zero_follows = digits.get(index + 1) == Some(&0);
            self.pause(if zero_follows { 3000 } else { 3800 });
        }
    }

    fn wake(&mut self, presses: u8) {
        for press in 0..presses {
            self.press(400);
            self.pause(if press + 1 == presses { 1000 } else { 300 });
        }
    }
}

#[test]
fn the_way_in_and_out() {
    let mut torch = Torch::new("MT175", "1290", LockOptions::default());
    torch.press(400);
    assert_eq!(torch.lock.display(), Display::Test);
    torch.pause(300);
    torch.press(400);
    assert_eq!(torch.lock.display(), Display::Entry { digit: 1 });
    torch.pause(1000);
    torch.enter(&[1, 2, 9, 0]);
    assert_eq!(torch.lock.display(), Display::Menu { item: 0 });
    assert!(torch.lock.is_detailed());
    torch.pause(110_000);
    assert!(torch.lock.is_detailed());
    torch.press(400);
    torch.pause(119_000);
    assert!(torch.lock.is_detailed(), "a press in time keeps it open");
    torch.pause(1_001);
    assert!(!torch.lock.is_detailed());
    assert_eq!(torch.lock.display(), Display::Normal);
}

#[test]
fn nine_wraps_to_zero() {
    let mut torch = Torch::new("PICUS", "0111", LockOptions::default());
    torch.wake(1);
    // Its display test comes first.
    torch.pause(3000);
    torch.enter(&[10, 1, 1, 1]);
    assert!(torch.lock.is_detailed());
}

#[test]
fn what_the_tolerances_leave_out_does_not_work() {
    let digits: &[u8] = &[1, 2, 3, 4];
    // Each time one press or pause is off; the rest is right.
    let cases: [(&str, u64, u64, u64); 4] = [
        ("too short a press is not seen", 90, 300, 3800),
        ("too long a press throws out", 2500, 300, 3800),
        ("too short a pause is a bounce", 400, 50, 3800),
        ("between a pause and the next digit", 400, 2950, 3800),
    ];
    for (what, press, between, next) in cases {
        let mut torch = Torch::new("MT175", "1234", LockOptions::default());
        torch.wake(2);
        for &digit in digits {
            for n in 0..digit {
                torch.press(press);
                torch.pause(if n + 1 == digit { 0 } else { between });
            }
            torch.pause(next);
        }
        assert!(!torch.lock.is_detailed(), "{what}");
    }
}

#[test]
fn wrong_pins_block_for_a_time_and_a_power_failure_does_not_help() {
    let mut torch = Torch::new("MT175", "1234", LockOptions::default());
    for wrong in 1..=3 {
        torch.wake(2);
        torch.enter(&[1, 2, 3, 5]);
        assert_eq!(torch.lock.wrong_pins(), wrong);
    }
    assert_eq!(torch.lock.display(), Display::Blocked);
    torch.lock.power_failure(torch.now);
    torch.wake(2);
    torch.enter(&[1, 2, 3, 4]);
    assert!(!torch.lock.is_detailed(), "blocked");
    torch.pause(3_600_000);
    torch.wake(2);
    torch.enter(&[1, 2, 3, 4]);
    assert!(torch.lock.is_detailed());
    assert_eq!(torch.lock.wrong_pins(), 0);
}

#[test]
fn the_menu_switches_inf_and_the_pin_query() {
    let mut torch = Torch::new("MT175", "1234", LockOptions::default());
    torch.wake(2);
    torch.enter(&[1, 2, 3, 4]);
    for _ in 0..8 {
        torch.press(400);
        torch.pause(300);
    }
    torch.press(5500);
    torch.pause(300);
    assert!(torch.lock.is_inf_on());
    torch.press(400);
    torch.pause(300);
    torch.press(5500);
    assert!(!torch.lock.asks_pin());
    assert_eq!(torch.lock.harm(), Harm { pin_query_off: 1, ..Harm::default() });
    torch.pause(200_000);
    assert!(torch.lock.is_detailed(), "InF lasts");
    torch.wake(2);
    assert_eq!(torch.lock.display(), Display::Menu { item: 0 });
    torch.lock.power_failure(torch.now);
    assert!(!torch.lock.is_detailed() && torch.lock.asks_pin());
}

#[test]
fn a_press_during_the_display_test_ends_it_and_counts_for_nothing() {
    let mut torch = Torch::new("Picus", "2111", LockOptions::default());
    torch.press(400);
    torch.pause(1000);
    assert_eq!(torch.lock.display(), Display::Test);
    torch.press(400);
    assert_eq!(torch.lock.display(), Display::Entry { digit: 1 });
    torch.pause(1000);
    torch.enter(&[2, 1, 1, 1]);
    assert!(torch.lock.is_detailed());
    // Who begins with the digits at once enters one press too few.
    let mut torch = Torch::new("Picus", "2111", LockOptions::default());
    torch.wake(1);
    torch.enter(&[2, 1, 1, 1]);
    assert!(!torch.lock.is_detailed());
    assert_eq!(torch.lock.wrong_pins(), 1);
}

#[test]
fn one_long_press_wakes_a_siconia_and_a_short_one_does_not() {
    let mut torch = Torch::new("Siconia", "1111", LockOptions::default());
    torch.press(400);
    torch.pause(1000);
    assert_eq!(torch.lock.display(), Display::Normal);
    torch.press(5500);
    assert_eq!(torch.lock.display(), Display::Entry { digit: 1 });
    torch.pause(1000);
    torch.enter(&[1, 1, 1, 1]);
    assert!(torch.lock.is_detailed());
}

#[test]
fn an_item_that_is_configured_away_lets_the_next_one_move_up() {
    for (menu, place, harm) in [
        (None, 8, Harm { pin_query_off: 1, ..Harm::default() }),
        (Some("P,E,E CLR,InF"), 2, Harm { energy_cleared: 1, ..Harm::default() }),
        (Some("P,InF,HIS CLR"), 1, Harm { history_cleared: 1, ..Harm::default() }),
        (Some("0.2.2,InF"), 0, Harm { parameter_acted: 1, ..Harm::default() }),
        (Some("P,1d,InF"), 1, Harm::default()),
    ] {
        let options = LockOptions {
            inf_offered: false,
            menu: menu.map(|items| items.parse().unwrap()),
            ..LockOptions::default()
        };
        let mut torch = Torch::new("EASY", "1234", options);
        torch.press(400);
        torch.pause(300);
        torch.press(400);
        torch.pause(1000);
        torch.enter(&[1, 2, 3, 4]);
        for _ in 0..place {
            torch.press(400);
            torch.pause(300);
        }
        assert_ne!(torch.lock.item(), Some(MenuItem::Inf));
        torch.press(5500);
        assert_eq!(torch.lock.harm(), harm, "{menu:?}");
        assert!(!torch.lock.is_inf_on());
        assert_eq!(torch.lock.memory().harm, harm);
    }
}

#[test]
fn a_clock_that_drifts_too_far_misses() {
    for (ppm, opens) in [(-40_000, true), (40_000, true), (-250_000, false)] {
        let options = LockOptions { drift_ppm: ppm, ..LockOptions::default() };
        let mut torch = Torch::new("MT175", "1234", options);
        torch.wake(2);
        torch.enter(&[1, 2, 3, 4]);
        assert_eq!(torch.lock.is_detailed(), opens, "{ppm} ppm");
    }
}

proptest! {
    /// Whatever light falls on it: tries are counted up to the limit and no further, nothing opens
    /// that was not entered, and no time makes it panic.
    #[test]
    fn random_light_opens_nothing(
        steps in prop::collection::vec((0_u64..7000, 0_u64..200_000), 1..60),
        drift_ppm in -300_000_i32..300_000,
    ) {
        // Eight digits that no sixty presses make up.
        let text = include_str!("../../profiles/mt175.toml").replacen("digits = 4", "digits = 8", 1);
        let profile = Profile::parse("mt175.toml", &text).unwrap();
        let options = LockOptions { drift_ppm, ..LockOptions::default() };
        let mut lock = Lock::new(&profile, "99999999".parse().unwrap(), options).unwrap();
        let mut now = Duration::ZERO;
        for (light, dark) in steps {
            lock.light(true, now);
            now += Duration::from_millis(light);
            lock.advance(now);
            lock.light(false, now);
            now += Duration::from_millis(dark);
            lock.advance(now);
            prop_assert!(!lock.is_detailed());
            prop_assert!(lock.wrong_pins() <= 3);
            prop_assert_eq!(lock.display() == Display::Blocked, lock.wrong_pins() == 3);
        }
    }
}
