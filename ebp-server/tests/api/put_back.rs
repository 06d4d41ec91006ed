//! A database that lost revocations, since a backup was put in its place: the server's own list has
//! them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use ebp_core::{
    contract::{paths, problem_type},
    scope::{Group, Scopes},
};
use ebp_server::Limits;
use ebp_survey::{KeptRevocations, Revocations};

use crate::{
    cluster,
    harness::{Server, URL},
};

/// Copies the database of a server that does not run, and returns where the copy is.
async fn copy(folder: &Path) -> String {
    let Ok(url) = fs::read_to_string(folder.join(URL)) else {
        let copy = folder.join("copy.sqlite");
        ebp_store::backup::backup(&folder.join("ebp.sqlite"), &copy).unwrap();
        return copy.to_str().unwrap().to_owned();
    };
    let (cluster, name) = (cluster::shared(), url.rsplit('=').next().unwrap());
    let sql = format!("CREATE DATABASE {name}_copy TEMPLATE {name}");
    let admin = cluster.client("postgres").await;
    // A connection that was closed is gone a moment later.
    while admin.batch_execute(&sql).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    cluster.url(&format!("{name}_copy"))
}

/// Puts it in the database's place.
fn put_back(folder: &Path, copy: &str) {
    if folder.join(URL).exists() {
        return fs::write(folder.join(URL), copy).unwrap();
    }
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.join(format!("ebp.sqlite{ending}")));
    }
    fs::rename(copy, folder.join("ebp.sqlite")).unwrap();
}

/// Before, devices were told `granted` again, and the revoked key was good again.
#[tokio::test]
async fn a_database_that_was_put_back_gets_its_revocations_again() {
    let server = Server::start().await;
    let (erika, _) = server.consenting("erika@example.org").await;
    let (max, _) = server.consenting("max@example.org").await;
    let identities = [("erika@example.org", &erika), ("max@example.org", &max)]
        .map(|(email, of)| server.issue(email, Some(of.measurement_device), Scopes::all()));
    let dir = server.stop().await;
    let before = copy(dir.path()).await;

    let server = Server::open(dir, Limits::default()).await;
    let list = server.data().join("revocations.jsonl");
    assert!(!list.exists(), "nothing was revoked");
    let [of_erika, of_max] = identities.each_ref().map(|identity| server.api(Some(identity)));
    of_erika.delete(paths::CONSENT).ok().await;
    let certificates =
        paths::MANAGED_CERTIFICATES.replace("{uuid}", &max.measurement_device.to_string());
    server.manager(Group::Administrators).delete(&certificates).ok().await;
    of_max.get(paths::CONSENT).problem(401, problem_type::UNAUTHENTICATED).await;
    let kept = fs::read_to_string(&list).unwrap();
    assert_eq!(fs::metadata(&list).unwrap().permissions().mode() & 0o777, 0o600);
    for word in ["erika", "Mustermann", "Heide", "50.8503", &erika.household.to_string()] {
        assert!(!kept.contains(word), "{word}: {kept}");
    }
    let dir = server.stop().await;

    put_back(dir.path(), &before);
    let server = Server::open(dir, Limits::default()).await;
    let [of_erika, of_max] = identities.each_ref().map(|identity| server.api(Some(identity)));
    of_erika.get(paths::CONSENT).problem(410, problem_type::CONSENT_REVOKED).await;
    of_max.get(paths::CONSENT).problem(401, problem_type::UNAUTHENTICATED).await;
    let applied = Revocations::from_store(&*server.store).await.unwrap().to_lines().unwrap();
    assert_eq!(applied, kept, "with the same identifiers");
    assert_eq!(fs::read_to_string(server.data().join("revocations.jsonl")).unwrap(), kept);
    server.stop().await;
}

/// Who looks often reads neither the revocations nor the list where nothing has changed.
#[tokio::test]
async fn a_list_is_completed_again_only_where_something_has_changed() {
    let server = Server::start().await;
    let (erika, _) = server.consenting("erika@example.org").await;
    let identity = server.issue("erika@example.org", Some(erika.measurement_device), Scopes::all());
    let (folder, store) = (tempfile::tempdir().unwrap(), &*server.store);
    let list = KeptRevocations::in_folder(folder.path());
    let look = async || list.complete_if_changed(store).await.unwrap();
    assert!(look().await, "at first nothing is known of the list");
    assert!(!look().await);
    let of_erika = server.api(Some(&identity));
    of_erika.delete(paths::CONSENT).ok().await;
    assert!(look().await);
    assert!(!look().await);
    let file = folder.path().join("revocations.jsonl");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(kept.lines().count() >= 2, "the household and its device: {kept}");

    let (max, _) = server.consenting("max@example.org").await;
    server.issue("max@example.org", Some(max.measurement_device), Scopes::all());
    assert!(!look().await, "what is registered is nothing that is revoked");
    let certificates =
        paths::MANAGED_CERTIFICATES.replace("{uuid}", &max.measurement_device.to_string());
    server.manager(Group::Administrators).delete(&certificates).ok().await;
    assert!(look().await);
    let more = fs::read_to_string(&file).unwrap();
    assert!(more.lines().count() > kept.lines().count(), "{more}");

    // Nor is a list missed that somebody took away.
    fs::remove_file(&file).unwrap();
    assert!(look().await);
    assert_eq!(fs::read_to_string(&file).unwrap(), more);
    server.stop().await;
}

#[tokio::test]
async fn a_damaged_list_is_named_and_nothing_is_served() {
    let server = Server::start().await;
    let dir = server.stop().await;
    fs::write(dir.path().join("revocations.jsonl"), "{}\n").unwrap();
    let server = Server::open(dir, Limits::default()).await;
    let error = server.ended().await.unwrap_err().to_string();
    assert!(error.contains("revocations.jsonl: line 1"), "{error}");
}
