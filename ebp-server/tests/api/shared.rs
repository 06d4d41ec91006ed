//! Servers of one database, each with a copy of the authority's folder of its own, share what decides
//! about access.

use std::{fs, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ebp_core::{
    contract::{Problem, paths, problem_type},
    scope::{Group, Scopes},
};
use ebp_server::auth::{remove_secret, set_secret};
use ebp_store::{Database, Serial};
use ebp_survey::{
    Survey,
    authority::{Authority, ClientRequest, Issued},
};
use uuid::Uuid;
use x509_parser::prelude::FromDer;

use crate::harness::{Api, Engine, Server, URL};

/// Another server of the database, with a copy of the authority's keys as they were before anything
/// was issued.
async fn another(server: &Server) -> Server {
    let folder = Server::prepare(Engine::Sqlite).await;
    for file in ["ca.pem", "ca.key"] {
        let from = server.data().join("authority").join(file);
        fs::copy(from, folder.path().join("authority").join(file)).unwrap();
    }
    let url = server.data().join(URL);
    if url.exists() {
        fs::copy(url, folder.path().join(URL)).unwrap();
    }
    let database = server.database();
    Server::open_with(folder, |settings, clock| {
        clock.advance(1);
        if let Some(path) = database {
            settings.database = Database::Sqlite(path);
        }
    })
    .await
}

/// What commands on the server's machine work with.
fn survey(server: &Server) -> Survey {
    let folder = server.data().join("authority");
    let authority = Authority::open(&folder, server.clock.clone()).unwrap();
    Survey::new(server.store.clone(), server.clock.clone())
        .with_authority(authority, Duration::from_secs(86_400))
}

/// As `ebp ca issue` does.
async fn issue(server: &Server, participant: Uuid, device: Option<Uuid>) -> Issued {
    let request = ClientRequest {
        participant,
        email: "erika@example.org".into(),
        device,
        scopes: Scopes::all(),
        validity: Duration::from_secs(3600),
    };
    survey(server).issue_certificate(&request).await.unwrap()
}

async fn is_revoked(apis: &[Api; 2], path: &str) {
    for api in apis {
        let problem: Problem = api.get(path).problem(401, problem_type::UNAUTHENTICATED).await;
        assert_eq!(problem.detail.as_deref(), Some("the certificate is revoked"));
    }
}

/// The serial numbers on the list of revoked certificates that a server's folder signs.
async fn listed(server: &Server) -> Vec<Serial> {
    let crl = survey(server).crl().await.unwrap();
    let (_, list) =
        x509_parser::revocation_list::CertificateRevocationList::from_der(&crl.der).unwrap();
    list.iter_revoked_certificates()
        .map(|revoked| Serial::from_octets(revoked.raw_serial()).unwrap())
        .collect()
}

/// Before, `ebp device revoke` through one server left a certificate valid that `ebp ca issue` had
/// made with the other's folder.
#[tokio::test]
async fn what_one_folder_issues_is_revoked_through_the_other_server() {
    let server = Server::start().await;
    let other = another(&server).await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let of_device = issue(&server, registered.participant, Some(device)).await;
    let second = issue(&server, registered.participant, Some(device)).await;
    let person = issue(&server, registered.participant, None).await;
    let by_both = |issued: &Issued| [&server, &other].map(|server| server.api(Some(issued)));
    let [lost, again, own] = [&of_device, &second, &person].map(by_both);
    for (apis, path) in [(&lost, paths::CONSENT), (&again, paths::CONSENT), (&own, paths::ACCOUNT)]
    {
        for api in apis {
            api.get(path).ok().await;
        }
    }
    assert_eq!(listed(&server).await, []);
    let administrator = other.manager(Group::Administrators);
    let path = paths::MANAGED_CERTIFICATES.replace("{uuid}", &device.to_string());
    let all = administrator.get(&path).ok().await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");

    // `ebp ca revoke`, and then `ebp device revoke`.
    survey(&other).revoke_certificate(second.entry.serial).await.unwrap();
    is_revoked(&again, paths::CONSENT).await;
    lost[0].get(paths::CONSENT).ok().await;
    assert_eq!(administrator.delete(&path).ok().await["revoked"], 1);
    is_revoked(&lost, paths::CONSENT).await;
    own[1].get(paths::ACCOUNT).ok().await;
    survey(&other).revoke_certificate(person.entry.serial).await.unwrap();
    is_revoked(&own, paths::ACCOUNT).await;
    let mut revoked = [&of_device, &second, &person].map(|issued| issued.entry.serial).to_vec();
    revoked.sort();
    for server in [&server, &other] {
        let mut listed = listed(server).await;
        listed.sort();
        assert_eq!(listed, revoked);
        // On disk there are keys alone.
        assert!(!server.data().join("authority/register.jsonl").exists());
    }
}

/// A file of before is imported when a server opens the folder, as often as it likes.
#[tokio::test]
async fn the_file_of_before_is_imported() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let folder = server.stop().await;
    let clock = std::sync::Arc::new(crate::harness::TestClock::default());
    let authority = Authority::open(&folder.path().join("authority"), clock).unwrap();
    let request = |device| ClientRequest {
        participant: registered.participant,
        email: "erika@example.org".into(),
        device,
        scopes: Scopes::all(),
        validity: Duration::from_secs(3600),
    };
    let issued = authority.issue(&request(Some(device))).unwrap();
    let revoked = authority.issue(&request(Some(device))).unwrap();
    authority.revoke(&revoked.entry.serial).unwrap();
    let own = authority.issue(&request(None)).unwrap();
    let file = folder.path().join("authority/register.jsonl");
    let before = fs::read(&file).unwrap();

    let server = Server::open(folder, ebp_server::Limits::default()).await;
    let other = another(&server).await;
    let good = [&server, &other].map(|server| server.api(Some(&issued)));
    let bad = [&server, &other].map(|server| server.api(Some(&revoked)));
    for api in &good {
        api.get(paths::CONSENT).ok().await;
    }
    is_revoked(&bad, paths::CONSENT).await;
    other.api(Some(&own)).get(paths::ACCOUNT).ok().await;
    assert_eq!(fs::read(&file).unwrap(), before, "it is only read");
    let listed = survey(&other).all_certificates().await.unwrap();
    let is_own = |entry: &&ebp_store::RegisterEntry| entry.is_held_by(registered.participant);
    assert_eq!(listed.iter().filter(is_own).count(), 1);

    let administrator = other.manager(Group::Administrators);
    let path = paths::MANAGED_CERTIFICATES.replace("{uuid}", &device.to_string());
    assert_eq!(administrator.delete(&path).ok().await["revoked"], 1);
    is_revoked(&good, paths::CONSENT).await;
    // The file says that it is good, and is imported again.
    let folder = server.stop().await;
    let server = Server::open(folder, ebp_server::Limits::default()).await;
    is_revoked(&[server.api(Some(&issued)), other.api(Some(&issued))], paths::CONSENT).await;
}

