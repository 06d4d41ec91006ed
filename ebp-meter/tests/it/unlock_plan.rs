//! Plans, for every model and every PIN: within the tolerances, and read back by a strict lock.

use std::time::Duration;

use ebp_meter::{
    profile::{Profile, Profiles},
    unlock::{Phase, Pin, Plan, PlanError, Variant},
    virtual_meter::{Display, Lock, LockOptions},
};
use proptest::prelude::*;

const VARIANTS: [Variant; 2] = [Variant::Normal, Variant::Slower];

fn lockable() -> Vec<Profile> {
    Profiles::embedded().iter().filter(|profile| profile.pin.is_some()).cloned().collect()
}

fn pin(number: u16) -> Pin {
    format!("{number:04}").parse().unwrap()
}

/// Light and dark in turns: steps of one kind in a row are one stretch.
fn stretches(plan: &Plan) -> Vec<(bool, Duration)> {
    let mut stretches: Vec<(bool, Duration)> = Vec::new();
    for step in plan.steps() {
        match stretches.last_mut() {
            Some((lit, duration)) if *lit == step.lit => *duration += step.duration,
            _ => stretches.push((step.lit, step.duration)),
        }
    }
    stretches
}

/// Reads a plan's digits as the manuals describe the meter, independently of the virtual one, and
/// asserts that each stretch is within a tolerance.
fn digits(profile: &Profile, plan: &Plan) -> Vec<u8> {
    let timing = profile.pin.as_ref().unwrap();
    let period = *timing.next_digit.accept().start();
    let (mut fixed, mut current, mut presses) = (Vec::new(), 0_u8, 0_u8);
    let mut after_wake = false;
    for (lit, duration) in stretches(plan) {
        if lit {
            let waking = presses < timing.wake_presses;
            let press = if waking { timing.wake_press() } else { &timing.short_press };
            assert!(press.accept().contains(&duration));
            presses += 1;
            if presses > timing.wake_presses {
                current = (current + 1) % 10;
                after_wake = false;
            } else {
                after_wake = presses == timing.wake_presses;
            }
            continue;
        }
        // The display test comes before the first digit.
        let test = if after_wake { timing.display_test() } else { Duration::ZERO };
        if duration < period + test {
            let interval = match presses {
                _ if after_wake => &timing.after_wake,
                n if n < timing.wake_presses => timing.between_wake(),
                _ => &timing.between_presses,
            };
            assert!(interval.accept().contains(&duration), "{duration:?}");
            continue;
        }
        let duration = duration - test;
        after_wake = false;
        let count = u32::try_from(duration.as_nanos() / period.as_nanos()).unwrap();
        let last = duration - period * (count - 1);
        assert!(timing.next_digit.accept().contains(&last), "{duration:?} fixes {count}");
        for _ in 0..count {
            fixed.push(std::mem::take(&mut current));
        }
    }
    fixed
}

#[test]
fn every_pin_of_every_model_is_read_back_from_its_plan() {
    for profile in lockable() {
        for variant in VARIANTS {
            for number in 0..10_000 {
                let pin = pin(number);
                let plan = Plan::enter_pin(&profile, &pin, variant).unwrap();
                assert!(pin.is(&digits(&profile, &plan)), "{} {variant:?} {number}", profile.name);
                assert!(plan.duration() <= plan.longest());
            }
        }
    }
}

#[test]
fn every_pin_of_every_model_opens_the_strict_lock_even_if_its_clock_drifts() {
    for profile in lockable() {
        for number in (0..10_000).step_by(37).chain([0, 9, 90, 900, 9000, 9999, 1000, 1001, 5]) {
            for (variant, drift_ppm) in [(Variant::Normal, 0), (Variant::Slower, 200)] {
                let pin = pin(number);
                let plan = Plan::enter_pin(&profile, &pin, variant).unwrap();
                let options = LockOptions { drift_ppm, ..LockOptions::default() };
                let mut lock = Lock::new(&profile, pin, options).unwrap();
                let mut now = Duration::from_secs(1000);
                for step in plan.steps() {
                    lock.light(step.lit, now);
                    now += step.duration;
                    lock.advance(now);
                }
                assert!(lock.is_detailed(), "{} {variant:?} {number}", profile.name);
                assert_eq!(lock.display(), Display::Menu { item: 0 });
            }
        }
    }
}

