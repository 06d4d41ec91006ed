//! How the databases find what they are asked for, at the survey's size: no statement that a
//! request runs reads a table from end to end, or sorts one.
//!
//! The statements are the literals of the stores' own sources: a new one is held against this
//! without anybody thinking of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ebp_needs::needs;
use rusqlite::Connection;
use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::{postgres, sqlite};

/// Sources of what no request runs.
const NOT_OF_REQUESTS: [&str; 5] =
    ["migrate.rs", "connect.rs", "connection.rs", "erase.rs", "copy.rs"];

/// What reads all of a table on purpose, by a part of the statement, and why.
const ON_PURPOSE: [(&str, &str); 52] = [
    (
        "household, purposes FROM consent WHERE purposes IS NOT NULL",
        "the list of revocations, and a restore: a row for each household",
    ),
    ("FROM device_error_group JOIN", "the few groups of all devices, asked by administrators"),
    ("SELECT count(*) FROM error_group", "the few groups, asked by Prometheus"),
    ("INSERT INTO error_group", "counts the few groups, when there is a new one"),
    ("DELETE FROM error_group", "old groups, when devices are looked at"),
    ("FROM alert_rule ORDER BY version DESC", "the latest of a few versions, by their key"),
    ("{ROLLOUT_COLUMNS}", "the few roll-outs, by their key or in their order"),
    ("FROM rollout_event", "by its key; PostgreSQL sorts this test's empty table"),
    ("UPDATE rollout_device SET {set}", "devices of a roll-out, by their key"),
    ("FROM data_release ORDER BY number", "the ledger of a few releases"),
    ("JOIN data_release ON", "a household's few releases, or all when the next one is made"),
    ("INSERT INTO data_release_household", "a release's households, when it is confirmed"),
    ("FROM tunnel_session WHERE device =", "the sessions of one device, by an index of it"),
    ("FROM tunnel WHERE device =", "the open sessions of one device, by an index of it"),
    ("SELECT meter.uuid, model,", "an evaluation is of all meters"),
    ("count(*) FILTER (WHERE consent < 2", "counts all devices, asked by Prometheus"),
    ("count(*), count(*) FILTER (WHERE granted_at", "counts all households, shown with a search"),
    ("state = 'waiting' AND (run_after", "the few jobs that wait, by an index of those"),
    ("state = 'running' AND (lease_until", "the few jobs that run, by an index of those"),
    ("FROM job_archive WHERE job = uuid)", "the few jobs that run, by an index of those"),
    ("household_change SET label", "forgets all initials, at the survey's end"),
    ("FROM job GROUP BY state", "counts the jobs of 30 days, asked by Prometheus"),
    ("count(*) FROM fleet_device", "counts all devices by their version"),
    (
        "reason, begun_at, ends_at, until_recovery, speaks_on\n             FROM device_silence",
        "the few silences",
    ),
    ("FROM masking", "one row"),
    (
        "max(not_before) FROM authority_certificate",
        "the youngest, by an index, at a server's start",
    ),
    ("ended_address", "one row"),
    ("FROM schema_migration", "a row for each migration"),
    ("FROM withheld_location", "all that wait for geodata, looked at when a server starts"),
    ("FROM consent LEFT JOIN location", "all that revoked, for the list of revocations"),
    ("FROM consent\n", "the same in PostgreSQL"),
    ("SELECT max(version) FROM survey_text", "the last entry of an index"),
    ("WHERE household IS NULL", "their devices, for the same list"),
    ("FROM certificate WHERE revoked_at IS NOT NULL", "all that are revoked, by an index of those"),
    ("DELETE FROM secret_try", "a row for each address that tried a wrong secret"),
    ("serial <> coalesce(", "the newest of the few certificates of a device"),
    (
        "FROM alert_delivery JOIN alert_message",
        "the few that wait to be sent, by an index of those",
    ),
    ("max(attempts), 0) FROM alert_delivery", "the few that wait to be sent, by an index of those"),
    ("UPDATE tunnel_session SET", "by its identifier, or the few open ones by an index of those"),
    ("FROM tunnel WHERE (since", "by its index; PostgreSQL sorts this test's empty table"),
    (
        "FROM tunnel_session WHERE (began_at",
        "by its index; PostgreSQL sorts this test's empty table",
    ),
    ("AS ends, began_at AS at", "the changes that one message tells of"),
    ("FROM fleet_device AS fleet\n", "one pass over the devices' rows, for alerts"),
    ("DELETE FROM alert_episode WHERE ended_at", "old episodes, when devices are looked at"),
    ("SELECT kind, count(*) FROM alert_episode", "the few open ones, by an index of those"),
    ("ended_at IS NULL OR begin_message IS NULL", "the few open ones, by an index of those"),
    ("alert_watch", "one row"),
    ("DELETE FROM alert_message", "old messages, when devices are looked at"),
    ("FROM web_session ORDER BY", "the few sessions of researchers and administrators"),
    ("DELETE FROM web_session WHERE seen_at", "the few sessions, when one begins"),
    ("DELETE FROM sign_in_link WHERE expires_at", "the few links, when one is added"),
    ("UPDATE alert_episode SET ended_at = greatest", "the few open ones, by an index of those"),
];

