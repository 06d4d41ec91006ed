//! What a device's page says of its last status, its certificates and its tunnel.

use ebp_core::contract::{
    ClockState, ManagedDevice, Notice, Tunnel, TunnelSession, TunnelSessionEnd,
};
use ebp_survey::RegisterEntry;
use rust_decimal::Decimal;

use super::brief::{brief, short};
use crate::kit::{chart::escape, frame::Frame, number};

pub(super) struct CertificateView {
    pub(super) serial: String,
    pub(super) scopes: String,
    pub(super) from: String,
    pub(super) until: String,
    /// When it was revoked or ended; empty while it is valid.
    pub(super) ended: String,
    pub(super) is_valid: bool,
}

pub(super) struct SessionView {
    pub(super) who: String,
    pub(super) service: String,
    pub(super) began: String,
    pub(super) ended: String,
    pub(super) bytes: String,
    /// By what it can be ended; empty once it has ended.
    pub(super) open: String,
}

pub(super) fn health(frame: &Frame, device: &ManagedDevice) -> Vec<(String, String)> {
    let language = frame.language();
    let whole = |value: u64| number::number(language, Decimal::from(value), 0);
    let Some(health) = &device.health else { return Vec::new() };
    let mut facts = vec![(frame.say("health-reported"), frame.when(health.reported_at))];
    if let Some(clock) = health.clock {
        let clock = match clock {
            ClockState::Synchronised => frame.say("clock-synchronised"),
            ClockState::Unsynchronised => frame.say("clock-unsynchronised"),
        };
        facts.push((frame.say("health-clock"), clock));
    }
    if let Some(spool) = health.spool {
        facts.push((frame.say("spool-pending"), whole(spool.pending)));
        facts.push((frame.say("spool-refused"), whole(spool.refused)));
        facts.push((frame.say("spool-unplaced"), whole(spool.unplaced)));
        facts.push((frame.say("spool-size"), whole(spool.bytes.div_ceil(1_000))));
    }
    for meter in &health.meters {
        let damaged =
            meter.damaged_share.map(|share| format!(" ({})", number::percent(language, share)));
        facts.push((
            frame.say_one("health-telegrams", "meter", short(meter.meter)),
            format!(
                "{} / {}{}",
                whole(meter.damaged),
                whole(meter.telegrams),
                damaged.unwrap_or_default()
            ),
        ));
    }
    for notice in &health.notices {
        let notice = match notice {
            Notice::SpoolSetAside => frame.say("notice-set-aside"),
            Notice::SpoolFull => frame.say("notice-full"),
            Notice::SpoolDamaged => frame.say("notice-damaged"),
        };
        facts.push((frame.say("health-notice"), notice));
    }
    facts
}

pub(super) fn certificate(frame: &Frame, entry: &RegisterEntry) -> CertificateView {
    let is_over = entry.not_after <= frame.now;
    let ended = match entry.revoked_at {
        Some(at) => format!("{} {}", escape(&frame.say("certificate-revoked")), brief(frame, at)),
        None if is_over => escape(&frame.say("certificate-ended")),
        None => String::new(),
    };
    CertificateView {
        serial: entry.serial.to_string(),
        scopes: entry.scopes.to_string(),
        from: brief(frame, entry.not_before),
        until: brief(frame, entry.not_after),
        is_valid: ended.is_empty(),
        ended,
    }
}

pub(super) fn tunnel_view(frame: &Frame, tunnel: &Tunnel) -> Vec<(String, String)> {
    let state = match tunnel.connected {
        true => frame.say("tunnel-connected"),
        false => frame.say("tunnel-away"),
    };
    let mut facts = vec![
        (frame.say("tunnel-state"), escape(&state)),
        (frame.say("tunnel-since"), frame.when(tunnel.since)),
        (frame.say("tunnel-seen"), frame.when(tunnel.seen_at)),
        (frame.say("column-version"), escape(&tunnel.version)),
    ];
    if let Some(at) = tunnel.conflict_at {
        facts.push((frame.say("tunnel-copied"), frame.when(at)));
    }
    facts
}

pub(super) fn session_view(frame: &Frame, session: &TunnelSession) -> SessionView {
    let end = session.end.map(|end| match end {
        TunnelSessionEnd::Closed => frame.say("session-closed"),
        TunnelSessionEnd::Broken => frame.say("session-broken"),
        TunnelSessionEnd::Idle => frame.say("session-idle"),
        TunnelSessionEnd::TooLong => frame.say("session-too-long"),
        TunnelSessionEnd::Revoked => frame.say("session-revoked"),
        TunnelSessionEnd::Stopped => frame.say("session-stopped"),
    });
    let ended = match session.ended_at {
        Some(at) => format!("{} {}", brief(frame, at), escape(&end.unwrap_or_default())),
        None => escape(&frame.say("session-open")),
    };
    let kilobytes = (session.bytes_to_device + session.bytes_from_device).div_ceil(1_000);
    SessionView {
        who: session.administrator.clone(),
        service: session.service.clone(),
        began: brief(frame, session.began_at),
        ended,
        bytes: number::number(frame.language(), Decimal::from(kilobytes), 0),
        open: session.ended_at.map_or_else(|| session.uuid.to_string(), |_| String::new()),
    }
}
