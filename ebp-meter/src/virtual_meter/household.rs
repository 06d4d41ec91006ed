//! A simulated household: its load and the output of its photovoltaic system, second by second.
//!
//! Enters: a seed, the system's nominal power and the second. Leaves: power in whole milliwatts,
//! always the same for the same seed and second. Absent: registers, floating point, the clock.

use std::ops::Range;

use super::{
    battery,
    random::{Places, Stream, at},
};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The offset of Central European Time, seconds: days begin at midnight in Germany (summer time is
/// left out; a household does not care for it here).
const CET: i64 = 3_600;

/// What a household is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseholdOptions {
    /// Makes this household differ from others, and the same again.
    pub seed: u64,
    /// Nominal power of its photovoltaic system, watts (kWp · 1000); 0 for none.
    pub pv_peak_watts: u32,
    /// What its battery can hold, watt-hours; 0 for none.
    pub battery_watt_hours: u32,
}

/// Power in milliwatts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Power {
    /// What the household draws, from the roof or from the grid.
    pub load: i64,
    /// What the photovoltaic system yields.
    pub pv: i64,
    /// What charges the battery; negative is what it gives.
    pub battery: i64,
}

impl Power {
    /// What the household draws from the grid; negative is what it feeds in.
    #[must_use]
    pub const fn from_grid(self) -> i64 {
        self.load - self.pv + self.battery
    }
}

/// A household. Remembers the plan of one day and what is switched on, so that a row of seconds is
/// cheap.
#[derive(Debug, Clone)]
pub struct Household {
    options: HouseholdOptions,
    plan: Option<DayPlan>,
    running: Running,
}

/// The uses of a stretch of seconds in which none begins or ends.
#[derive(Debug, Clone, Default)]
struct Running {
    seconds: Range<i64>,
    uses: Vec<Use>,
}

impl Household {
    /// A household.
    #[must_use]
    pub const fn new(options: HouseholdOptions) -> Self {
        let running = Running { seconds: 0..0, uses: Vec::new() };
        Self { options, plan: None, running }
    }

    /// Its power during the second that begins so many seconds after 1970-01-01 UTC.
    pub fn power(&mut self, second: i64) -> Power {
        let local = second.saturating_add(CET);
        let (day, second_of_day) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        if self.plan.as_ref().is_some_and(|plan| plan.day != day) {
            self.plan = None;
        }
        let options = self.options;
        let running = &mut self.running;
        let plan = self.plan.get_or_insert_with(|| {
            running.seconds = 0..0;
            DayPlan::with_battery(options, day)
        });
        if !running.seconds.contains(&second_of_day) {
            *running = plan.running(second_of_day);
        }
        let load = plan.load(&running.uses, second_of_day);
        let pv = plan.pv(options, second_of_day);
        let battery = battery::at(&plan.battery, second_of_day);
        Power { load, pv, battery }
    }
}

/// Something that is switched on for a while.
#[derive(Debug, Clone, Copy)]
struct Use {
    from: i64,
    until: i64,
    milliwatts: i64,
    /// Heats only for this part of each minute, seconds; a thermostat.
    heats: i64,
}

#[derive(Debug, Clone)]
struct DayPlan {
    day: i64,
    ripple: Places,
    clouds: Places,
    base: i64,
    fridge_phase: i64,
    uses: Vec<Use>,
    sunrise: i64,
    sunset: i64,
    /// The sun's height at noon, thousandths of the best day's.
    noon: i64,
    /// What the weather lets through, thousandths.
    clearness: i64,
    /// What charges the battery in each minute, milliwatts; nothing where there is none.
    battery: Vec<i64>,
}

impl DayPlan {
    fn new(options: HouseholdOptions, day: i64) -> Self {
        let mut house = Stream::new(at(options.seed, 1, 0));
        let base = watts(house.between(60, 180));
        let fridge_phase = signed(house.below(2_700));

        let mut today = Stream::new(at(options.seed, 2, day.cast_unsigned()));
        // 1970-01-01 was a Thursday: 0 is Monday.
        let weekend = (day + 3).rem_euclid(7) >= 5;
        let rise = if weekend { 8 * 3_600 } else { 6 * 3_600 + 1_800 };
        let mut uses = Vec::with_capacity(12);
        let mut add =
            |around: i64, spread: u64, seconds: (u64, u64), power: (u64, u64), heats: i64| {
                let from = around + signed(today.below(2 * spread)) - signed(spread);
                let until = from + signed(today.between(seconds.0, seconds.1));
                uses.push(Use {
                    from,
                    until,
                    milliwatts: watts(today.between(power.0, power.1)),
                    heats,
                });
            };
        add(rise, 1_500, (120, 240), (1_800, 2_200), 60); // kettle
        add(rise + 900, 1_200, (240, 420), (900, 1_400), 60); // coffee, toast
        if weekend {
            add(12 * 3_600 + 1_800, 2_400, (1_800, 4_200), (1_500, 2_600), 40); // lunch
        }
        add(18 * 3_600 + 1_800, 3_600, (1_500, 3_600), (1_600, 2_800), 35); // dinner
        add(16 * 3_600, 5_400, (120, 200), (1_800, 2_200), 60); // tea
        add(20 * 3_600, 1_800, (7_200, 10_800), (90, 220), 60); // television
        add(19 * 3_600, 2_400, (10_000, 14_000), (40, 160), 60); // light
        let season = season(day);
        if today.happens(350_000) {
            let wash = today.between(9 * 3_600, 17 * 3_600);
            let from = signed(wash);
            uses.push(Use { from, until: from + 1_500, milliwatts: watts(2_000), heats: 50 });
            uses.push(Use { from, until: from + 6_000, milliwatts: watts(250), heats: 30 });
        }
        // Day length in Germany: 12 h and up to 4.2 h more or less; noon at 12:30 CET.
        let half = (12 * 3_600 + 15_120 * season / 1_000) / 2;
        let noon_at = 12 * 3_600 + 1_800;
        let clearness = 250 + signed(today.below(751));
        Self {
            day,
            ripple: Places::new(options.seed, 3),
            clouds: Places::new(options.seed, 4),
            base,
            fridge_phase,
            uses,
            sunrise: noon_at - half,
            sunset: noon_at + half,
            noon: 620 + 380 * season / 1_000,
            clearness,
            battery: Vec::new(),
        }
    }

