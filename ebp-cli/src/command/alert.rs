//! `ebp alert`: what administrators are told of devices, over the Data API.
//!
//! Enters: which messages to show, other rules, or that sending is to be tested. Leaves: messages, rules.
//! Absent: watching and sending, which a server does.

mod change;

use std::time::{Duration, Instant};

use clap::Subcommand;
use ebp_client::{ClientError, Manager};
use ebp_core::{
    contract::{AlertMessage, DeliveryState},
    scope::Group,
};

use super::{
    group_api::{self, GroupApi},
    heading::OUTPUT,
};
use crate::{
    exit::{CommandResult, Failure},
    output::{Format, list},
    stdout::{print, print_json},
    tell::tell,
};

/// Between two looks at a test that is waited for.
const LOOK: Duration = Duration::from_millis(500);

/// How long a test is waited for by default, seconds.
const PATIENCE: u64 = 90;

/// See what administrators were told of devices, and test how.
///
/// A server with `[alerts]` in its configuration watches all devices and tells administrators, by
/// webhook and by mail, when one is in trouble and when that is over.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    api: GroupApi,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List messages, in the order in which they were made.
    List {
        /// How they are printed; JSON is one object a line, with the first ten changes of each.
        #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
        format: Format,
    },
    /// Show a message with its first hundred changes, as JSON.
    Show {
        /// The message.
        message: uuid::Uuid,
    },
    /// Show by which rules the server tells of devices, as JSON.
    Rules,
    /// Change the rules, for all servers of the database; prints them as JSON.
    ///
    /// What you do not name stays as it is. The rules take the place of those in the servers'
    /// configuration, whose ways of sending stay.
    Change(change::Arguments),
    /// List the versions of the rules, the newest first.
    Changes {
        /// How they are printed.
        #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
        format: Format,
    },
    /// Send a test message by webhook and by mail, and wait until both are accepted.
    ///
    /// It is sent in quiet hours, too.
    Test {
        /// How long to wait, seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
        timeout: u64,
    },
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> CommandResult {
    let manager = arguments.api.connect(Group::Administrators)?;
    match &arguments.action {
        Action::List { format } => show_all(&manager, *format),
        Action::Show { message } => print_json(&explain(manager.alert(*message))?),
        Action::Rules => print_json(&explain(manager.alert_rules())?),
        Action::Change(arguments) => change::run(&manager, arguments),
        Action::Changes { format } => change::show_all(&manager, *format),
        Action::Test { timeout } => test(&manager, Duration::from_secs(*timeout)),
    }
}

/// The answer, or the refusal with its remedy.
fn explain<T>(answer: Result<T, ClientError>) -> Result<T, Failure> {
    answer.map_err(|error| match &error {
        ClientError::Problem { status: 404, .. } => Failure::failed(crate::exit::chain(&error))
            .remedy("`ebp alert list` shows the messages there are"),
        _ => group_api::refused(Group::Administrators, error),
    })
}

fn show_all(manager: &Manager, format: Format) -> CommandResult {
    let mut messages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = explain(manager.alerts(cursor.as_deref()))?;
        messages.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    print(list::list(format, HEADER, true, &messages, row)?)
}

fn test(manager: &Manager, patience: Duration) -> CommandResult {
    let rules = explain(manager.alert_rules())?;
    if rules.channels.is_empty() {
        return Err(Failure::failed("the server has neither a webhook nor a mail server")
            .remedy("set `webhook` or `mail_server` in [alerts] of its configuration"));
    }
    let mut message = explain(manager.test_alerts())?;
    tell!("ebp: waiting for message {}", message.uuid);
    let begun = Instant::now();
    while !is_over(&message) && begun.elapsed() < patience {
        std::thread::sleep(LOOK);
        message = explain(manager.alert(message.uuid))?;
    }
    print_json(&message)?;
    judge(&message)
}

/// Whether each delivery was accepted or has failed: a test is attempted once.
fn is_over(message: &AlertMessage) -> bool {
    message.deliveries.iter().all(|delivery| delivery.state != DeliveryState::Pending)
}

fn judge(message: &AlertMessage) -> CommandResult {
    for delivery in &message.deliveries {
        let channel = delivery.channel;
        match (delivery.state, &delivery.error) {
            (DeliveryState::Sent, _) => {}
            (_, Some(error)) => {
                return Err(Failure::failed(format!("the {channel} fails: {error}"))
                    .remedy("correct [alerts] in the server's configuration, or the receiver"));
            }
            (_, None) => {
                return Err(Failure::failed(format!("the {channel} was not attempted in time"))
                    .remedy("look whether a server with [alerts] in its configuration runs"));
            }
        }
    }
    Ok(())
}

const HEADER: [&str; 6] = ["message", "kind", "created_at", "began", "ended", "deliveries"];

fn row(message: &AlertMessage) -> [String; 6] {
    let deliveries = message.deliveries.iter().map(|delivery| {
        let state = format!("{} {}", delivery.channel, delivery.state);
        match &delivery.error {
            Some(error) => format!("{state} ({error})"),
            None => state,
        }
    });
    [
        message.uuid.to_string(),
        message.kind.to_string(),
        message.created_at.to_string(),
        message.began.to_string(),
        message.ended.to_string(),
        deliveries.collect::<Vec<_>>().join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use ebp_core::contract::{AlertChannel, AlertDelivery, AlertMessageKind};
    use uuid::Uuid;

    use super::*;

    fn message(deliveries: &[(AlertChannel, DeliveryState, u32, Option<&str>)]) -> AlertMessage {
        let at: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let delivery =
            |&(channel, state, attempts, error): &(_, _, _, Option<&str>)| AlertDelivery {
                channel,
                state,
                attempts,
                next_at: at,
                ended_at: None,
                error: error.map(str::to_owned),
            };
        AlertMessage {
            uuid: Uuid::nil(),
            kind: AlertMessageKind::Test,
            created_at: at,
            began: 0,
            ended: 0,
            items: Vec::new(),
            deliveries: deliveries.iter().map(delivery).collect(),
        }
    }

    #[test]
    fn a_test_succeeds_when_every_channel_has_accepted_it() {
        let (webhook, mail) = (AlertChannel::Webhook, AlertChannel::Mail);
        let sent = message(&[
            (webhook, DeliveryState::Sent, 1, None),
            (mail, DeliveryState::Sent, 2, None),
        ]);
        assert!(is_over(&sent) && judge(&sent).is_ok());
        assert_eq!(row(&sent)[5], "webhook sent, mail sent");
        let waits = message(&[(mail, DeliveryState::Pending, 0, None)]);
        assert!(!is_over(&waits));
        let failure = format!("{:?}", judge(&waits).unwrap_err());
        assert!(failure.contains("not attempted"), "{failure}");
        let failed = message(&[
            (webhook, DeliveryState::GivenUp, 1, Some("the answer is 500")),
            (mail, DeliveryState::Sent, 1, None),
        ]);
        assert!(is_over(&failed));
        let failure = format!("{:?}", judge(&failed).unwrap_err());
        assert!(failure.contains("webhook fails: the answer is 500"), "{failure}");
    }
}
