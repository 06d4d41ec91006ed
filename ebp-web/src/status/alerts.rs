//! Alerts: by which rules devices are watched, how messages are sent, and what was sent.

use askama::Template;
use ebp_core::contract::{
    AlertChange, AlertChannel, AlertDelivery, AlertItem, AlertKind, AlertMessage, AlertMessageKind,
    AlertRules, ChangedRules, DeliveryState,
};
use ebp_survey::AlertCounts;
use rust_decimal::Decimal;

use super::brief::{brief, short};
use crate::kit::{
    frame::Frame,
    language::{Argument, Language},
};

/// Messages on a page.
pub const PAGE: usize = 20;

/// Seconds of the units in which rules are shown.
const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// What is known of alerts.
pub struct AlertFacts {
    /// The rules.
    pub rules: AlertRules,
    /// How they were changed, the latest first.
    pub history: Vec<ChangedRules>,
    /// What is wrong now, and what waits to be sent.
    pub counts: AlertCounts,
    /// Messages, the latest first.
    pub messages: Vec<AlertMessage>,
    /// Where the older ones are.
    pub older: Option<String>,
    /// Whether these are not the latest.
    pub is_older: bool,
}

/// The rules' form, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleDraft {
    /// Minutes without a report; empty for no rule.
    pub silent: String,
    /// Minutes without a measurement.
    pub late: String,
    /// Minutes that an incident is open.
    pub incident: String,
    /// Days to a certificate's end.
    pub certificate: String,
    /// Damaged telegrams, percent.
    pub damaged: String,
    /// From when nothing is sent.
    pub quiet_from: String,
    /// Until when.
    pub quiet_to: String,
    /// When what changed in that time is told.
    pub digest: String,
}

