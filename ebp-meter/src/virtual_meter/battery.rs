//! A household's battery: it takes what the roof yields beyond the load, and gives it back.
//!
//! Its controller runs once a minute, as real ones do. A day's plan follows from that day and the
//! one before alone, so that a second has the same power however it is reached: what the battery
//! held a day earlier is used up or made no difference by then. Losses are left out.

/// Seconds between two runs of the controller.
const MINUTE: i64 = 60;
/// Minutes of a day.
const MINUTES: i64 = 1_440;
/// Milliwatt-seconds of a watt-hour.
const WATT_HOUR: i64 = 3_600_000;
/// Hours until it is full at its greatest power.
const HOURS_TO_FULL: i64 = 2;

/// What charges the battery in each minute of the second day, milliwatts, by the surplus of both days
/// at a second of theirs.
pub fn plan(watt_hours: u32, surplus: [&dyn Fn(i64) -> i64; 2]) -> Vec<i64> {
    let capacity = i64::from(watt_hours) * WATT_HOUR;
    let most = i64::from(watt_hours) * 1_000 / HOURS_TO_FULL;
    let mut charge = 0;
    let mut today = Vec::new();
    for surplus in surplus {
        today = (0..MINUTES)
            .map(|minute| {
                let wanted = surplus(minute * MINUTE + MINUTE / 2).clamp(-most, most);
                let power = wanted.clamp(-charge / MINUTE, (capacity - charge) / MINUTE);
                charge += power * MINUTE;
                power
            })
            .collect();
    }
    today
}

/// What charges it at that second of the day.
pub fn at(plan: &[i64], second: i64) -> i64 {
    let minute = usize::try_from(second.div_euclid(MINUTE)).unwrap_or(usize::MAX);
    plan.get(minute).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KWH: i64 = 1_000 * WATT_HOUR;

    #[test]
    fn it_holds_no_more_than_it_can_and_gives_what_it_took() {
        // 4 kW of surplus for six hours, then 1 kW of load.
        let sunny = |second: i64| if second < 6 * 3_600 { 4_000_000 } else { -1_000_000 };
        let dark = |_: i64| -1_000_000;
        let day = plan(10_000, [&dark, &sunny]);
        let taken: i64 = day.iter().filter(|power| **power > 0).map(|power| power * MINUTE).sum();
        let given: i64 = day.iter().filter(|power| **power < 0).map(|power| -power * MINUTE).sum();
        assert!((taken - 10 * KWH).abs() < KWH / 100, "{taken}");
        assert!((given - 10 * KWH).abs() < KWH / 100, "{given}");
        assert!(day.iter().all(|power| power.abs() <= 5_000_000));
        // What is left at midnight is there on the next day.
        let late = |second: i64| if second < 20 * 3_600 { 0 } else { 1_000_000 };
        let next = plan(10_000, [&late, &dark]);
        assert_eq!(next.iter().filter(|power| **power < 0).count(), 240);
    }

    #[test]
    fn without_a_battery_there_is_nothing() {
        assert_eq!(at(&[], 5), 0);
        assert_eq!(at(&[7], 86_399), 0);
        assert_eq!((at(&[7, 8], 59), at(&[7, 8], 60)), (7, 8));
    }
}