    /// The day with what its battery does. What is in it at midnight is what the day before left.
    fn with_battery(options: HouseholdOptions, day: i64) -> Self {
        let mut today = Self::new(options, day);
        if options.battery_watt_hours > 0 {
            let surplus =
                |plan: &Self, second| plan.pv(options, second) - plan.load(&plan.uses, second);
            let before = Self::new(options, day - 1);
            let of_days: [&dyn Fn(i64) -> i64; 2] =
                [&|second| surplus(&before, second), &|second| surplus(&today, second)];
            today.battery = battery::plan(options.battery_watt_hours, of_days);
        }
        today
    }

    /// The uses that are switched on at that second, and for how long none begins or ends.
    fn running(&self, second: i64) -> Running {
        let ends = self.uses.iter().flat_map(|of| [of.from, of.until]);
        let from = ends.clone().filter(|at| *at <= second).max().unwrap_or(i64::MIN);
        let until = ends.filter(|at| *at > second).min().unwrap_or(i64::MAX);
        let uses = self.uses.iter().filter(|of| (of.from..of.until).contains(&second)).copied();
        Running { seconds: from..until, uses: uses.collect() }
    }

    /// What it draws, if only those uses can be switched on then.
    fn load(&self, uses: &[Use], second: i64) -> i64 {
        let fridge = if (second + self.fridge_phase) % 2_700 < 900 { watts(85) } else { 0 };
        let uses: i64 = uses
            .iter()
            .filter(|u| (u.from..u.until).contains(&second) && (second - u.from) % 60 < u.heats)
            .map(|u| u.milliwatts)
            .sum();
        let place = (self.day * DAY + second).cast_unsigned();
        let ripple = signed(self.ripple.at(place) % 6_001) - 3_000;
        self.base + fridge + uses + ripple
    }

    fn pv(&self, options: HouseholdOptions, second: i64) -> i64 {
        let length = self.sunset - self.sunrise;
        let since = second - self.sunrise;
        if options.pv_peak_watts == 0 || since <= 0 || since >= length {
            return 0;
        }
        // Real systems yield some nine tenths of their nominal power at best.
        let peak = i64::from(options.pv_peak_watts) * 900;
        let light = half_sine(since, length);
        let through = self.clearness * clouds(self.clouds, self.day, second) / 1_000;
        peak * light / 1_000_000 * self.noon / 1_000 * through / 1_000
    }
}

/// The season by the day since 1970: -1000 at the winter solstice to 1000 at the summer solstice.
fn season(day: i64) -> i64 {
    // Ten-thousandths of a day since the spring equinox of 1970 (day 79), in a year of 365.2425 days.
    let year = 3_652_425;
    let at = ((day - 79) * 10_000).rem_euclid(year);
    let half = year / 2;
    if at < half { half_sine(at, half) / 1_000 } else { -half_sine(at - half, half) / 1_000 }
}

/// The sine of the way through a half circle, millionths, after Bhaskara (7th century): off by less
/// than 0.002, in whole numbers.
fn half_sine(at: i64, length: i64) -> i64 {
    let x = at * 1_000_000 / length.max(1);
    let product = x * (1_000_000 - x) / 1_000_000;
    (4 * product * 1_000_000) / (1_250_000 - product)
}

/// What clouds let through, thousandths: a new value every seven minutes, gliding between them.
fn clouds(places: Places, day: i64, second: i64) -> i64 {
    let (slot, into) = (second / 420, second % 420);
    let value = |slot: i64| 300 + signed(places.at((day * 1_000 + slot).cast_unsigned()) % 701);
    (value(slot) * (420 - into) + value(slot + 1) * into) / 420
}

fn watts(watts: u64) -> i64 {
    signed(watts) * 1_000
}