/// Every statement in the sources of a store.
fn statements(engine: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(engine);
    let (mut files, mut folders) = (Vec::<PathBuf>::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !NOT_OF_REQUESTS.contains(&name.as_str()) {
                files.push(path);
            }
        }
    }
    files.sort();
    let begins = ["SELECT ", "WITH ", "INSERT ", "UPDATE ", "DELETE "];
    let mut statements = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let (source, _) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
        let literals = literals(source);
        let columns = literals.iter().find(|text| text.starts_with("serial, "));
        for text in &literals {
            let text = text.trim();
            if begins.iter().any(|begin| text.starts_with(begin)) {
                let columns = columns.map_or("", String::as_str);
                statements.push(text.replace("{COLUMNS}", columns));
            }
        }
    }
    statements.retain(|sql| !ON_PURPOSE.iter().any(|(part, _)| sql.contains(part)));
    statements
}

/// The string literals of a source.
fn literals(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => {
                rest.by_ref().find(|c| *c == '\n');
            }
            // A character, or a lifetime, which is none.
            '\'' => {
                let after: String = rest.clone().take(3).collect();
                if after.starts_with('\\') || after.chars().nth(1) == Some('\'') {
                    let escaped = rest.next() == Some('\\');
                    rest.nth(usize::from(escaped));
                }
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = rest.next() {
                    match c {
                        '"' => break,
                        '\\' => match rest.next() {
                            Some('\n') => while rest.next_if(|c| c.is_whitespace()).is_some() {},
                            Some(escaped) => literal.push(escaped),
                            None => break,
                        },
                        c => literal.push(c),
                    }
                }
                literals.push(literal);
            }
            _ => {}
        }
    }
    literals
}

#[test]
fn literals_are_found() {
    let source = "fn f<'a>(c: char) { c == '\"'; g(\"a \\\"b\\\"\"); } // \"no\"\n const X: &str = \"c \\\n   d\";";
    assert_eq!(literals(source), ["a \"b\"", "c d"]);
}

