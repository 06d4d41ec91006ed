//! The rules one by one.

use jiff::{civil::time, tz::TimeZone};

use super::*;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(super) fn night() -> QuietHours {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    QuietHours::new(time(22, 0, 0, 0), time(7, 0, 0, 0), None, zone).unwrap()
}

pub(super) fn facts(device: u128) -> DeviceFacts {
    DeviceFacts {
        device: Uuid::from_u128(device),
        last_report: None,
        last_measurement: None,
        incident_since: None,
        certificate_until: None,
        damaged: None,
        conflict: None,
        new_error: None,
        silenced: false,
    }
}

pub(super) const NOON: &str = "2026-06-01T10:00:00Z";

fn watching(hours: i64) -> Watching {
    Watching { looked_at: at(NOON), since: at(NOON) - seconds(hours * 3600) }
}

fn verdict(facts: &DeviceFacts, kind: AlertKind, watching: Watching) -> Verdict {
    judge(facts, kind, &AlertThresholds::default(), watching)
}

#[test]
fn a_device_is_silent_two_cycles_after_its_last_report() {
    let reported = |minutes: i64| {
        let last_report = Some(at(NOON) - seconds(minutes * 60));
        verdict(&DeviceFacts { last_report, ..facts(1) }, AlertKind::Silent, watching(48))
    };
    assert_eq!(reported(120), Verdict::Fine);
    assert_eq!(reported(121), Verdict::Trouble(at("2026-06-01T07:59:00Z")));
    // It never spoke: that is a state of its own.
    assert_eq!(verdict(&facts(1), AlertKind::Silent, watching(48)), Verdict::Fine);
    let silenced =
        DeviceFacts { silenced: true, last_report: Some(at("2026-05-01T00:00:00Z")), ..facts(1) };
    assert_eq!(verdict(&silenced, AlertKind::Silent, watching(48)), Verdict::Unknown);
}

#[test]
fn what_nobody_was_there_to_hear_is_unknown() {
    let last_report = Some(at(NOON) - seconds(5 * 3600));
    let device = DeviceFacts { last_report, ..facts(1) };
    // The server was away until an hour ago.
    assert_eq!(verdict(&device, AlertKind::Silent, watching(1)), Verdict::Unknown);
    assert!(matches!(verdict(&device, AlertKind::Silent, watching(3)), Verdict::Trouble(_)));
    // Heard by a clock that was a year ahead.
    let last_report = Some(at("2027-06-01T10:00:00Z"));
    let device = DeviceFacts { last_report, ..facts(1) };
    assert_eq!(verdict(&device, AlertKind::Silent, watching(1)), Verdict::Unknown);
    assert_eq!(verdict(&device, AlertKind::Silent, watching(3)), Verdict::Trouble(at(NOON)));
}

#[test]
fn a_gap_and_a_clock_that_is_set_begin_anew() {
    let gap = Duration::from_secs(3600);
    let before = watching(48);
    let look = |by: i64| Watching::look(Some(before), at(NOON) + seconds(by), gap).since;
    assert_eq!(look(20), before.since);
    assert_eq!(look(3600), before.since);
    assert_eq!(look(3601), at(NOON) + seconds(3601));
    assert_eq!(look(-1), at(NOON) - seconds(1));
    assert_eq!(Watching::look(None, at(NOON), gap).since, at(NOON));
}

#[test]
fn late_is_judged_by_the_meters_of_a_device_that_reports() {
    let device = |report: i64, measurement: i64| DeviceFacts {
        last_report: Some(at(NOON) - seconds(report * 60)),
        last_measurement: Some(at(NOON) - seconds(measurement * 60)),
        ..facts(1)
    };
    let verdict = |facts| verdict(&facts, AlertKind::Late, watching(48));
    assert_eq!(verdict(device(30, 180)), Verdict::Fine);
    assert!(matches!(verdict(device(30, 181)), Verdict::Trouble(_)));
    assert_eq!(verdict(device(130, 181)), Verdict::Unknown, "it is silent");
}

