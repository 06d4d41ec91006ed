//! Contradictions in how a model is unlocked and kept so.

use ebp_core::phrase::counted_as;

use super::refusal::{Checked, at, refuse};
use crate::profile::{Blocking, Interval, Pin, Profile, Relock, RelockBehaviour, pin::is_assumed};

pub(super) fn pin(pin: &Pin) -> Checked {
    let between_wake = pin.between_wake.iter().map(|interval| ("between_wake", interval));
    let intervals: [(&'static str, &Interval); 5] = [
        ("short_press", &pin.short_press),
        ("long_press", &pin.long_press),
        ("between_presses", &pin.between_presses),
        ("after_wake", &pin.after_wake),
        ("next_digit", &pin.next_digit),
    ];
    for (key, interval) in intervals.into_iter().chain(between_wake) {
        let [shortest, longest] = interval.accept_ms;
        if shortest >= longest {
            return refuse(
                at!["pin", key, "accept_ms"],
                format!("{shortest} to {longest} ms is no range"),
            );
        }
        let sent = [("send_ms", interval.send_ms), ("slower_ms", interval.slower_ms)];
        for (which, length) in sent {
            if !(shortest..=longest).contains(&length) {
                return refuse(
                    at!["pin", key, which],
                    format!(
                        "{length} ms is not within the {shortest} to {longest} ms that the meter takes"
                    ),
                );
            }
        }
        if interval.slower_ms < interval.send_ms {
            return refuse(at!["pin", key, "slower_ms"], "the slower attempt is faster");
        }
    }
    let apart = |short: &Interval, long: &Interval| short.accept_ms[1] <= long.accept_ms[0];
    if !apart(&pin.short_press, &pin.long_press) {
        return refuse(
            at!["pin", "short_press", "accept_ms"],
            "the longest short press is longer than the shortest long press",
        );
    }
    if !apart(&pin.between_presses, &pin.next_digit) {
        return refuse(
            at!["pin", "between_presses", "accept_ms"],
            "the longest pause between presses is longer than the one that fixes a digit",
        );
    }
    let period = pin.next_digit.accept_ms[0];
    let longest_period = pin.period_to_ms.unwrap_or(period).max(period);
    if pin.next_digit.accept_ms[1] >= longest_period.saturating_mul(2)
        || pin.next_digit.slower_ms >= period.saturating_mul(2)
    {
        return refuse(
            at!["pin", "next_digit", "accept_ms"],
            "a pause of twice the shortest that fixes a digit sets a zero too many",
        );
    }
    let [first, last] = pin.after_wake.accept_ms;
    if first < pin.display_test_ms {
        return refuse(
            at!["pin", "after_wake", "accept_ms"],
            "a press during the display test counts for no digit",
        );
    }
    if last > pin.display_test_ms.saturating_add(pin.next_digit.accept_ms[0]) {
        return refuse(
            at!["pin", "after_wake", "accept_ms"],
            "the longest pause after waking is longer than the one that fixes a digit",
        );
    }
    if pin.next_digit.accept_ms[1] > pin.return_to_normal_s.saturating_mul(1000) {
        return refuse(
            at!["pin", "return_to_normal_s"],
            "the meter returns to normal before a digit is fixed",
        );
    }
    if !(1..=8).contains(&pin.digits) {
        return refuse(at!["pin", "digits"], "a PIN has 1 to 8 digits");
    }
    if pin.wake_presses == 0 {
        return refuse(
            at!["pin", "wake_presses"],
            "without a press the display asks for nothing: wake_presses is at least 1",
        );
    }
    if pin.tries == 0 {
        return refuse(at!["pin", "tries"], "a meter that allows no try cannot be unlocked");
    }
    if pin.stop_at == 0 || pin.stop_at >= pin.tries.max(2) {
        return refuse(
            at!["pin", "stop_at"],
            format!(
                "stop_at must be at least 1 and below the {} allowed",
                counted_as(pin.tries, "try", "tries")
            ),
        );
    }
    let source = pin.tries_source.as_deref();
    if pin.blocks != Blocking::Unknown && source.is_none_or(is_assumed) {
        return refuse(
            at!["pin", "blocks"],
            "blocks needs tries_source, which names the source. Leave it out without a source",
        );
    }
    match &pin.menu {
        Some(menu) if menu.pin_presses == Some(menu.inf_presses) => {
            refuse(at!["pin", "menu", "pin_presses"], "InF and PIN cannot be at the same place")
        }
        _ => Ok(()),
    }
}

pub(super) fn relock(profile: &Profile, relock: &Relock) -> Checked {
    match (relock.behaviour, relock.keep_alive_s) {
        (RelockBehaviour::KeepAlive, None) => {
            refuse(at!["relock"], "behaviour keep_alive needs keep_alive_s")
        }
        (RelockBehaviour::KeepAlive | RelockBehaviour::Permanent, Some(seconds))
            if !is_in_time(profile, seconds) =>
        {
            let limit = open_s(profile);
            refuse(
                at!["relock", "keep_alive_s"],
                format!(
                    "a press every {seconds} s does not keep a meter awake that returns to normal after {limit} s"
                ),
            )
        }
        (RelockBehaviour::KeepAlive, Some(_)) => Ok(()),
        (RelockBehaviour::PerReading, Some(_)) => refuse(
            at!["relock", "keep_alive_s"],
            "keep_alive_s belongs to behaviour keep_alive or permanent",
        ),
        (RelockBehaviour::Permanent, _) => {
            let menu = profile.pin.as_ref().and_then(|pin| pin.menu.as_ref());
            if menu.is_some() {
                Ok(())
            } else {
                refuse(at!["relock", "behaviour"], "permanent needs [pin.menu]: the way to InF")
            }
        }
        (RelockBehaviour::PerReading, None) => Ok(()),
    }
}

/// How long the list stays open without a press, seconds.
fn open_s(profile: &Profile) -> u32 {
    profile.pin.as_ref().map_or(u32::MAX, |pin| pin.return_to_normal_s)
}

fn is_in_time(profile: &Profile, seconds: u32) -> bool {
    (1..open_s(profile)).contains(&seconds)
}
