//! Instants and days for people: local times, with UTC for programs.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::language::Language;

/// How pages show times: in one zone and language.
#[derive(Debug, Clone)]
pub struct Moments {
    /// The zone.
    pub zone: TimeZone,
    /// The language.
    pub language: Language,
}

/// The zone with that name. Where the machine has no table of zones, Central European Time is known
/// by its rule.
///
/// # Errors
/// Returns an error if neither knows the zone.
pub fn time_zone(name: &str) -> Result<TimeZone, jiff::Error> {
    TimeZone::get(name).or_else(|error| match name {
        "Europe/Berlin" => TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3"),
        _ => Err(error),
    })
}

impl Moments {
    /// `14:32`.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at);
        format!("{:02}:{:02}", local.hour(), local.minute())
    }

    /// The local day of an instant.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// `30. November 2026`, `30 November 2026`.
    #[must_use]
    pub fn day(&self, day: Date) -> String {
        let month = self.month_name(day);
        match self.language {
            Language::De => format!("{}. {month} {}", day.day(), day.year()),
            Language::En => format!("{} {month} {}", day.day(), day.year()),
        }
    }

    /// `30.11.`, `30 Nov`.
    #[must_use]
    pub fn short_day(&self, day: Date) -> String {
        match self.language {
            Language::De => format!("{}.{}.", day.day(), day.month()),
            Language::En => {
                let month: String = self.month_name(day).chars().take(3).collect();
                format!("{} {month}", day.day())
            }
        }
    }

    /// `Montag`.
    #[must_use]
    pub fn weekday(&self, day: Date) -> String {
        let language = self.language;
        match day.weekday() {
            Weekday::Monday => language.say("monday"),
            Weekday::Tuesday => language.say("tuesday"),
            Weekday::Wednesday => language.say("wednesday"),
            Weekday::Thursday => language.say("thursday"),
            Weekday::Friday => language.say("friday"),
            Weekday::Saturday => language.say("saturday"),
            Weekday::Sunday => language.say("sunday"),
        }
    }

    /// `November 2026`.
    #[must_use]
    pub fn month(&self, day: Date) -> String {
        format!("{} {}", self.month_name(day), day.year())
    }

    /// `November`.
    #[must_use]
    pub fn month_name(&self, day: Date) -> String {
        let language = self.language;
        match day.month() {
            1 => language.say("january"),
            2 => language.say("february"),
            3 => language.say("march"),
            4 => language.say("april"),
            5 => language.say("may"),
            6 => language.say("june"),
            7 => language.say("july"),
            8 => language.say("august"),
            9 => language.say("september"),
            10 => language.say("october"),
            11 => language.say("november"),
            _ => language.say("december"),
        }
    }

    /// Day and time; the time alone on the day of `now`.
    #[must_use]
    pub fn instant(&self, at: Timestamp, now: Timestamp) -> String {
        let day = self.day_of(at);
        if day == self.day_of(now) {
            return self.time(at);
        }
        self.language.say_with(
            "day-and-time",
            [("day", self.day(day).into()), ("time", self.time(at).into())],
        )
    }

    /// How long ago, roughly: `vor 12 Minuten`.
    #[must_use]
    pub fn ago(&self, at: Timestamp, now: Timestamp) -> String {
        let past = now.duration_since(at).max(SignedDuration::ZERO);
        let minutes = past.as_mins().unsigned_abs();
        let language = self.language;
        match minutes {
            0 => language.say("just-now"),
            1..60 => language.say_with("minutes-ago", [("count", minutes.into())]),
            60..1440 => language.say_with("hours-ago", [("count", (minutes / 60).into())]),
            _ => language.say_with("days-ago", [("count", (minutes / 1440).into())]),
        }
    }

    /// A `<time>` element: local for people, UTC for programs and in the tooltip.
    #[must_use]
    pub fn element(&self, at: Timestamp, now: Timestamp) -> String {
        let utc = at.round(jiff::Unit::Second).unwrap_or(at);
        format!("<time datetime=\"{utc}\" title=\"{utc}\">{}</time>", self.instant(at, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(language: Language) -> Moments {
        Moments { zone: time_zone("Europe/Berlin").unwrap(), language }
    }

    #[test]
    fn times_are_local_and_carry_utc() {
        let (at, now) =
            ("2026-10-25T00:59:59.6Z".parse().unwrap(), "2026-10-25T02:00:00Z".parse().unwrap());
        let german = moments(Language::De);
        assert_eq!(
            german.element(at, now),
            "<time datetime=\"2026-10-25T01:00:00Z\" title=\"2026-10-25T01:00:00Z\">02:59</time>"
        );
        let next = "2026-10-26T12:00:00Z".parse().unwrap();
        assert_eq!(german.instant(at, next), "25. Oktober 2026, 02:59");
        assert_eq!(moments(Language::En).instant(at, next), "25 October 2026, 02:59");
        assert_eq!(german.ago(at, now), "vor 1 Stunde");
        assert_eq!(german.ago(now, at), "gerade eben");
        assert_eq!(german.short_day(german.day_of(at)), "25.10.");
    }

    /// Where the machine has no table of zones, the rule gives the same times.
    #[test]
    fn the_rule_of_central_european_time_is_that_of_the_table() {
        let rule = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let table = TimeZone::get("Europe/Berlin").unwrap();
        let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        for hour in 0..24 * 365 * 4 {
            let at = start + SignedDuration::from_hours(hour);
            assert_eq!(rule.to_offset(at), table.to_offset(at), "{at}");
        }
        assert!(time_zone("Mars/Base").is_err());
    }
}
