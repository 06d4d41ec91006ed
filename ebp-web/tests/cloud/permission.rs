//! Which group may do what: each operation by each group, and each page by each session.

use std::sync::Arc;

use ebp_core::{
    contract::{WebSession, Withdrawal, WithdrawalChannel},
    model::Location,
    scope::Group,
};
use ebp_store::{Edit, HouseholdId, HouseholdQuery, ListQuery};
use ebp_survey::{GroupCaller, Operation, SurveyError};
use uuid::Uuid;

use crate::world::World;

fn caller(world: &World, group: Group) -> GroupCaller {
    let now = world.survey.clock().now();
    let session = WebSession {
        uuid: Uuid::nil(),
        group,
        label: None,
        browser: None,
        began_at: now,
        seen_at: now,
    };
    GroupCaller::of_session(Arc::clone(&world.survey), &session)
}

/// Does an operation with things that are not there. `None` where pages have no such operation.
async fn operate(caller: &GroupCaller, operation: Operation) -> Option<Result<(), SurveyError>> {
    let (household, nothing) = (HouseholdId(Uuid::nil()), Uuid::nil());
    let all = ListQuery { after: None, limit: 1 };
    let edit = async |edit| caller.edit(household, edit, None).await.map(drop);
    let system = || {
        serde_json::from_value(serde_json::json!({
        "nominal_power": 1, "azimuth": 1, "tilt": 1, "installed_on": "2020-01-01"}))
        .unwrap()
    };
    let meter = || {
        serde_json::from_value(serde_json::json!({
        "type": "ELECTRICITY", "model": "MT175"}))
        .unwrap()
    };
    Some(match operation {
        Operation::SearchHouseholds => {
            let query = HouseholdQuery { filter: Default::default(), after: None, limit: 1 };
            caller.search_households(query).await.map(drop)
        }
        Operation::RegisterHousehold => {
            caller.register(crate::world::registration(7), true).await.map(drop)
        }
        Operation::CheckRegistration => {
            caller.check_registration(crate::world::registration(8), true).await
        }
        Operation::ShowHousehold => caller.household(household).await.map(drop),
        Operation::ChangeHousehold => {
            caller.change_household(household, Default::default(), None).await.map(drop)
        }
        Operation::ListChanges => caller.changes(household, all).await.map(drop),
        Operation::RemoveHousehold => caller.remove_household(household, None).await,
        Operation::RecordWithdrawal => {
            let received_on = jiff::civil::date(2026, 1, 1);
            let withdrawal = Withdrawal { received_on, channel: WithdrawalChannel::Letter };
            caller.record_withdrawal(household, withdrawal).await.map(drop)
        }
        Operation::AddMeter => edit(Edit::AddMeter(meter())).await,
        Operation::ChangeMeter => edit(Edit::ChangeMeter(nothing, Default::default())).await,
        Operation::RemoveMeter => edit(Edit::RemoveMeter(nothing)).await,
        Operation::AddPvSystem => edit(Edit::AddPvSystem(system())).await,
        Operation::ChangePvSystem => edit(Edit::ChangePvSystem(nothing, Default::default())).await,
        Operation::RemovePvSystem => edit(Edit::RemovePvSystem(nothing)).await,
        Operation::AddDevice => edit(Edit::AddDevice(Vec::new())).await,
        Operation::ShowDevice => caller.device(nothing).await.map(drop),
        Operation::CreateEnrolment => caller.create_enrolment(nothing, None, None).await.map(drop),
        Operation::CreateSignInCode => caller.create_sign_in_code(nothing, None).await.map(drop),
        Operation::ListMessages => caller.messages(None, all).await.map(drop),
        Operation::AnswerMessage => caller.close_message(nothing, Some("x".into())).await.map(drop),
        Operation::CloseMessage => caller.close_message(nothing, None).await.map(drop),
        Operation::ShowJob => caller.job(nothing).await.map(drop),
        Operation::LocateRegion => caller.region_at(&Location::entered(50.0, 7.0)).map(drop),
        Operation::ListSessions => caller.sessions().await.map(drop),
        Operation::EndTunnelSession => caller.end_tunnel_session(nothing, nothing).await,
        Operation::EndSession => caller.end_session(nothing).await,
        _ => return None,
    })
}

#[tokio::test]
async fn each_operation_by_each_group() {
    let world = World::on_sqlite().await;
    let mut tried = 0;
    for operation in Operation::ALL {
        for group in Group::ALL {
            let Some(result) = operate(&caller(&world, group), *operation).await else { continue };
            let is_refused = matches!(result, Err(SurveyError::NotPermitted(_)));
            let may = operation.groups().contains(&group);
            assert_eq!(is_refused, !may, "{operation:?} by the {group}: {:?}", result.err());
            tried += 1;
        }
    }
    assert!(tried >= 50, "{tried}");
}

#[tokio::test]
async fn each_page_by_each_session() {
    let world = World::on_sqlite().await;
    let made = world.register(1).await;
    let page = format!("/registration/household/{}", made.household);
    let pages = [
        "/registration".to_owned(),
        "/registration?q=x&sort=-name".to_owned(),
        "/registration/households.csv".to_owned(),
        "/registration/new".to_owned(),
        "/registration/import".to_owned(),
        "/registration/template.csv".to_owned(),
        "/registration/messages".to_owned(),
        "/registration/consents".to_owned(),
        "/registration/geodata".to_owned(),
        page.clone(),
        format!("{page}/edit"),
        format!("{page}/remove"),
        format!("{page}/withdrawal"),
        format!("{page}/meter/new"),
        format!("{page}/system/new"),
    ];
    let forms = [
        "/registration/new".to_owned(),
        "/registration/check".to_owned(),
        "/registration/import/check".to_owned(),
        "/registration/import/run".to_owned(),
        format!("/registration/message/{}", Uuid::nil()),
        format!("{page}/edit"),
        format!("{page}/remove"),
        format!("{page}/withdrawal"),
        format!("{page}/device"),
        format!("{page}/device/{}/sheet", made.measurement_device),
        format!("{page}/meter/new"),
    ];
    let mut researcher = world.signed_in(Group::Researchers).await;
    let mut administrator = world.signed_in(Group::Administrators).await;
    let mut nobody = world.browser();
    let before = world.store().registration(HouseholdId(made.household)).await.unwrap();
    for path in &pages {
        let own = researcher.get(path).await;
        assert_eq!(own.status, 200, "{path}: {}", own.body);
        assert_eq!(administrator.get(path).await.status, 403, "{path}");
        let answer = nobody.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.location().starts_with("/sign-in?group=researchers&next=%2Fregistration"));
    }
    for path in &forms {
        // Without the session's token nothing is done, whoever asks.
        let pairs = [("do", "save"), ("token", "planted")];
        assert_eq!(researcher.send(path, &pairs).await.status, 403, "{path}");
        assert_eq!(administrator.send(path, &pairs).await.status, 403, "{path}");
        let answer = nobody.send(path, &pairs).await;
        assert_eq!(answer.status, 401, "{path}");
        // A page of elsewhere does nothing with the session of a researcher.
        for origin in ["https://evil.example", "null", "https://survey.example.org:8443"] {
            let answer = researcher.send_from(origin, path, &pairs).await;
            assert_eq!(answer.status, 403, "{path} from {origin}");
        }
    }
    let after = world.store().registration(HouseholdId(made.household)).await.unwrap();
    assert_eq!(before, after);
}