impl RuleDraft {
    /// Rules as the form shows them.
    #[must_use]
    pub fn of_rules(rules: &AlertRules) -> Self {
        let unit = |value: Option<u64>, unit: u64| {
            // A configuration may give seconds: they are shown as decimals.
            let shown =
                |value| (Decimal::from(value) / Decimal::from(unit)).round_dp(2).normalize();
            value.map(|value| shown(value).to_string()).unwrap_or_default()
        };
        let quiet = rules.quiet_hours.clone();
        let quiet = quiet.map(|quiet| [quiet.from, quiet.to, quiet.digest]).unwrap_or_default();
        let [quiet_from, quiet_to, digest] = quiet;
        Self {
            silent: unit(rules.silent, MINUTE),
            late: unit(rules.late, MINUTE),
            incident: unit(rules.incident, MINUTE),
            certificate: unit(rules.certificate, DAY),
            damaged: rules.damaged_percent.map(|it| it.to_string()).unwrap_or_default(),
            quiet_from,
            quiet_to,
            digest,
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "status/alerts.html")]
pub struct AlertsPage {
    frame: Frame,
    done: Option<String>,
    is_enabled: bool,
    heartbeat: String,
    open: Vec<(String, u64)>,
    pending: Option<String>,
    failing: Vec<String>,
    rules: Vec<(String, String)>,
    quiet: String,
    history: Vec<String>,
    channels: Vec<(String, String)>,
    messages: Vec<MessageView>,
    older: Option<String>,
    is_older: bool,
}

struct MessageView {
    kind: String,
    made: String,
    summary: String,
    items: Vec<ItemView>,
    more: Option<String>,
    deliveries: Vec<String>,
}

struct ItemView {
    device: String,
    short: String,
    what: String,
    when: String,
}

impl AlertsPage {
    /// Of what is known; `done` says what was just done.
    #[must_use]
    pub fn new(frame: Frame, facts: &AlertFacts, done: Option<String>) -> Self {
        let AlertFacts { rules, history, counts, messages, older, is_older } = facts;
        let language = frame.language();
        let open = counts.open.iter().filter(|(_, count)| *count > 0);
        let failing = rules.channels.iter().filter_map(|channel| {
            let last = last_delivery(messages, *channel)?;
            let error = last.error.as_ref()?;
            let is_failing = match last.state {
                DeliveryState::Pending => last.attempts > 0,
                DeliveryState::GivenUp => true,
                DeliveryState::Sent | DeliveryState::Dropped => false,
            };
            is_failing.then(|| {
                language.say_with(
                    "alerts-failing",
                    [
                        ("channel", channel_name(language, *channel).into()),
                        ("error", error.as_str().into()),
                    ],
                )
            })
        });
        Self {
            done,
            is_enabled: rules.enabled,
            heartbeat: match rules.heartbeat {
                true => frame.say("alerts-heartbeat"),
                false => frame.say("alerts-no-heartbeat"),
            },
            open: open.map(|(kind, count)| (kind_name(language, *kind), *count)).collect(),
            pending: (counts.pending > 0)
                .then(|| frame.say_one("alerts-pending", "count", counts.pending)),
            failing: failing.collect(),
            rules: describe_rules(&frame, rules),
            quiet: describe_quiet(&frame, rules),
            history: history.iter().map(|changed| change_view(&frame, changed)).collect(),
            channels: rules
                .channels
                .iter()
                .map(|channel| channel_state(&frame, messages, *channel))
                .collect(),
            messages: messages.iter().map(|message| message_view(&frame, message)).collect(),
            older: older.clone(),
            is_older: *is_older,
            frame,
        }
    }
}

/// What an alert is about.
#[must_use]
pub fn kind_name(language: Language, kind: AlertKind) -> String {
    match kind {
        AlertKind::Silent => language.say("alert-silent"),
        AlertKind::Late => language.say("alert-late"),
        AlertKind::Incident => language.say("alert-incident"),
        AlertKind::Certificate => language.say("alert-certificate"),
        AlertKind::Damaged => language.say("alert-damaged"),
        AlertKind::CopiedCertificate => language.say("alert-copied-certificate"),
        AlertKind::NewError => language.say("alert-new-error"),
    }
}

fn channel_name(language: Language, channel: AlertChannel) -> String {
    match channel {
        AlertChannel::Webhook => language.say("channel-webhook"),
        AlertChannel::Mail => language.say("channel-mail"),
    }
}

fn delivery_state(language: Language, state: DeliveryState) -> String {
    match state {
        DeliveryState::Pending => language.say("delivery-pending"),
        DeliveryState::Sent => language.say("delivery-sent"),
        DeliveryState::GivenUp => language.say("delivery-given-up"),
        DeliveryState::Dropped => language.say("delivery-dropped"),
    }
}

/// The delivery by that channel of the latest message that has one.
fn last_delivery(messages: &[AlertMessage], channel: AlertChannel) -> Option<&AlertDelivery> {
    let mut deliveries = messages.iter().flat_map(|message| &message.deliveries);
    deliveries.find(|delivery| delivery.channel == channel)
}

/// A length of time in the largest unit that is whole; with seconds, in several.
fn length(frame: &Frame, seconds: u64) -> String {
    const UNITS: [(&str, u64); 3] = [
        (/* text */ "length-days", DAY),
        (/* text */ "length-hours", 60 * MINUTE),
        (/* text */ "length-minutes", MINUTE),
    ];
    let whole = UNITS.iter().find(|(_, unit)| seconds.is_multiple_of(*unit));
    if let Some((name, unit)) = whole {
        return frame.say_one(name, "count", seconds / unit);
    }
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, unit) in UNITS.into_iter().chain([(/* text */ "length-seconds", 1)]) {
        if rest >= unit {
            parts.push(frame.say_one(name, "count", rest / unit));
        }
        rest %= unit;
    }
    parts.join(" ")
}

fn describe_rules(frame: &Frame, rules: &AlertRules) -> Vec<(String, String)> {
    let language = frame.language();
    let span = |value: Option<u64>, id: &str| match value {
        Some(seconds) => frame.say_one(id, "length", length(frame, seconds)),
        None => frame.say("rule-off"),
    };
    let damaged = match rules.damaged_percent {
        Some(percent) => frame.say_one("rule-damaged", "percent", percent.to_string()),
        None => frame.say("rule-off"),
    };
    vec![
        (kind_name(language, AlertKind::Silent), span(rules.silent, /* text */ "rule-silent")),
        (kind_name(language, AlertKind::Late), span(rules.late, /* text */ "rule-late")),
        (
            kind_name(language, AlertKind::Incident),
            span(rules.incident, /* text */ "rule-incident"),
        ),
        (
            kind_name(language, AlertKind::Certificate),
            span(rules.certificate, /* text */ "rule-certificate"),
        ),
        (kind_name(language, AlertKind::Damaged), damaged),
        (kind_name(language, AlertKind::CopiedCertificate), frame.say("rule-copied-certificate")),
        (kind_name(language, AlertKind::NewError), frame.say("rule-new-error")),
    ]
}