/// A group's secret counts on every server, wherever it was set, and the one before on none.
#[tokio::test]
async fn a_groups_secret_is_set_once_for_all_servers() {
    let server = Server::start().await;
    let other = another(&server).await;
    // Set in the first server's file of before: from there it gets to both.
    let by_file = server.manager(Group::Researchers);
    by_file.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    let by = |server: &Server, secret: &str| {
        let credentials = BASE64_STANDARD.encode(format!("researchers:{secret}"));
        server.api(None).authorized(format!("Basic {credentials}"))
    };
    let secret_before = format!("the secret of {}", Group::Researchers);
    by(&other, &secret_before).get(paths::MANAGEMENT_HOUSEHOLD).ok().await;

    let no_file = other.data().join("secrets.toml");
    let next = "their next secret, of all";
    set_secret(&*other.store, &no_file, Group::Researchers, next).await.unwrap();
    assert!(!no_file.exists());
    for server in [&server, &other] {
        by(server, next).get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
        let refused = by(server, &secret_before).get(paths::MANAGEMENT_HOUSEHOLD);
        refused.problem(401, problem_type::UNAUTHENTICATED).await;
    }
    by_file.get(paths::MANAGEMENT_HOUSEHOLD).problem(401, problem_type::UNAUTHENTICATED).await;

    // Removed, it counts nowhere, and none of a file of before comes in its place.
    assert!(remove_secret(&*other.store, &no_file, Group::Researchers).await.unwrap());
    assert!(!remove_secret(&*other.store, &no_file, Group::Researchers).await.unwrap());
    for server in [&server, &other] {
        for secret in [next, &secret_before, "removed"] {
            let refused = by(server, secret).get(paths::MANAGEMENT_HOUSEHOLD);
            refused.problem(401, problem_type::UNAUTHENTICATED).await;
        }
    }
    server.manager(Group::Administrators).get(paths::MANAGEMENT_DEVICE).ok().await;
    set_secret(&*other.store, &no_file, Group::Researchers, next).await.unwrap();
    by(&server, next).get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
}
