//! How long a server asks to wait (`Retry-After`, RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// The longest wait that is believed: a server that means more is asked again after a day.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Whether an answer with that status may be another one later: only then it is worth waiting for.
#[must_use]
pub const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// The wait that the header's value asks for, [`LONGEST`] at most; none if it can't be read.
///
/// A date is compared with the answer's own (`Date`), which is right where this machine's clock is not,
/// and otherwise with `now`.
#[must_use]
pub fn parse(value: &str, date: Option<&str>, now: Option<Timestamp>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large for its type is a long wait nevertheless.
        return Some(value.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let said = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let own = || {
        let second = u64::try_from(now?.as_second()).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(second))
    };
    Some(at.duration_since(said.or_else(own)?).unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now = Some("2026-10-21T07:28:00Z".parse().unwrap());
        let date = "Wed, 21 Oct 2026 07:28:30 GMT";
        let wait = |value: &str, date| parse(value, date, now).map(|wait| wait.as_secs());
        for (value, date, wanted) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("1000000000000", None, Some(86_400)),
            ("99999999999999999999999999999999", None, Some(86_400)),
            ("Wed, 21 Oct 2026 07:29:30 GMT", None, Some(90)),
            ("Wed, 21 Oct 2026 07:29:30 GMT", Some(date), Some(60)),
            ("Wed, 21 Oct 2026 07:29:30 GMT", Some("now"), Some(90)),
            ("Wednesday, 21-Oct-26 07:29:30 GMT", None, Some(90)),
            ("Wed Oct 21 07:29:30 2026", None, Some(90)),
            ("Wed, 21 Oct 2020 07:28:00 GMT", None, Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None, Some(86_400)),
            ("soon", None, None),
            ("-1", None, None),
            ("", None, None),
        ] {
            assert_eq!(wait(value, date), wanted, "{value} {date:?}");
        }
        assert_eq!(parse(date, None, None), None);
    }

    #[test]
    fn only_passing_answers_are_waited_for() {
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(is_passing(status), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 409, 410, 413, 600] {
            assert!(!is_passing(status), "{status}");
        }
    }
}