#[test]
fn nothing_that_is_shown_of_a_plan_depends_on_the_pin() {
    let profiles = Profiles::embedded();
    let mt175 = profiles.get("MT175").unwrap();
    let shown = |text: &str| {
        let plan = Plan::enter_pin(mt175, &text.parse().unwrap(), Variant::Normal).unwrap();
        format!("{plan}{plan:?}{:?}{:?}", plan.phases(), plan.longest())
    };
    for other in ["0000", "9999", "0912", "1000"] {
        assert_eq!(shown("4711"), shown(other), "{other}");
    }
    let plan = Plan::enter_pin(mt175, &"2004".parse().unwrap(), Variant::Normal).unwrap();
    insta::assert_snapshot!(plan, @r"
    enter the PIN: at most 42.8 s
      waking the display: 2 presses of 0.4 s
      digit 1 of 4: 0 to 9 presses of 0.4 s
      digit 2 of 4: 0 to 9 presses of 0.4 s
      digit 3 of 4: 0 to 9 presses of 0.4 s
      digit 4 of 4: 0 to 9 presses of 0.4 s
    ");
    insta::assert_snapshot!(plan.revealed(), @r"
    enter the PIN: 19.3 s
         0.00 s  light  0.40 s  waking the display
         0.40 s  dark   0.30 s  waking the display
         0.70 s  light  0.40 s  waking the display
         1.10 s  dark   1.00 s  waking the display
         2.10 s  light  0.40 s  digit 1 of 4
         2.50 s  dark   0.30 s  digit 1 of 4
         2.80 s  light  0.40 s  digit 1 of 4
         3.20 s  dark   3.00 s  digit 1 of 4
         6.20 s  dark   3.00 s  digit 2 of 4
         9.20 s  dark   3.80 s  digit 3 of 4
        13.00 s  light  0.40 s  digit 4 of 4
        13.40 s  dark   0.30 s  digit 4 of 4
        13.70 s  light  0.40 s  digit 4 of 4
        14.10 s  dark   0.30 s  digit 4 of 4
        14.40 s  light  0.40 s  digit 4 of 4
        14.80 s  dark   0.30 s  digit 4 of 4
        15.10 s  light  0.40 s  digit 4 of 4
        15.50 s  dark   3.80 s  digit 4 of 4
    ");
    insta::assert_snapshot!(Plan::switch_inf_after(mt175, 8, Variant::Normal).unwrap(), @r"
    switch the extended data (InF): at most 11.4 s
      walking to InF: 8 presses of 0.4 s
      switching InF: 1 press of 5.5 s
    ");
    insta::assert_snapshot!(Plan::keep_alive(mt175, Variant::Normal).unwrap(), @r"
    keep the extended data: at most 0.4 s
      keeping the display awake: 1 press of 0.4 s
    ");
}

#[test]
fn the_phases_are_told_apart() {
    let profiles = Profiles::embedded();
    let relock =
        Plan::relock(profiles.get("MB310").unwrap(), &pin(1), 13, Variant::Normal).unwrap();
    let phases: Vec<String> = relock.phases().iter().map(Phase::to_string).collect();
    assert_eq!(
        phases,
        [
            "waking the display",
            "digit 1 of 4",
            "digit 2 of 4",
            "digit 3 of 4",
            "digit 4 of 4",
            "walking to InF",
            "switching InF"
        ]
    );
}

#[test]
fn what_gives_no_plan() {
    let profiles = Profiles::embedded();
    let error =
        Plan::enter_pin(profiles.get("Q3D").unwrap(), &pin(1), Variant::Normal).unwrap_err();
    assert_eq!(error.to_string(), "Q3D has no PIN: it always sends every value");
    let five = "12345".parse().unwrap();
    let error = Plan::enter_pin(profiles.get("DD3").unwrap(), &five, Variant::Normal).unwrap_err();
    assert_eq!(error.to_string(), "the PIN of DD3 has 4 digits, the given one has 5");
    let mut without = profiles.get("DD3").unwrap().clone();
    without.pin.as_mut().unwrap().menu = None;
    let error = Plan::switch_inf(&without, Variant::Normal).unwrap_err();
    assert!(matches!(error, PlanError::NoMenu { .. }), "{error}");
    // Nor does an assumed place of InF.
    let error = Plan::switch_inf(profiles.get("DD3").unwrap(), Variant::Normal).unwrap_err();
    assert_eq!(error.to_string(), "no source names the way to InF in the menu of DD3");
    assert!(Plan::switch_inf(profiles.get("MB310").unwrap(), Variant::Normal).is_ok());
    let error =
        Plan::enter_pin(profiles.get("E320").unwrap(), &pin(1), Variant::Normal).unwrap_err();
    assert_eq!(error.to_string(), "how the PIN of E320 is entered by light is not known");
}

#[test]
fn a_profile_whose_pause_would_set_two_digits_is_refused() {
    let text = include_str!("../../profiles/mt175.toml");
    let twice = text.replacen("accept_ms = [3000, 5900]", "accept_ms = [3000, 6000]", 1);
    assert_ne!(text, twice);
    let error = Profile::parse("mt175.toml", &twice).unwrap_err().to_string();
    assert!(error.contains("a zero too many"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever timing a profile that is accepted may have, and however long its PIN: the plan is
    /// within the tolerances and opens the strict lock.
    #[test]
    fn every_timing_that_a_profile_may_have(
        digits in prop::collection::vec(0_u8..10, 1..=8),
        wake in 1_u8..4,
        period in 800_u32..6000,
        (send, slower) in (0.0..1.0_f64, 0.0..1.0_f64),
        slow in any::<bool>(),
    ) {
        let longest = period * 2 - 1;
        let within = |part: f64| period + (f64::from(longest - period) * part) as u32;
        let (send, slower) = (within(send.min(slower)), within(send.max(slower)));
        let text: String = include_str!("../../profiles/mt175.toml")
            .lines()
            .map(|line| match line.split(" =").next().unwrap() {
                "digits" => format!("digits = {}\n", digits.len()),
                "wake_presses" => format!("wake_presses = {wake}\n"),
                "between_presses" => pause("between_presses", 300, 500, [100, period - 1]),
                "after_wake" => pause("after_wake", 400, 500, [300, period - 1]),
                "next_digit" => pause("next_digit", send, slower, [period, longest]),
                _ => format!("{line}\n"),
            })
            .collect();
        let profile = Profile::parse("mt175.toml", &text).unwrap();
        let typed: String = digits.iter().map(u8::to_string).collect();
        let pin: Pin = typed.parse().unwrap();
        let variant = if slow { Variant::Slower } else { Variant::Normal };
        let plan = Plan::enter_pin(&profile, &pin, variant).unwrap();
        prop_assert!(pin.is(&self::digits(&profile, &plan)));
        prop_assert!(plan.duration() <= plan.longest());
        let mut lock = Lock::new(&profile, pin, LockOptions::default()).unwrap();
        let mut now = Duration::from_secs(1000);
        for step in plan.steps() {
            lock.light(step.lit, now);
            now += step.duration;
            lock.advance(now);
        }
        prop_assert!(lock.is_detailed());
    }
}

fn pause(key: &str, send: u32, slower: u32, accept: [u32; 2]) -> String {
    format!(
        "{key} = {{ send_ms = {send}, slower_ms = {slower}, accept_ms = {accept:?}, source = \"test\" }}\n"
    )
}
