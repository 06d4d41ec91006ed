//! A full disk: uploads are turned away while it lasts, everything else goes on, also after a start,
//! and so do uploads once there is room. On both engines.

use std::{collections::BTreeSet, fs, sync::Arc};

use ebp_client::{Client, ClientError};
use ebp_core::contract::UploadRequest;
use ebp_needs::needs;
use ebp_testkit::small_disk::SmallDisk;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    cluster::{self, Cluster},
    kills::block_on,
    senders::{assert_complete, batch, client, granted_at, insist},
    support::{household::Household, server::Server, wait_for},
};

/// A household whose device uploads as long as there is room.
struct Scene {
    server: Server,
    household: Arc<Household>,
    device: Client,
    since: Timestamp,
    acknowledged: BTreeSet<Uuid>,
    number: usize,
}

impl Scene {
    fn set(server: Server) -> Self {
        let household = Household::register(&server, "erika@example.org", &["MT175"], "15m");
        let household = Arc::new(household);
        household.account(&server).grant();
        let (since, device) = (granted_at(&server, &household), client(&server, &household));
        Self { server, household, device, since, acknowledged: BTreeSet::new(), number: 0 }
    }

    fn next(&mut self, size: usize) -> UploadRequest {
        self.number += size;
        batch(&self.household, self.since, self.number - size, size)
    }

    /// Uploads until it is turned away, and returns what was.
    fn upload_until_full(&mut self) -> UploadRequest {
        let (request, error) = wait_for("the disk to be full", || {
            let request = self.next(2000);
            let error = self.device.upload(&request).err();
            if error.is_none() {
                self.keep(&request);
            }
            error.map(|error| (request, error))
        });
        assert_told_to_come_back(&error);
        assert!(self.server.is_running());
        request
    }

    fn keep(&mut self, request: &UploadRequest) {
        self.acknowledged.extend(request.measurements.iter().map(|item| item.uuid));
    }

    /// Uploads until it is acknowledged.
    fn insist(&mut self, request: &UploadRequest) {
        insist(&self.device, request);
        self.keep(request);
    }

    #[track_caller]
    fn assert_complete(&self) {
        assert_complete(&self.server, &self.household, &self.acknowledged);
    }

    /// Uploads once there is room, by itself and after a start, and all that is there is complete.
    fn goes_on(&mut self, turned_away: &UploadRequest) {
        self.insist(turned_away);
        let more = self.next(4);
        self.insist(&more);
        self.assert_complete();
        self.server.kill();
        self.server.go_on();
        self.assert_complete();
    }
}

#[track_caller]
fn assert_told_to_come_back(error: &ClientError) {
    match error {
        ClientError::Problem { status, .. } => assert!([503, 507].contains(status), "{error}"),
        _ => panic!("{error}"),
    }
}

#[needs(mount)]
#[test]
fn uploads_wait_until_there_is_room() {
    let disk = SmallDisk::mount(24);
    let mut scene = Scene::set(Server::in_folder(&disk.path().join("data")));
    disk.fill_but(3 << 10);
    let request = scene.upload_until_full();
    scene.assert_complete();

    // A server that is killed starts on the full disk, and what only reads goes on.
    disk.fill();
    scene.server.kill();
    scene.server.go_on();
    assert_told_to_come_back(&scene.device.upload(&request).unwrap_err());
    scene.assert_complete();

    disk.free();
    scene.goes_on(&request);

    // One that was ended needs a little room to start, and says so.
    scene.server.end();
    disk.fill();
    scene.server.run(["serve"], "").refused(1, &["ebp.sqlite", "disk is full", "make room"]);
    disk.free();
    scene.server.go_on();
    scene.assert_complete();
}

/// A cluster whose database has a disk of its own: its log goes on, and so does all that reads.
#[needs(postgresql, mount)]
#[test]
fn postgresql_has_no_room_for_tables() {
    let disk = SmallDisk::mount(40);
    let place = disk.path().join("tables");
    fs::create_dir(&place).unwrap();
    cluster::give_to_postgres(&place);
    let cluster = Cluster::start("");
    block_on(async {
        let admin = cluster.client("postgres").await;
        let place = place.display();
        for sql in [
            format!("CREATE TABLESPACE small LOCATION '{place}'"),
            "CREATE DATABASE small TABLESPACE small".to_owned(),
        ] {
            admin.batch_execute(&sql).await.unwrap();
        }
    });
    let url = cluster.url("small");
    let mut scene = Scene::set(Server::configured(&format!("database_url = {url:?}")));
    disk.fill_but(3 << 10);
    let request = scene.upload_until_full();
    assert!(cluster.is_running());
    scene.assert_complete();

    // No start of the server here: a new connection may want room for PostgreSQL's own cache file.
    disk.fill();
    assert_told_to_come_back(&scene.device.upload(&request).unwrap_err());
    scene.assert_complete();

    disk.free();
    scene.goes_on(&request);
}

/// A cluster that shares its disk with its log: PostgreSQL ends by itself when there is no room for
/// that. The server outlives it.
#[needs(postgresql, mount)]
#[test]
fn postgresql_has_no_room_at_all() {
    let disk = SmallDisk::mount(96);
    let cluster = Cluster::start_in(disk.path(), "max_wal_size = 8MB\nmin_wal_size = 2MB\n");
    let (url, _) = block_on(cluster.database());
    let mut scene = Scene::set(Server::configured(&format!("database_url = {url:?}")));
    disk.fill_but(3 << 10);
    let request = scene.upload_until_full();
    disk.fill();
    assert_told_to_come_back(&scene.device.upload(&request).unwrap_err());
    assert!(scene.server.is_running());

    disk.free();
    // It does not start by itself again where it could not recover, as an operator has it do.
    if !cluster.is_running() {
        cluster.run();
    }
    scene.goes_on(&request);
}