fn describe_quiet(frame: &Frame, rules: &AlertRules) -> String {
    let Some(quiet) = &rules.quiet_hours else { return frame.say("quiet-none") };
    let text = |text: &String| Argument::from(text.as_str());
    frame.language().say_with(
        "quiet-hours",
        [
            ("from", text(&quiet.from)),
            ("to", text(&quiet.to)),
            ("digest", text(&quiet.digest)),
            ("zone", text(&quiet.zone)),
        ],
    )
}

fn change_view(frame: &Frame, changed: &ChangedRules) -> String {
    let time = frame.moments.instant(changed.changed_at, frame.now);
    frame
        .language()
        .say_with("rule-history", [("version", changed.version.into()), ("time", time.into())])
}

fn channel_state(
    frame: &Frame,
    messages: &[AlertMessage],
    channel: AlertChannel,
) -> (String, String) {
    let language = frame.language();
    let state = match last_delivery(messages, channel) {
        Some(last) => delivery_state(language, last.state),
        None => frame.say("delivery-none"),
    };
    (channel_name(language, channel), state)
}

fn message_view(frame: &Frame, message: &AlertMessage) -> MessageView {
    let language = frame.language();
    let began = frame.say_one("alerts-began", "count", message.began);
    let ended = frame.say_one("alerts-ended", "count", message.ended);
    let summary: Vec<String> = [(message.began, began), (message.ended, ended)]
        .into_iter()
        .filter_map(|(count, text)| (count > 0).then_some(text))
        .collect();
    let more = (message.began + message.ended).saturating_sub(message.items.len() as u64);
    let item = |item: &AlertItem| ItemView {
        device: item.device.to_string(),
        short: short(item.device),
        what: match item.change {
            AlertChange::Began => kind_name(language, item.kind),
            AlertChange::Ended => {
                frame.say_one("alert-over", "kind", kind_name(language, item.kind))
            }
        },
        when: brief(frame, item.at),
    };
    MessageView {
        kind: match message.kind {
            AlertMessageKind::Changes => frame.say("message-changes"),
            AlertMessageKind::Digest => frame.say("message-digest"),
            AlertMessageKind::Test => frame.say("message-test"),
        },
        made: brief(frame, message.created_at),
        summary: summary.join(", "),
        items: message.items.iter().map(item).collect(),
        more: (more > 0).then(|| frame.say_one("alerts-more", "count", more)),
        deliveries: message.deliveries.iter().map(|it| delivery_view(language, it)).collect(),
    }
}

fn delivery_view(language: Language, delivery: &AlertDelivery) -> String {
    let mut text = language.say_with(
        "delivery",
        [
            ("channel", channel_name(language, delivery.channel).into()),
            ("state", delivery_state(language, delivery.state).into()),
            ("count", u64::from(delivery.attempts).into()),
        ],
    );
    if let Some(error) = &delivery.error {
        text = format!("{text}: {error}");
    }
    text
}

/// The form of the rules.
#[derive(Template)]
#[template(path = "status/rules.html")]
pub struct RulesPage {
    frame: Frame,
    /// The version that is changed.
    version: u64,
    draft: RuleDraft,
    zone: String,
    faults: Vec<String>,
    /// The rules as somebody else has made them meanwhile.
    others: Vec<(String, String)>,
}

impl RulesPage {
    /// With what was typed and what is wrong with it. `is_changed` if somebody else changed the rules
    /// meanwhile: theirs are shown beside.
    #[must_use]
    pub fn new(
        frame: Frame,
        rules: &AlertRules,
        version: u64,
        draft: RuleDraft,
        faults: Vec<String>,
        is_changed: bool,
    ) -> Self {
        let mut others = Vec::new();
        if is_changed {
            others = describe_rules(&frame, rules);
            others.push((frame.say("rules-quiet"), describe_quiet(&frame, rules)));
        }
        let zone = rules.quiet_hours.as_ref().map(|quiet| quiet.zone.clone());
        let zone = zone.unwrap_or_else(|| "Europe/Berlin".to_owned());
        Self { frame, version, draft, zone, faults, others }
    }
}