#[test]
fn incidents_certificates_and_damaged_telegrams() {
    let ago = |minutes: i64| Some(at(NOON) - seconds(minutes * 60));
    let incident = |since| DeviceFacts { incident_since: since, ..facts(1) };
    let of = |facts: DeviceFacts, kind| verdict(&facts, kind, watching(48));
    assert_eq!(of(incident(ago(60)), AlertKind::Incident), Verdict::Unknown);
    assert_eq!(of(incident(ago(61)), AlertKind::Incident), Verdict::Trouble(ago(61).unwrap()));
    assert_eq!(of(incident(None), AlertKind::Incident), Verdict::Fine);

    let ends = |days: i64| {
        let certificate_until = Some(at(NOON) + seconds(days * 86_400));
        of(DeviceFacts { certificate_until, ..facts(1) }, AlertKind::Certificate)
    };
    assert_eq!(ends(21), Verdict::Fine);
    assert_eq!(ends(20), Verdict::Trouble(at(NOON) - seconds(86_400)));
    assert!(matches!(ends(-3), Verdict::Trouble(_)), "it has ended");

    let damaged = |telegrams, damaged| {
        let damaged = Some((telegrams, damaged));
        of(DeviceFacts { damaged, ..facts(1) }, AlertKind::Damaged)
    };
    assert_eq!(damaged(19, 19), Verdict::Unknown);
    assert_eq!(damaged(100, 19), Verdict::Fine);
    assert_eq!(damaged(100, 20), Verdict::Trouble(at(NOON)));
    assert_eq!(damaged(u64::MAX, u64::MAX), Verdict::Trouble(at(NOON)));
}

#[test]
fn rules_that_are_off_end_what_they_began() {
    let off = AlertThresholds {
        silent: None,
        late: None,
        incident: None,
        certificate: None,
        damaged_percent: None,
        longest_gap: Duration::from_secs(60),
    };
    let old = Some(at("2020-01-01T00:00:00Z"));
    let device = DeviceFacts {
        last_report: old,
        last_measurement: old,
        incident_since: old,
        certificate_until: old,
        damaged: Some((100, 100)),
        ..facts(1)
    };
    // A copied certificate and a new error are told of whatever the rules are.
    let always = [AlertKind::CopiedCertificate, AlertKind::NewError];
    for kind in AlertKind::ALL.into_iter().filter(|kind| !always.contains(kind)) {
        assert!(matches!(
            verdict(&device, kind, watching(99)),
            Verdict::Trouble(_) | Verdict::Unknown
        ));
        assert_eq!(judge(&device, kind, &off, watching(99)), Verdict::Fine);
    }
}

#[test]
fn an_error_is_new_for_a_day() {
    let watching = Watching { looked_at: at(NOON), since: at(NOON) };
    let of = |known_at: Option<&str>, silenced| {
        let device = DeviceFacts { new_error: known_at.map(at), silenced, ..facts(1) };
        judge(&device, AlertKind::NewError, &AlertThresholds::default(), watching)
    };
    assert_eq!(of(None, false), Verdict::Fine);
    let day = SignedDuration::from_hours(24);
    let before = |by: SignedDuration| (at(NOON) - by).to_string();
    assert_eq!(of(Some(&before(day)), false), Verdict::Fine);
    let almost = before(day - SignedDuration::from_secs(1));
    assert_eq!(of(Some(&almost), false), Verdict::Trouble(at(&almost)));
    assert_eq!(of(Some(&almost), true), Verdict::Unknown);
    // By a clock that was set back since it became known now.
    assert_eq!(of(Some(&before(-day)), false), Verdict::Trouble(at(NOON)));
}

