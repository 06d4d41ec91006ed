//! Alerts: shown, tested, and their rules changed.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use ebp_core::contract::{AlertRuleSet, AlertRules};
use ebp_survey::{AlertRuleError, GroupCaller, StoreError, SurveyError};

use super::address::{done, until, up_to};
use crate::{
    cloud::{Administrator, AdministratorForm, CloudWeb, Visitor},
    kit::frame::SwitchForm,
    status::alerts::{AlertFacts, AlertsPage, PAGE, RuleDraft, RulesPage},
};

/// Where the page is.
const ALERTS: &str = "/status/alerts";
/// What `do` says to show what is typed, and to save nothing.
const SHOW: &str = "show";
/// The same with what is wrong.
const CHECK: &str = "check";
/// The same with what somebody else changed.
const CONFLICT: &str = "conflict";
/// Versions of the rules that are listed.
const HISTORY: usize = 10;

/// `GET /status/alerts`.
pub async fn show(
    State(web): State<Arc<CloudWeb>>,
    Administrator { visitor, caller }: Administrator,
) -> Response {
    match gather(&web, &visitor, &caller).await {
        Ok(facts) => {
            let language = visitor.language();
            let done = visitor.preferences.get("done").and_then(|done| match done {
                "test" => Some(language.say("alerts-test-sent")),
                "rules" => Some(language.say("rules-saved")),
                _ => None,
            });
            let frame = visitor.frame(language.say("alerts-title"));
            visitor.show(&AlertsPage::new(frame, &facts, done))
        }
        Err(error) => visitor.fail(error),
    }
}

async fn gather(
    web: &CloudWeb,
    visitor: &Visitor,
    caller: &GroupCaller,
) -> Result<AlertFacts, SurveyError> {
    let until = until(&visitor.preferences);
    let page = caller.latest_alerts(until, PAGE).await?;
    Ok(AlertFacts {
        rules: caller.alert_rules(&*web.server).await?,
        history: caller.rule_history(HISTORY).await?,
        counts: caller.alert_counts().await?,
        messages: page.items,
        older: page.older.map(|place| up_to(ALERTS, place)),
        is_older: until.is_some(),
    })
}

/// `POST /status/alerts/test`.
pub async fn test(
    State(web): State<Arc<CloudWeb>>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    match caller.test_alerts(&*web.server).await {
        Ok(_) => done(ALERTS, "test"),
        Err(error) => visitor.fail(error),
    }
}

/// `GET /status/alerts/rules`.
pub async fn show_rules(
    State(web): State<Arc<CloudWeb>>,
    Administrator { visitor, caller }: Administrator,
) -> Response {
    match caller.alert_rules(&*web.server).await {
        Ok(rules) => {
            let draft = RuleDraft::of_rules(&rules);
            form(&visitor, StatusCode::OK, &rules, rules.version, draft, Vec::new(), false)
        }
        Err(error) => visitor.fail(error),
    }
}

fn form(
    visitor: &Visitor,
    status: StatusCode,
    rules: &AlertRules,
    version: u64,
    draft: RuleDraft,
    faults: Vec<String>,
    is_changed: bool,
) -> Response {
    let switch = SwitchForm {
        id: "rules",
        action: format!("{ALERTS}/rules"),
        asks: match (is_changed, faults.is_empty()) {
            (true, _) => CONFLICT,
            (false, false) => CHECK,
            (false, true) => SHOW,
        },
        enter: ("", ""),
    };
    let frame = visitor.frame(visitor.language().say("rules-change-title")).switched_by(switch);
    visitor.show_with(status, &RulesPage::new(frame, rules, version, draft, faults, is_changed))
}

/// `POST /status/alerts/rules`: for the version that the form was made of.
pub async fn change_rules(
    State(web): State<Arc<CloudWeb>>,
    AdministratorForm { visitor, caller, fields }: AdministratorForm,
) -> Response {
    let held = match caller.alert_rules(&*web.server).await {
        Ok(held) => held,
        Err(error) => return visitor.fail(error),
    };
    let draft = RuleDraft::read(&fields);
    let version = fields.get("version").parse().unwrap_or(u64::MAX);
    let language = visitor.language();
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let rules = match draft.rules(language, &held) {
        // The language was switched: what was said is said again.
        _ if fields.get("do") == SHOW => {
            return form(&visitor, StatusCode::OK, &held, version, draft, Vec::new(), false);
        }
        _ if fields.get("do") == CONFLICT => {
            let faults = vec![language.say("rules-changed")];
            return form(&visitor, StatusCode::OK, &held, version, draft, faults, true);
        }
        Ok(_) if fields.get("do") == CHECK => {
            let faults = vec![language.say("rules-fault-quiet")];
            return form(&visitor, StatusCode::OK, &held, version, draft, faults, false);
        }
        Ok(rules) => rules,
        Err(faults) => return form(&visitor, unprocessable, &held, version, draft, faults, false),
    };
    match change(&caller, rules, version).await {
        Ok(()) => done(ALERTS, "rules"),
        // The form is offered again for the version of now, beside what that is.
        Err(RuleFailure::Changed) => {
            let faults = vec![language.say("rules-changed")];
            let status = StatusCode::PRECONDITION_FAILED;
            form(&visitor, status, &held, held.version, draft, faults, true)
        }
        Err(RuleFailure::Invalid) => {
            let faults = vec![language.say("rules-fault-quiet")];
            form(&visitor, unprocessable, &held, version, draft, faults, false)
        }
        Err(RuleFailure::Other(error)) => visitor.fail(error),
    }
}

/// Why rules are not changed, as far as the page tells it apart.
enum RuleFailure {
    Changed,
    Invalid,
    Other(SurveyError),
}

async fn change(
    caller: &GroupCaller,
    rules: AlertRuleSet,
    version: u64,
) -> Result<(), RuleFailure> {
    let changed = caller.change_alert_rules(rules, version).await.map_err(RuleFailure::Other)?;
    changed.map(drop).map_err(|error| match error {
        AlertRuleError::Store(StoreError::Changed) => RuleFailure::Changed,
        AlertRuleError::Store(error) => RuleFailure::Other(error.into()),
        // The lengths were checked: it is the quiet hours.
        AlertRuleError::Invalid(_) => RuleFailure::Invalid,
    })
}
