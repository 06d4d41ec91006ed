//! Messages as people read them in mails.

use ebp_core::{
    contract::{AlertChange, AlertItem, AlertKind, AlertMessageKind},
    phrase::counted,
};
use ebp_store::DueDelivery;

/// Devices that a mail lists.
pub const LISTED: usize = 200;

/// The subject: how many episodes of which kind.
pub fn subject(due: &DueDelivery) -> String {
    if due.kind == AlertMessageKind::Test {
        return "ebp: a test of alerts".to_owned();
    }
    let parts = [(due.began, "began"), (due.ended, "ended")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, change)| format!("{} {change}", counted(count, "episode")));
    let parts: Vec<String> = parts.collect();
    match due.kind {
        AlertMessageKind::Digest => format!("ebp: in quiet hours {}", parts.join(", ")),
        _ => format!("ebp: {}", parts.join(", ")),
    }
}

/// The text: what began and what ended, with the devices, and links to them where it is known where the
/// administrators' pages are.
pub fn body(due: &DueDelivery, pages: Option<&str>) -> String {
    if due.kind == AlertMessageKind::Test {
        return "Somebody asked for this mail to test how alerts are sent.\n".to_owned();
    }
    let mut text = String::new();
    for change in [AlertChange::Began, AlertChange::Ended] {
        for kind in AlertKind::ALL {
            let is_one = |item: &&AlertItem| item.kind == kind && item.change == change;
            let mut items = due.items.iter().filter(is_one).peekable();
            if items.peek().is_none() {
                continue;
            }
            text.push_str(&format!("{}:\n", heading(kind, change)));
            for item in items {
                text.push_str(&format!("  {}  since {}\n", item.device, item.at));
                if let Some(pages) = pages {
                    text.push_str(&format!("  {pages}/status/device/{}\n", item.device));
                }
                if let [holding, refused] = *item.instances {
                    text.push_str(&format!("    runs {holding} (has the tunnel) and {refused}\n"));
                }
            }
            text.push('\n');
        }
    }
    let left = (due.began + due.ended).saturating_sub(due.items.len() as u64);
    if left > 0 {
        text.push_str(&format!(
            "{} more: `ebp alert list` and the webhook's message have them.\n\n",
            counted(left, "change")
        ));
    }
    text.push_str(&format!("Message {}, made at {}.\n", due.message, due.created_at));
    text
}

fn heading(kind: AlertKind, change: AlertChange) -> &'static str {
    match (kind, change) {
        (AlertKind::Silent, AlertChange::Began) => "Devices that do not report",
        (AlertKind::Silent, AlertChange::Ended) => "Devices that report again",
        (AlertKind::Late, AlertChange::Began) => "Devices with a meter that is not measured",
        (AlertKind::Late, AlertChange::Ended) => "Devices whose meters are measured again",
        (AlertKind::Incident, AlertChange::Began) => "Devices with an open incident",
        (AlertKind::Incident, AlertChange::Ended) => "Devices without an open incident again",
        (AlertKind::Certificate, AlertChange::Began) => "Devices whose certificate ends soon",
        (AlertKind::Certificate, AlertChange::Ended) => "Devices with another certificate",
        (AlertKind::Damaged, AlertChange::Began) => "Devices that receive damaged telegrams",
        (AlertKind::Damaged, AlertChange::Ended) => "Devices that receive good telegrams again",
        (AlertKind::CopiedCertificate, AlertChange::Began) => {
            "Devices whose certificate two processes use: it was copied, revoke it"
        }
        (AlertKind::CopiedCertificate, AlertChange::Ended) => {
            "Devices whose certificate one process uses again"
        }
        (AlertKind::NewError, AlertChange::Began) => {
            "Devices with errors that no device had before: `ebp device errors` shows them"
        }
        (AlertKind::NewError, AlertChange::Ended) => "Devices whose errors are known for a day",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn due(kind: AlertMessageKind, items: &[(u128, AlertKind, AlertChange)]) -> DueDelivery {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let item = |&(n, kind, change): &(u128, AlertKind, AlertChange)| AlertItem {
            episode: Uuid::from_u128(n),
            device: Uuid::from_u128(n << 64),
            kind,
            change,
            at,
            instances: Vec::new(),
        };
        let count = |wanted| items.iter().filter(|(.., change)| *change == wanted).count() as u64;
        DueDelivery {
            message: Uuid::nil(),
            kind,
            created_at: at,
            channel: ebp_core::contract::AlertChannel::Mail,
            attempts: 0,
            items: items.iter().map(item).collect(),
            began: count(AlertChange::Began),
            ended: count(AlertChange::Ended),
        }
    }

    #[test]
    fn mails_say_what_began_and_what_ended() {
        let (began, ended) = (AlertChange::Began, AlertChange::Ended);
        let mut due = due(
            AlertMessageKind::Changes,
            &[(1, AlertKind::Late, began), (2, AlertKind::Silent, ended)],
        );
        assert_eq!(subject(&due), "ebp: 1 episode began, 1 episode ended");
        let expected = "Devices with a meter that is not measured:\n  \
                        00000000-0000-0001-0000-000000000000  since 2026-01-01T00:00:00Z\n\n\
                        Devices that report again:\n  \
                        00000000-0000-0002-0000-000000000000  since 2026-01-01T00:00:00Z\n\n\
                        Message 00000000-0000-0000-0000-000000000000, made at 2026-01-01T00:00:00Z.\n";
        assert_eq!(body(&due, None), expected);
        let linked = body(&due, Some("https://survey.example.org"));
        let link = "https://survey.example.org/status/device/00000000-0000-0002-0000-000000000000";
        assert!(linked.lines().any(|line| line.trim() == link), "{linked}");
        due.items[0].kind = AlertKind::CopiedCertificate;
        due.items[0].instances = vec![Uuid::from_u128(8), Uuid::from_u128(9)];
        let runs = "runs 00000000-0000-0000-0000-000000000008 (has the tunnel) and \
                    00000000-0000-0000-0000-000000000009\n";
        let told = body(&due, None);
        assert!(told.contains(runs), "{told}");
        (due.kind, due.began, due.ended) = (AlertMessageKind::Digest, 10_000, 0);
        assert_eq!(subject(&due), "ebp: in quiet hours 10000 episodes began");
        assert!(body(&due, None).contains("9998 changes more"));
        due.kind = AlertMessageKind::Test;
        assert!(subject(&due).contains("test") && body(&due, None).contains("test"));
    }
}