#[test]
fn quiet_hours_go_over_midnight_and_over_a_change_of_the_clock() {
    let quiet = night();
    for (when, expected) in [
        ("2026-06-01T19:59:59Z", false),
        ("2026-06-01T20:00:00Z", true),
        ("2026-06-02T04:59:59Z", true),
        ("2026-06-02T05:00:00Z", false),
        // In winter an hour later by UTC.
        ("2026-12-01T20:30:00Z", false),
        ("2026-12-01T21:00:00Z", true),
    ] {
        assert_eq!(quiet.is_quiet(at(when)), expected, "{when}");
    }
    // The night of 29 March has nine hours less one.
    assert_eq!(quiet.due(at("2026-03-28T21:30:00Z")), at("2026-03-29T05:00:00Z"));
    assert_eq!(quiet.due(at("2026-03-27T21:30:00Z")), at("2026-03-28T06:00:00Z"));
    assert_eq!(quiet.due(at("2026-03-28T12:00:00Z")), at("2026-03-28T12:00:00Z"));
    let times = |from, to, digest| {
        let time = |hour| time(hour, 0, 0, 0);
        QuietHours::new(time(from), time(to), Some(time(digest)), TimeZone::UTC)
    };
    assert_eq!(times(22, 22, 12).unwrap_err(), InvalidQuietHours::Empty);
    assert_eq!(times(22, 7, 6).unwrap_err(), InvalidQuietHours::DigestInside);
    assert!(times(22, 7, 8).is_ok() && times(1, 2, 2).is_ok());
}

#[test]
fn many_changes_are_one_message() {
    let thresholds = AlertThresholds::default();
    let reported = |device| DeviceFacts { last_report: Some(at(NOON)), ..facts(device) };
    let all: Vec<_> = (0..10_000).map(reported).collect();
    let later = Watching { looked_at: at(NOON) + seconds(7300), since: at(NOON) };
    let mut next = 0;
    let new = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let (begin, end) = changes(&all, &[], &thresholds, later, new);
    assert_eq!((begin.len(), end.len()), (10_000, 0));
    let episodes: Vec<_> = begin.iter().map(|new| begun(new, later.looked_at)).collect();
    let policy = MessagePolicy::default();
    let message = plan(&episodes, &[], &policy, later.looked_at).unwrap();
    assert_eq!((message.begins.len(), message.ends.len()), (10_000, 0));
}

#[test]
fn after_a_few_messages_in_an_hour_changes_are_gathered() {
    let policy = MessagePolicy::default();
    let episode = Episode {
        uuid: Uuid::nil(),
        device: Uuid::nil(),
        kind: AlertKind::Silent,
        begin_untold: Some(at(NOON)),
        open: true,
        end_untold: None,
    };
    let is_told = |sent: &[i64]| {
        let sent: Vec<_> = sent.iter().map(|ago| at(NOON) - seconds(ago * 60)).collect();
        plan(std::slice::from_ref(&episode), &sent, &policy, at(NOON)).is_some()
    };
    assert!(is_told(&[1, 2, 3]));
    assert!(!is_told(&[1, 2, 3, 4]));
    assert!(!is_told(&[14, 20, 30, 40]));
    assert!(is_told(&[15, 20, 30, 40]));
    assert!(is_told(&[1, 61, 62, 63]), "those are older than an hour");
    assert!(is_told(&[-600, -601, -602, -603]), "those were sent before the clock was set back");
}

#[test]
fn deliveries_are_tried_again_after_growing_pauses() {
    let wait = |attempts, pause: Option<u64>| {
        let next = next_attempt(attempts, pause.map(Duration::from_secs), at(NOON));
        next.map(|next| next.duration_since(at(NOON)).as_secs())
    };
    assert_eq!([1, 2, 3, 20].map(|n| wait(n, None)), [10, 20, 40, 3600].map(Some));
    assert_eq!(wait(80, None), None);
    assert_eq!((wait(1, Some(300)), wait(1, Some(1))), (Some(300), Some(10)));
    assert_eq!(wait(1, Some(u64::MAX)), Some(6 * 3600));
    assert!(is_due(at(NOON), at(NOON)) && !is_due(at(NOON) + seconds(1), at(NOON)));
    assert!(is_due(at("2027-01-01T00:00:00Z"), at(NOON)), "the clock was set back since");
}

pub(super) fn begun(new: &NewEpisode, noted_at: Timestamp) -> Episode {
    Episode {
        uuid: new.uuid,
        device: new.device,
        kind: new.kind,
        begin_untold: Some(noted_at),
        open: true,
        end_untold: None,
    }
}