#[tokio::test]
async fn sqlite_searches() {
    let (_dir, path) = sqlite::fresh();
    sqlite::open(&path).await;
    let db = Connection::open(&path).unwrap();
    db.execute_batch(SQLITE_SURVEY).unwrap();
    let statements = statements("sqlite");
    assert!(statements.len() > 50, "{}", statements.len());
    let mut wrong = Vec::new();
    for sql in &statements {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            let scans = step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW";
            // A household's few members are sorted; what is cut to a page has to come in order,
            // but for those registered in the same microsecond.
            let sorts = step.starts_with("USE TEMP B-TREE")
                && !step.contains("LAST TERM")
                && (sql.contains("LIMIT") || sql.contains("FROM measurement\n"));
            if scans || sorts {
                wrong.push(format!("{step}: {sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[needs(postgresql)]
#[tokio::test]
async fn postgres_searches() {
    let fresh = postgres::Fresh::new().await;
    fresh.open().await;
    let db = fresh.plain().await;
    db.batch_execute(POSTGRES_SURVEY).await.unwrap();
    let statements = statements("postgres");
    assert!(statements.len() > 50, "{}", statements.len());
    // A plan for whatever values; partitions stay in it, whatever the values here.
    db.batch_execute(
        "SET plan_cache_mode = force_generic_plan; SET enable_partition_pruning = off",
    )
    .await
    .unwrap();
    let mut wrong = Vec::new();
    for seqscan in ["on", "off"] {
        // Small tables are rightly read whole; forbidden to, PostgreSQL does so nevertheless where
        // no index helps.
        db.batch_execute(&format!("SET enable_seqscan = {seqscan}")).await.unwrap();
        for sql in &statements {
            let plan = explain(&db, sql).await;
            let mut faults = Vec::new();
            look(&plan[0]["Plan"], seqscan == "off", &mut faults);
            wrong.extend(faults.iter().map(|fault| format!("{fault}: {sql}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What looks for alerts: one pass over the devices' rows, and the open episodes by their index; the rest
/// by the keys of those that are in question.
#[tokio::test]
async fn sqlite_looks_for_alerts_in_one_pass() {
    let (_dir, path) = sqlite::fresh();
    sqlite::open(&path).await;
    let db = Connection::open(&path).unwrap();
    db.execute_batch(SQLITE_SURVEY).unwrap();
    let source = include_str!("../../src/sqlite/alert/facts.rs");
    let mut plans = String::new();
    for sql in literals(source).iter().filter(|text| text.starts_with("SELECT ")) {
        plans += &format!("{}\n", sql.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            plans += &format!("    {}\n", row.get::<_, String>(3).unwrap());
        }
    }
    insta::assert_snapshot!("alert_facts_sqlite", plans);
}

#[needs(postgresql)]
#[tokio::test]
async fn postgres_looks_for_alerts_in_one_pass() {
    let fresh = postgres::Fresh::new().await;
    fresh.open().await;
    let db = fresh.plain().await;
    db.batch_execute(POSTGRES_SURVEY).await.unwrap();
    // Without the ways between which the random sample of ANALYZE decides.
    db.batch_execute(
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
         SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;
         SET enable_memoize = off",
    )
    .await
    .unwrap();
    let source = include_str!("../../src/postgres/alert/facts.rs");
    let mut plans = String::new();
    for sql in literals(source).iter().filter(|text| text.starts_with("SELECT ")) {
        plans += &format!("{}\n", sql.split_whitespace().collect::<Vec<_>>().join(" "));
        steps(&explain(&db, sql).await[0]["Plan"], 1, &mut plans);
    }
    // Two small indexes have the open episodes, and cost about the same.
    let plans = plans.replace(
        "Index Scan alert_episode alert_episode_untold",
        "Index Only Scan alert_episode alert_episode_open",
    );
    insta::assert_snapshot!("alert_facts_postgres", plans);
}

/// Those of energy series: what is kept is found by its key, and no measurement is read with it but one,
/// to see whether there is any.
fn of_series(engine: &str) -> Vec<String> {
    let statements = statements(engine).into_iter().filter(|sql| sql.contains("energy_"));
    statements.map(|sql| sql.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[tokio::test]
async fn sqlite_reads_energy_by_its_key() {
    let (_dir, path) = sqlite::fresh();
    sqlite::open(&path).await;
    let db = Connection::open(&path).unwrap();
    db.execute_batch(SQLITE_SURVEY).unwrap();
    let mut plans = String::new();
    for sql in of_series("sqlite") {
        plans += &format!("{sql}\n");
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            plans += &format!("    {}\n", row.get::<_, String>(3).unwrap());
        }
    }
    insta::assert_snapshot!("energy_series_sqlite", plans);
}

#[needs(postgresql)]
#[tokio::test]
async fn postgres_reads_energy_by_its_key() {
    let fresh = postgres::Fresh::new().await;
    fresh.open().await;
    let db = fresh.plain().await;
    db.batch_execute(POSTGRES_SURVEY).await.unwrap();
    // Without the ways between which the random sample of ANALYZE decides.
    db.batch_execute(
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
         SET enable_bitmapscan = off; SET enable_sort = off",
    )
    .await
    .unwrap();
    let mut plans = String::new();
    for sql in of_series("postgres") {
        plans += &format!("{sql}\n");
        steps(&explain(&db, &sql).await[0]["Plan"], 1, &mut plans);
    }
    insta::assert_snapshot!("energy_series_postgres", plans);
}

/// The steps of a plan that read a table, and how. Those of the months' partitions are alike.
fn steps(step: &Value, depth: usize, plans: &mut String) {
    let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
    let (kind, table) = (text("Node Type"), text("Relation Name"));
    let is_further_month = table.starts_with("measurement_2") && table != "measurement_2025_01";
    if !is_further_month {
        let by = [text("Index Name"), text("Index Cond")].join(" ");
        let line = format!("{}{kind} {table} {by}", "    ".repeat(depth));
        *plans += line.trim_end();
        *plans += "\n";
    }
    for below in step["Plans"].as_array().into_iter().flatten() {
        steps(below, depth + 1, plans);
    }
}

async fn explain(db: &Client, sql: &str) -> Value {
    let most = (1..20).rev().find(|number| sql.contains(&format!("${number}"))).unwrap_or(0);
    let values = vec!["NULL"; most].join(", ");
    let values = if most == 0 { String::new() } else { format!("({values})") };
    db.batch_execute(&format!("PREPARE asked AS {sql}"))
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let rows = db.simple_query(&format!("EXPLAIN (FORMAT JSON) EXECUTE asked{values}")).await;
    db.batch_execute("DEALLOCATE asked").await.unwrap();
    let text = rows.unwrap().into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    serde_json::from_str(&text.unwrap()).unwrap()
}

/// What is wrong with a step of a plan and those below it; `all` tables, or the large one alone.
fn look(step: &Value, all: bool, faults: &mut Vec<String>) {
    let kind = step["Node Type"].as_str().unwrap_or_default();
    let table = step["Relation Name"].as_str().unwrap_or_default();
    let below = step["Plans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let large = all && table != "archived_month"
        || table.starts_with("measurement_2")
        || table == "measurement_key";
    let whole =
        kind == "Seq Scan" || (kind.starts_with("Index") && step["Index Cond"].is_null() && all);
    if whole && large {
        faults.push(format!("{kind} of {table}"));
    }
    if kind == "Limit" && below.iter().any(|step| step["Node Type"] == "Sort") {
        faults.push("sorts all to show a page".to_owned());
    }
    for step in below {
        look(step, all, faults);
    }
}

/// A thousand households, a meter's year, and some measurements of each other one.
const SQLITE_SURVEY: &str = "
    BEGIN;
    CREATE TEMP TABLE n AS
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 35040)
        SELECT i, randomblob(16) AS uuid FROM n;
    INSERT INTO participant (id, name, email)
        SELECT i, 'x', i || '@example.org' FROM n WHERE i <= 1000;
    INSERT INTO household (uuid, participant, registered_at)
        SELECT uuid, i, i FROM n WHERE i <= 1000;
    INSERT INTO consent (household) SELECT uuid FROM household;
    UPDATE consent SET granted_at = 0;
    INSERT INTO measurement_device (uuid, household) SELECT randomblob(16), uuid FROM household;
    INSERT INTO meter (uuid, household, type, model, measurement_device, position)
        SELECT randomblob(16), household, 'ELECTRICITY', 'EHZ', uuid, 0 FROM measurement_device;
    INSERT INTO measurement (meter, slot, measured_at, received_at, data)
        SELECT (SELECT number FROM meter LIMIT 1), i * 900000000, i * 900000000, 0, '[]' FROM n;
    INSERT INTO measurement (meter, slot, measured_at, uuid, received_at, data)
        SELECT number, 1, 1, randomblob(16), 0, '[]' FROM meter;
    INSERT INTO authority_certificate (serial, kind, device, scopes, not_before, not_after)
        SELECT randomblob(16), 'client', uuid, 'x', rowid, 0 FROM measurement_device;
    INSERT INTO job (uuid, kind, state, created_by, created_at, run_after, ended_at)
        SELECT uuid, 'x', 'succeeded', 'researchers', i, i, i FROM n WHERE i <= 1000;
    INSERT INTO energy_series (meter, basis) SELECT number, 'x' FROM meter LIMIT 100;
    INSERT INTO energy_day (meter, starts, ends, reach, day, state)
        SELECT meter, i, i + 1, i + 1, 'x', iif(i % 7, NULL, 'x')
        FROM energy_series JOIN n ON i <= 365;
    INSERT INTO household_message (uuid, household, about, text, written_at, closed_at)
        SELECT n.uuid, household.uuid, 'x', 'x', n.i, iif(n.i % 10 = 0, NULL, n.i)
        FROM n JOIN household ON household.registered_at = 1 + n.i % 1000 WHERE n.i <= 5000;
    INSERT INTO household_change (household, at, changed_by, kind, fields)
        SELECT household.uuid, n.i, 'researchers', 'changed', '/address/street'
        FROM n JOIN household ON household.registered_at = 1 + n.i % 1000 WHERE n.i <= 5000;
    INSERT INTO alert_message (uuid, kind, created_at, began, ended)
        SELECT uuid, 'changes', i, 1, 1 FROM n WHERE i <= 1000;
    INSERT INTO alert_delivery (message, channel, state, next_at, ended_at)
        SELECT uuid, 'mail', 'sent', created_at, created_at FROM alert_message;
    INSERT INTO alert_episode (uuid, device, kind, began_at, begin_noted_at, begin_message, ended_at,
                               end_noted_at, end_message)
        SELECT randomblob(16), device.uuid, 'silent', 1, 1, message.uuid, 2, 2, message.uuid
        FROM measurement_device AS device JOIN alert_message AS message
            ON message.created_at = device.rowid;
    COMMIT;
    ANALYZE";

const POSTGRES_SURVEY: &str = "
    INSERT INTO participant (name, email) SELECT 'x', i || '@example.org'
        FROM generate_series(1, 1000) AS i;
    INSERT INTO household (uuid, participant, registered_at)
        SELECT gen_random_uuid(), id, '2025-01-01Z'::timestamptz + id * interval '1s'
        FROM participant;
    INSERT INTO address (household, street, postal_code, city, country)
        SELECT household.uuid, 'x', '10115', participant, 'DE' FROM household;
    INSERT INTO consent (household) SELECT uuid FROM household;
    UPDATE consent SET granted_at = '2025-01-01Z';
    INSERT INTO measurement_device (uuid, household) SELECT gen_random_uuid(), uuid FROM household;
    INSERT INTO enrolment (token, device, scopes, expires_at)
        SELECT sha256(uuid::text::bytea), uuid, 'x', '2025-01-01Z' FROM measurement_device;
    INSERT INTO certificate (serial, device, scopes, not_before, not_after)
        SELECT decode(md5(uuid::text || i), 'hex'), uuid, 'x',
               '2025-01-01Z'::timestamptz + i * interval '60 d',
               '2025-04-01Z'::timestamptz + i * interval '60 d'
        FROM measurement_device, generate_series(1, 6) AS i;
    INSERT INTO authority_certificate (serial, kind, device, scopes, not_before, not_after)
        SELECT serial, 'client', device, scopes, not_before, not_after FROM certificate;
    INSERT INTO meter (uuid, household, type, model, measurement_device, position)
        SELECT gen_random_uuid(), household, 'ELECTRICITY', 'EHZ', uuid, 0 FROM measurement_device;
    SELECT make_measurement_partition('2025-01-01Z'::timestamptz + i * interval '1 month')
        FROM generate_series(0, 11) AS i;
    INSERT INTO measurement (meter, slot, measured_at, received_at, data)
        SELECT (SELECT number FROM meter LIMIT 1), at, at, now(), '[]'
        FROM generate_series(0, 35039) AS i,
             LATERAL (SELECT '2025-01-01Z'::timestamptz + i * interval '15 minutes') AS a (at);
    INSERT INTO measurement (meter, slot, measured_at, received_at, uuid, data)
        SELECT number, at, at, now(), gen_random_uuid(), '[]'
        FROM meter, generate_series(0, 11) AS i,
             LATERAL (SELECT '2025-01-01Z'::timestamptz + i * interval '1 month') AS a (at);
    INSERT INTO job (uuid, kind, state, created_by, created_at, run_after, ended_at)
        SELECT gen_random_uuid(), 'x', 'succeeded', 'researchers', at, at, at
        FROM generate_series(1, 1000) AS i,
             LATERAL (SELECT '2025-01-01Z'::timestamptz + i * interval '1 hour') AS a (at);
    INSERT INTO energy_series (meter, basis) SELECT number, 'x' FROM meter LIMIT 100;
    INSERT INTO energy_day (meter, starts, ends, reach, day, state)
        SELECT meter, at, at + interval '1 day', at + interval '1 day', repeat('x', 400),
               CASE WHEN i % 7 = 0 THEN repeat('x', 1000) END
        FROM energy_series, generate_series(1, 365) AS i,
             LATERAL (SELECT '2025-01-01Z'::timestamptz + i * interval '1 day') AS a (at);
    INSERT INTO household_message (uuid, household, about, text, written_at, closed_at)
        SELECT gen_random_uuid(), uuid, 'x', 'x', at, CASE WHEN i > 1 THEN at END
        FROM household, generate_series(1, 10) AS i,
             LATERAL (SELECT registered_at + i * interval '1 day') AS a (at);
    INSERT INTO household_change (household, at, changed_by, kind, fields)
        SELECT uuid, registered_at, 'researchers', 'changed', '/address/street'
        FROM household, generate_series(1, 10);
    INSERT INTO alert_message (uuid, kind, created_at, began, ended)
        SELECT gen_random_uuid(), 'changes', registered_at, 1, 1 FROM household;
    INSERT INTO alert_delivery (message, channel, state, next_at, ended_at)
        SELECT uuid, 'mail', 'sent', created_at, created_at FROM alert_message;
    INSERT INTO alert_episode (uuid, device, kind, began_at, begin_noted_at, begin_message, ended_at,
                               end_noted_at, end_message)
        SELECT gen_random_uuid(), device.uuid, 'silent', created_at, created_at, message.uuid,
               created_at, created_at, message.uuid
        FROM alert_message AS message
            JOIN household ON household.registered_at = message.created_at
            JOIN measurement_device AS device ON device.household = household.uuid;
    ANALYZE";