fn signed(small: u64) -> i64 {
    i64::try_from(small).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-06-21 00:00 in Germany by winter time.
    const MIDSUMMER: i64 = 1_781_996_400;
    const MIDWINTER: i64 = MIDSUMMER + 183 * DAY;

    fn kilowatt_hours(from: i64, household: &mut Household) -> (i64, i64) {
        let (load, pv) = (from..from + DAY)
            .map(|second| household.power(second))
            .fold((0, 0), |(load, pv), power| (load + power.load, pv + power.pv));
        (load / 3_600_000_000, pv / 3_600_000_000)
    }

    #[test]
    fn days_are_like_a_household() {
        for seed in 0..8 {
            let mut household = Household::new(HouseholdOptions {
                seed,
                pv_peak_watts: 9_800,
                battery_watt_hours: 0,
            });
            let (summer_load, summer_pv) = kilowatt_hours(MIDSUMMER, &mut household);
            let (winter_load, winter_pv) = kilowatt_hours(MIDWINTER, &mut household);
            assert!((3..20).contains(&summer_load), "{seed}: {summer_load} kWh");
            assert!((3..20).contains(&winter_load), "{seed}: {winter_load} kWh");
            assert!((10..80).contains(&summer_pv), "{seed}: {summer_pv} kWh");
            assert!(winter_pv < summer_pv, "{seed}: {winter_pv} kWh against {summer_pv}");
        }
    }

    #[test]
    fn the_sun_is_down_at_night_and_never_beyond_the_peak() {
        let mut household = Household::new(HouseholdOptions {
            seed: 5,
            pv_peak_watts: 5_000,
            battery_watt_hours: 0,
        });
        for second in (MIDSUMMER..MIDSUMMER + DAY).step_by(7) {
            let power = household.power(second);
            assert!((0..=4_500_000).contains(&power.pv));
            assert!(power.load > 0);
            if second < MIDSUMMER + 3 * 3_600 {
                assert_eq!(power.pv, 0);
            }
        }
        assert!(household.power(MIDSUMMER + 45_000).pv > 0);
        let mut none =
            Household::new(HouseholdOptions { seed: 5, pv_peak_watts: 0, battery_watt_hours: 0 });
        assert_eq!(none.power(MIDSUMMER + 45_000).pv, 0);
    }

    #[test]
    fn a_second_is_the_same_however_it_is_reached() {
        let options = HouseholdOptions { seed: 9, pv_peak_watts: 3_000, battery_watt_hours: 0 };
        let mut forward = Household::new(options);
        let row: Vec<_> = (0..100).map(|hour| forward.power(MIDSUMMER + hour * 3_600)).collect();
        for (hour, power) in row.iter().enumerate().rev() {
            let hour = i64::try_from(hour).unwrap();
            assert_eq!(Household::new(options).power(MIDSUMMER + hour * 3_600), *power);
        }
        // What is switched on is remembered from one second to the next.
        for second in (MIDSUMMER + 16 * 3_600..MIDSUMMER + 26 * 3_600).step_by(7) {
            assert_eq!(forward.power(second), Household::new(options).power(second), "{second}");
        }
        let other = Household::new(HouseholdOptions { seed: 10, ..options }).power(MIDSUMMER);
        assert_ne!(row[0], other, "another seed is another household");
    }

    #[test]
    fn a_battery_keeps_the_sun_for_the_night() {
        let options = HouseholdOptions { seed: 5, pv_peak_watts: 9_000, battery_watt_hours: 0 };
        let (mut plain, mut stored) = (
            Household::new(options),
            Household::new(HouseholdOptions { battery_watt_hours: 8_000, ..options }),
        );
        let (mut fed, mut drawn) = ([0, 0], [0, 0]);
        for second in MIDSUMMER..MIDSUMMER + DAY {
            for (place, household) in [&mut plain, &mut stored].into_iter().enumerate() {
                let power = household.power(second).from_grid();
                fed[place] += (-power).max(0);
                drawn[place] += power.max(0);
            }
        }
        assert!(fed[1] < fed[0] && drawn[1] < drawn[0] / 2, "{fed:?} {drawn:?}");
        // However it is reached.
        let noon = MIDSUMMER + 45_000;
        let other =
            Household::new(HouseholdOptions { battery_watt_hours: 8_000, ..options }).power(noon);
        assert_eq!(stored.power(noon), other);
    }

    #[test]
    fn extremes_do_not_panic() {
        let options = HouseholdOptions {
            seed: u64::MAX,
            pv_peak_watts: u32::MAX,
            battery_watt_hours: u32::MAX,
        };
        for second in [i64::from(i32::MIN) * 1_000, -1, 0, i64::from(i32::MAX) * 1_000] {
            let power = Household::new(options).power(second);
            assert!(power.pv >= 0);
        }
    }

    #[test]
    fn sines() {
        assert_eq!(half_sine(0, 10), 0);
        assert_eq!(half_sine(5, 10), 1_000_000);
        assert!((half_sine(1, 6) - 500_000).abs() < 2_000);
        assert!(season(79).abs() < 5 && (season(171) - 1_000).abs() < 10);
        assert!((season(354) + 1_000).abs() < 10);
    }
}
