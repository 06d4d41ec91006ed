//! Which tunnel of a device counts, and when two processes share a certificate.
//!
//! The newest tunnel replaces the one before: it is mostly the same device, whose old connection is
//! dead and does not know it yet. A process that comes back after another one replaced it is a second
//! one with the same certificate. Once that happened some times in a row, whoever has the tunnel keeps
//! it and the other one is refused, so that the device stays reachable while somebody looks.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// So many returns in a row are a conflict.
const RETURNS: i32 = 3;

/// Returns that far apart are in a row.
const IN_A_ROW: SignedDuration = SignedDuration::from_secs(150);

/// After that time without a word of its server nobody has the tunnel.
pub const TUNNEL_FORGOTTEN: SignedDuration = SignedDuration::from_secs(90);

/// What is known of a device's tunnels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TunnelPast {
    /// Whether a server has the tunnel.
    pub is_held: bool,
    /// The run of the device's program that has or had it.
    pub instance: Uuid,
    /// The one before.
    pub earlier: Option<Uuid>,
    /// How often a run that had been replaced came back, in a row.
    pub returns: i32,
    /// When that was last.
    pub returned_at: Option<Timestamp>,
}

/// The verdict on a new tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelVerdict {
    /// It replaces the one before; what is known then.
    Replaces(TunnelPast),
    /// It is refused; what is known then.
    Conflicts(TunnelPast),
}

/// Judges a new tunnel of the run `instance`.
#[must_use]
pub fn judge_tunnel(past: Option<TunnelPast>, instance: Uuid, now: Timestamp) -> TunnelVerdict {
    let Some(past) = past else {
        return TunnelVerdict::Replaces(TunnelPast {
            is_held: true,
            instance,
            earlier: None,
            returns: 0,
            returned_at: None,
        });
    };
    if past.instance == instance {
        return TunnelVerdict::Replaces(TunnelPast { is_held: true, ..past });
    }
    let in_a_row = past.returned_at.is_some_and(|at| now.duration_since(at) <= IN_A_ROW);
    let is_return = past.earlier == Some(instance);
    let returns = match (is_return, in_a_row) {
        (true, true) => past.returns.saturating_add(1),
        (true, false) => 1,
        (false, _) => 0,
    };
    let returned_at = if is_return { Some(now) } else { past.returned_at };
    if past.is_held && returns > RETURNS {
        return TunnelVerdict::Conflicts(TunnelPast { returns, returned_at, ..past });
    }
    let earlier = Some(past.instance);
    TunnelVerdict::Replaces(TunnelPast { is_held: true, instance, earlier, returns, returned_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn replaced(verdict: TunnelVerdict) -> TunnelPast {
        match verdict {
            TunnelVerdict::Replaces(past) => past,
            TunnelVerdict::Conflicts(_) => panic!("a conflict"),
        }
    }

    #[test]
    fn restarts_and_reconnections_are_no_conflict() {
        let mut past = None;
        for run in 0..20 {
            for second in 0..5 {
                let verdict = judge_tunnel(past, Uuid::from_u128(run), at(second));
                past = Some(replaced(verdict));
            }
        }
        assert_eq!(past.unwrap().returns, 0);
    }

    #[test]
    fn two_processes_in_turn_are_found_and_the_holder_stays() {
        let [one, two] = [1, 2].map(Uuid::from_u128);
        let mut past = Some(replaced(judge_tunnel(None, one, at(0))));
        let mut second = 0;
        let found = loop {
            second += 5;
            let next = if past.unwrap().instance == one { two } else { one };
            match judge_tunnel(past, next, at(second)) {
                TunnelVerdict::Replaces(now) => past = Some(now),
                TunnelVerdict::Conflicts(now) => break now,
            }
        };
        assert!(second <= 60, "found after {second} s");
        assert_eq!(found.instance, past.unwrap().instance);
        // It goes on while the other one comes back each minute, and ends with it.
        let other = if found.instance == one { two } else { one };
        let again = judge_tunnel(Some(found), other, at(second + 75));
        assert!(matches!(again, TunnelVerdict::Conflicts(_)));
        let later = judge_tunnel(Some(found), other, at(second + 3_600));
        assert!(matches!(later, TunnelVerdict::Replaces(_)));
        // Where nobody has it, whoever comes gets it.
        let gone = TunnelPast { is_held: false, ..found };
        assert!(matches!(
            judge_tunnel(Some(gone), other, at(second + 1)),
            TunnelVerdict::Replaces(_)
        ));
    }
}
