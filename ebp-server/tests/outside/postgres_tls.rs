//! TLS to PostgreSQL, as `sslmode=verify-full` means it: the authority that was named, and the host's
//! own name, or no connection.

use std::{path::Path, process::Command, sync::Arc};

use ebp_core::clock::SystemClock;
use ebp_needs::needs;
use ebp_store::{Database, PostgresSettings, open_store};
use ebp_survey::authority::Authority;

use crate::cluster::Cluster;

/// A free port, for a moment.
fn port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn authority(folder: &Path, name: &str) -> Authority {
    Authority::init(folder, name, Arc::new(SystemClock)).unwrap()
}

/// PostgreSQL takes a key that only its own user can read.
fn give_to_postgres(path: &Path) {
    if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" {
        assert!(
            Command::new("chown").arg("-R").arg("postgres").arg(path).status().unwrap().success()
        );
    }
}

#[needs(postgresql)]
#[tokio::test]
async fn only_the_named_authority_and_the_right_name() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
    let issuer = authority(&ours, "Ours");
    authority(&theirs, "Theirs");
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("server.pem"), files.path().join("server.key"));
    issuer.issue_server(&["localhost".to_owned()]).unwrap().save(&certificate, &key).unwrap();
    give_to_postgres(files.path());
    let port = port();
    // The socket in the folder is plain; what comes over TCP has to be TLS.
    let cluster = Cluster::start(&format!(
        "fsync = off\nlisten_addresses = 'localhost'\nport = {port}\nssl = on\n\
         ssl_cert_file = '{}'\nssl_key_file = '{}'\n",
        certificate.display(),
        key.display()
    ));
    let open = async |host: &str, authority: Option<&Path>, more: &str| {
        let mut settings = PostgresSettings::new(format!(
            "postgres://postgres@{host}:{port}/postgres?application_name=tls{more}"
        ));
        settings.authority = authority.map(|folder| folder.join("ca.pem"));
        open_store(&Database::Postgres(settings)).await.map_err(|error| {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(source) = cause {
                text = format!("{text}: {source}");
                cause = source.source();
            }
            text
        })
    };

    let store = open("localhost", Some(&ours), "").await.unwrap();
    store.ping().await.unwrap();
    // As the other end sees it: encrypted.
    let socket = format!("{} port={port}", cluster.url("postgres"));
    let (admin, connection) =
        tokio_postgres::connect(&socket, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let query = "SELECT bool_and(ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                 WHERE application_name = 'tls'";
    let row = admin.query_one(query, &[]).await.unwrap();
    assert!(row.get::<_, bool>(0) && row.get::<_, i64>(1) > 0);
    store.close().await.unwrap();

    let refused = async |host: &str, authority: Option<&Path>, more: &str, words: &[&str]| {
        let error = open(host, authority, more).await.err().unwrap();
        for word in words {
            assert!(error.contains(word), "no `{word}` in {error}");
        }
    };
    refused(
        "localhost",
        Some(&theirs),
        "",
        &["certificate is not from the authority in database_ca"],
    )
    .await;
    refused("127.0.0.1", Some(&ours), "", &["certificate names another host"]).await;
    // The URL cannot talk it out of that: an authority that is named is asked for.
    refused("localhost", Some(&theirs), "&sslmode=prefer", &["database_ca"]).await;
    // And nothing goes over the network unproven without anybody having said so.
    refused("localhost", None, "&sslmode=require", &["database_ca"]).await;
}
