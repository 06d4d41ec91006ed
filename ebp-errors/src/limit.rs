//! How long a service asks not to be called, by its answer's headers.

use std::time::Duration;

use ebp_core::retry_after;
use jiff::Timestamp;

/// What is waited after a 429 that does not say how long.
const UNSAID: Duration = Duration::from_secs(60);

/// The shortest wait after a 429.
const LEAST: Duration = Duration::from_secs(30);

/// How long a service asks not to send errors: by `X-Sentry-Rate-Limits`
/// (`60:transaction, 2700:default;error:organization`), else by `Retry-After` of an answer that fails; a
/// 429 always asks to wait. `date` is the answer's own.
#[must_use]
pub fn rate_limit(
    status: u16,
    limits: Option<&str>,
    (wait, date): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Option<Duration> {
    // It says of each kind of event for how long that is not wanted.
    let limit = limits.and_then(|limits| limits.split(',').filter_map(of_errors).max());
    let is_passing = retry_after::is_passing(status);
    let asked = || {
        let wait = wait.filter(|_| is_passing)?;
        retry_after::parse(wait, date, Some(now)).or_else(|| seconds(wait))
    };
    let limit = limit.or_else(asked).or((status == 429).then_some(UNSAID));
    // Asked for no wait at all, a service that refuses would be called without a pause.
    let least = if is_passing { LEAST } else { Duration::ZERO };
    limit.map(|wait| wait.clamp(least, retry_after::LONGEST))
}

/// One limit, `SECONDS:CATEGORY;CATEGORY:SCOPE:…`, if it is one of errors or of everything.
fn of_errors(limit: &str) -> Option<Duration> {
    let mut parts = limit.trim().split(':');
    let wait = parts.next().and_then(seconds)?;
    let categories = parts.next().unwrap_or_default();
    let is_ours = categories.is_empty() || categories.split(';').any(|name| name.trim() == "error");
    is_ours.then_some(wait)
}

/// Seconds, whole or not, as services write them.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds.ceil()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_errors_are_obeyed_and_others_are_not() {
        let now = "2026-10-21T07:26:00Z".parse().unwrap();
        for (status, limits, retry, wait) in [
            (200, None, None, None),
            (200, None, Some("60"), None),
            (200, Some("60:transaction"), None, None),
            (200, Some("60:error"), None, Some(60)),
            (200, Some("60::organization"), None, Some(60)),
            (200, Some("60"), None, Some(60)),
            (429, Some("60:transaction, 2700:default;error:organization:x"), None, Some(2700)),
            (429, Some("10:error,50:error"), None, Some(50)),
            (429, Some("nonsense"), Some("70"), Some(70)),
            (429, None, Some("70.5"), Some(71)),
            (429, None, Some("0"), Some(30)),
            (429, Some("0:error:key"), None, Some(30)),
            (200, Some("0:error:key"), None, Some(0)),
            (429, None, Some("-1"), Some(60)),
            (429, None, Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some(120)),
            (408, None, Some("70"), Some(70)),
            (425, None, Some("70"), Some(70)),
            (500, None, Some("70"), Some(70)),
            (502, None, Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some(120)),
            (503, None, Some("1000000000000"), Some(86400)),
            (504, None, Some("0"), Some(30)),
            (503, None, None, None),
            (403, None, Some("70"), None),
            (429, None, None, Some(60)),
            (429, Some("99999999999:error"), None, Some(86400)),
            (429, Some("inf:error"), Some("NaN"), Some(60)),
        ] {
            let found = rate_limit(status, limits, (retry, None), now).map(|wait| wait.as_secs());
            assert_eq!(found, wait, "{status} {limits:?} {retry:?}");
        }
    }
}
