//! What must hold whatever the code does: each rule of the schema is attacked by plain SQL, in
//! both databases by the same statements.

use ebp_core::contract::{DeviceStatus, Registered};
use ebp_needs::needs;
use ebp_store::{HouseholdId, Store};
use rusqlite::{Connection, ErrorCode, ffi};
use uuid::Uuid;

use crate::{
    postgres, sqlite,
    story::{at, measurement, registration},
};

/// What is in the database that is attacked.
struct Stage {
    /// Consenting, with a measurement of its first meter and a device that told its status.
    open: Registered,
    /// Not yet consenting.
    fresh: Registered,
    /// It revoked: what its members are called since, and its device.
    revoked: Registered,
}

async fn stage(store: &dyn Store) -> Stage {
    let now = at("2026-01-01T00:00:00Z");
    let mut made = Vec::new();
    for name in ["open", "fresh", "revoked"] {
        let registration = registration(&format!("{name}@example.org"));
        made.push(store.register(registration, now).await.unwrap());
    }
    let [open, fresh, mut revoked]: [Registered; 3] = made.try_into().unwrap();
    for id in [open.household, revoked.household] {
        store.grant_consent(HouseholdId(id), now).await.unwrap();
    }
    let item = measurement(1, open.meters[0], now);
    let id = HouseholdId(open.household);
    store.insert_measurements(id, vec![item], now).await.unwrap();
    store.report_status(open.measurement_device, DeviceStatus::default(), now).await.unwrap();
    let id = crate::masking::revoke(store, HouseholdId(revoked.household)).await;
    revoked.household = id.0;
    revoked.meters = store.meters(id).await.unwrap().iter().map(|meter| meter.uuid).collect();
    revoked.pv_systems = store.pv_systems(id).await.unwrap().iter().map(|it| it.uuid).collect();
    Stage { open, fresh, revoked }
}

/// How a database writes values.
struct Dialect {
    uuid: fn(Uuid) -> String,
    /// An instant at which the consenting household consents, and one before.
    now: &'static str,
    early: &'static str,
}

impl Stage {
    /// Fills in the names of a statement.
    fn fill(&self, dialect: &Dialect, sql: &str) -> String {
        let Self { open, fresh, revoked } = self;
        let mut sql = sql.replace("{now}", dialect.now).replace("{early}", dialect.early);
        for (name, made) in [("open", open), ("fresh", fresh), ("revoked", revoked)] {
            for (what, uuid) in [
                ("", made.household),
                (".device", made.measurement_device),
                (".meter", made.meters[0]),
                (".generation", made.meters[1]),
                (".system", made.pv_systems[0]),
            ] {
                sql = sql.replace(&format!("{{{name}{what}}}"), &(dialect.uuid)(uuid));
            }
        }
        while sql.contains("{new}") {
            sql = sql.replacen("{new}", &(dialect.uuid)(Uuid::new_v4()), 1);
        }
        assert!(!sql.contains('{'), "{sql}");
        sql
    }
}

const METER: &str =
    "INSERT INTO meter (uuid, household, type, model, measurement_device, position)";
const SYSTEM: &str = "INSERT INTO pv_system (uuid, household, nominal_power, azimuth, tilt, \
                      installed_on, meter, position)";
const METADATA: &str = "UPDATE metadata SET";
const STATUS: &str = "INSERT INTO measurement_device_status (device, reported_at, clock, notices)";
const MEASUREMENT: &str = "INSERT INTO measurement (meter, slot, measured_at, received_at, data)";
const OF_OTHERS: &str =
    "INSERT INTO measurement (meter, slot, measured_at, received_at, uuid, data)";

/// Where in the measurements a meter is at an instant, by its number there.
fn place(meter: &str, at: &str) -> String {
    format!("coalesce((SELECT number FROM meter WHERE uuid = {meter}), 999), {at}, {at}, {{now}}")
}

/// The row of a slot's measurement.
fn of_slot(meter: &str, at: &str, data: &str) -> String {
    format!("({}, {data})", place(meter, at))
}

/// Statements that are in order: what is like them but for one thing fails for that.
fn allowed() -> Vec<String> {
    [
        // A participant may be the contact of several households.
        "INSERT INTO household (uuid, participant, registered_at) SELECT {new}, participant, {now} \
         FROM household WHERE uuid = {fresh}",
        "INSERT INTO participant (name, email) VALUES ('x', 'x@example.org')",
        "UPDATE consent SET granted_at = {now} WHERE household = {fresh}",
        "UPDATE address SET postal_code = '1010', country = 'AT' WHERE household = {fresh}",
        "INSERT INTO location (household, latitude, longitude) VALUES ({fresh}, 90, -180)",
        &format!("{METADATA} children = 255, adults = 255, adults_with_job = 255"),
        &format!("{METER} VALUES ({{new}}, {{fresh}}, 'ELECTRICITY', 'EHZ', {{fresh.device}}, 9)"),
        &format!("{METER} VALUES ({{new}}, {{fresh}}, 'PV-GENERATION', 'EHZ', NULL, 9)"),
        &format!(
            "{SYSTEM} VALUES ({{new}}, {{fresh}}, '10000', '359.9', '90', '2099-12-31', \
             {{fresh.generation}}, 9)"
        ),
        &format!("{SYSTEM} VALUES ({{new}}, {{fresh}}, '0', '0', '0', '1970-01-01', NULL, 9)"),
        &format!("{STATUS} VALUES ({{fresh.device}}, {{now}}, 'synchronised', 7)"),
        &format!("{MEASUREMENT} VALUES {}", of_slot("{open.meter}", "{now}", "'[]'")),
        &format!("{OF_OTHERS} VALUES ({}, {{new}}, '[]')", place("{open.meter}", "{now}")),
        "INSERT INTO incident VALUES ({open.meter}, 'SERIAL-PORT-UNAVAILABLE', {now}, NULL)",
        "INSERT INTO measurement_device_component VALUES ({open.device}, 'a-1', '0.1 (x)', {now})",
        "INSERT INTO meter_reception VALUES ({open.device}, {open.meter}, 2, 2, 1, 0)",
        "UPDATE household SET participant = NULL, withheld = '1' WHERE uuid = {revoked}",
        "INSERT INTO measurement_device (uuid) VALUES ({new})",
    ]
    .map(str::to_owned)
    .into()
}

/// Statements that break a rule.
fn attacks() -> Vec<String> {
    let mut attacks: Vec<String> = [
        // Participants: one for an e-mail address, without regard to case.
        "INSERT INTO participant (name, email) VALUES ('x', 'OPEN@Example.ORG')",
        "UPDATE participant SET email = 'Fresh@example.org' WHERE email = 'open@example.org'",
        // With another address, another identifier.
        "UPDATE participant SET email = 'new@example.org' WHERE email = 'open@example.org'",
        "UPDATE participant SET uuid = (SELECT uuid FROM participant WHERE email = 'fresh@example.org') \
         WHERE email = 'open@example.org'",
        "INSERT INTO participant (name, email) VALUES ('', 'x@example.org')",
        "INSERT INTO participant (name, email) VALUES ('x', 'example.org')",
        "INSERT INTO participant (name, email) VALUES ('x', '@')",
        "INSERT INTO participant (name, email) VALUES (NULL, 'x@example.org')",
        "DELETE FROM participant WHERE email = 'open@example.org'",
        // Households have one, until they revoke.
        "INSERT INTO household (uuid, participant, registered_at) VALUES ({new}, NULL, {now})",
        "INSERT INTO household (uuid, participant, registered_at) VALUES ({new}, 999, {now})",
        "INSERT INTO household (uuid, participant, registered_at) SELECT uuid, participant, {now} \
         FROM household WHERE uuid = {fresh}",
        "UPDATE household SET participant = NULL WHERE uuid = {open}",
        "UPDATE household SET participant = (SELECT min(id) FROM participant) \
         WHERE uuid = {revoked}",
        "DELETE FROM household WHERE uuid = {fresh}",
        "UPDATE household SET uuid = {new} WHERE uuid = {fresh}",
        "UPDATE household SET uuid = {new} WHERE uuid = {revoked}",
        "UPDATE household SET uuid = released_uuid, released_uuid = NULL WHERE uuid = {open}",
        // Consent: granted once, revoked once.
        "INSERT INTO consent (household) VALUES ({fresh})",
        "INSERT INTO consent (household) VALUES ({new})",
        "INSERT INTO consent (household, granted_at) VALUES ({new}, {now})",
        "UPDATE consent SET granted_at = {early} WHERE household = {open}",
        "UPDATE consent SET granted_at = NULL WHERE household = {open}",
        "UPDATE consent SET revoked_at = {now} WHERE household = {fresh}",
        "UPDATE consent SET revoked_at = {early} WHERE household = {open}",
        "UPDATE consent SET revoked_at = NULL WHERE household = {revoked}",
        "UPDATE consent SET revoked_at = {early} WHERE household = {revoked}",
        "UPDATE consent SET granted_at = NULL, revoked_at = NULL WHERE household = {revoked}",
        "UPDATE consent SET household = {new} WHERE household = {fresh}",
        "DELETE FROM consent WHERE household = {revoked}",
        // Of one in which something was measured.
        "DELETE FROM consent WHERE household = {open}",
        // Address and location.
        "INSERT INTO address VALUES ({revoked}, 'x', '51147', 'x', 'DE')",
        "INSERT INTO address VALUES ({fresh}, 'x', '51147', 'x', 'DE')",
        "UPDATE address SET street = '' WHERE household = {fresh}",
        "UPDATE address SET city = '' WHERE household = {fresh}",
        "UPDATE address SET country = 'de' WHERE household = {fresh}",
        "UPDATE address SET postal_code = '5114' WHERE household = {fresh}",
        "UPDATE address SET postal_code = '5114x' WHERE household = {fresh}",
        "UPDATE address SET postal_code = '12345678901', country = 'AT' WHERE household = {fresh}",
        "INSERT INTO location (household, latitude, longitude) VALUES ({fresh}, 90.1, 0)",
        "INSERT INTO location (household, latitude, longitude) VALUES ({fresh}, -90.1, 0)",
        "INSERT INTO location (household, latitude, longitude) VALUES ({fresh}, 0, 180.1)",
        "INSERT INTO location (household, latitude, longitude) VALUES ({fresh}, 0, -180.1)",
        "INSERT INTO location (household, latitude, longitude) VALUES ({fresh}, NULL, 0)",
        "INSERT INTO location (household, latitude, longitude) VALUES ({new}, 0, 0)",
        // Metadata.
        "INSERT INTO metadata VALUES ({fresh}, 0, 0, 0, '0', '0', '0', 'unknown', 'unknown')",
        "UPDATE metadata SET children = -1",
        "UPDATE metadata SET children = 256",
        "UPDATE metadata SET adults = 256",
        "UPDATE metadata SET adults_with_job = -1",
        "UPDATE metadata SET adults_with_job = adults + 1",
        "UPDATE metadata SET heat_pump = NULL",
        // Meters and devices are one household's.
        "UPDATE meter SET measurement_device = {open.device} WHERE uuid = {fresh.meter}",
        "UPDATE meter SET measurement_device = {new} WHERE uuid = {fresh.meter}",
        "UPDATE meter SET removed_at = {now} WHERE uuid = {open.meter}",
        "UPDATE meter SET household = {open}, measurement_device = NULL WHERE uuid = {fresh.meter}",
        "UPDATE meter SET uuid = {new} WHERE uuid = {open.meter}",
        "UPDATE meter SET uuid = released_uuid WHERE uuid = {open.meter}",
        "UPDATE meter SET uuid = {new} WHERE uuid = {revoked.meter}",
        "UPDATE meter SET household = {open} WHERE uuid = {revoked.meter}",
        "UPDATE pv_system SET uuid = {new} WHERE uuid = {fresh.system}",
        "UPDATE pv_system SET uuid = released_uuid WHERE uuid = {fresh.system}",
        "UPDATE measurement_device SET household = NULL WHERE uuid = {open.device}",
        "UPDATE measurement_device SET household = {open} WHERE uuid = {revoked.device}",
        "UPDATE meter SET type = 'ELECTRICITY' WHERE uuid = {open.generation}",
        "DELETE FROM meter WHERE uuid = {open.meter}",
        "DELETE FROM meter WHERE uuid = {open.generation}",
        "UPDATE measurement_device SET household = {open} WHERE uuid = {fresh.device}",
        "UPDATE measurement_device SET uuid = {new} WHERE uuid = {fresh.device}",
        "DELETE FROM measurement_device WHERE uuid = {fresh.device}",
        "INSERT INTO measurement_device (uuid, household) VALUES ({fresh.device}, {open})",
        // Photovoltaic systems and their meters, too.
        "UPDATE pv_system SET meter = {open.generation} WHERE uuid = {fresh.system}",
        "UPDATE pv_system SET meter = {fresh.meter} WHERE uuid = {fresh.system}",
        "UPDATE pv_system SET household = {open}, meter = NULL WHERE uuid = {fresh.system}",
        "UPDATE pv_system SET nominal_power = '-0.1'",
        "UPDATE pv_system SET nominal_power = '10000.1'",
        "UPDATE pv_system SET nominal_power = NULL",
        "UPDATE pv_system SET azimuth = '-1'",
        "UPDATE pv_system SET azimuth = '360'",
        "UPDATE pv_system SET tilt = '-1'",
        "UPDATE pv_system SET tilt = '90.1'",
        "UPDATE pv_system SET installed_on = '1969-12-31'",
        "UPDATE pv_system SET installed_on = '2100-01-01'",
        "UPDATE pv_system SET installed_on = NULL",
        // Measurements lie within consent and never change.
        "UPDATE measurement SET data = '[1]'",
        "UPDATE measurement SET flags = 1",
        // Incidents.
        "INSERT INTO incident VALUES ({open.meter}, 'OTHER', {now}, NULL)",
        "INSERT INTO incident VALUES ({new}, 'SERIAL-PORT-UNAVAILABLE', {now}, NULL)",
        "INSERT INTO incident VALUES ({open.meter}, 'SERIAL-PORT-UNAVAILABLE', {now}, {early})",
        // What a device tells.
        "UPDATE measurement_device_status SET pending = 1",
        "UPDATE measurement_device_status SET notices = 8",
        "INSERT INTO measurement_device_component VALUES ({fresh.device}, 'a', '1', {now})",
        "INSERT INTO meter_reception VALUES ({open.device}, {open.meter}, 1, 2, NULL, NULL)",
        "INSERT INTO meter_reception VALUES ({open.device}, {open.meter}, 1, 1, 1, NULL)",
        "INSERT INTO meter_reception VALUES ({open.device}, {fresh.meter}, 1, 1, NULL, NULL)",
    ]
    .map(str::to_owned)
    .into();
    let mut add = |what: &str, values: &[&str]| {
        attacks.extend(values.iter().map(|values| format!("{what} VALUES ({values})")));
    };
    add(
        METER,
        &[
            "{new}, {fresh}, 'ELECTRICITY', 'EHZ', {open.device}, 9",
            "{new}, {fresh}, 'GAS', 'EHZ', NULL, 9",
            "{new}, {fresh}, 'ELECTRICITY', '', NULL, 9",
            "{new}, {fresh}, 'ELECTRICITY', 'EHZ', NULL, -1",
            "{new}, {new}, 'ELECTRICITY', 'EHZ', NULL, 9",
            "{open.meter}, {fresh}, 'ELECTRICITY', 'EHZ', NULL, 9",
        ],
    );
    add(
        SYSTEM,
        &[
            "{new}, {fresh}, '1', '0', '0', '2019-01-01', {open.generation}, 9",
            "{new}, {fresh}, '1', '0', '0', '2019-01-01', {fresh.meter}, 9",
            "{new}, {new}, '1', '0', '0', '2019-01-01', NULL, 9",
        ],
    );
    add(
        STATUS,
        &[
            "{revoked.device}, {now}, NULL, 0",
            "{new}, {now}, NULL, 0",
            "{fresh.device}, {now}, 'slow', 0",
            "{fresh.device}, {now}, NULL, -1",
        ],
    );
    add(
        "INSERT INTO measurement_device_component",
        &[
            "{open.device}, 'Reader', '1', {now}",
            "{open.device}, '', '1', {now}",
            "{open.device}, 'reader', '', {now}",
            "{open.device}, 'reader', 'ä', {now}",
        ],
    );
    for (meter, at, data) in [
        ("{open.meter}", "{early}", "'[]'"),
        ("{fresh.meter}", "{now}", "'[]'"),
        ("{revoked.meter}", "{now}", "'[]'"),
        ("{new}", "{now}", "'[]'"),
        ("{open.meter}", "{now}", "NULL"),
    ] {
        attacks.push(format!("{MEASUREMENT} VALUES {}", of_slot(meter, at, data)));
    }
    // One of a slot, and one of an identifier over all meters.
    let once = of_slot("{open.meter}", "{now}", "'[]'");
    attacks.push(format!("{MEASUREMENT} VALUES {once}, {once}"));
    let (one, other) = (place("{open.meter}", "{now}"), place("{open.generation}", "{now}"));
    let uuid = "{open.device}";
    attacks.push(format!("{OF_OTHERS} VALUES ({one}, {uuid}, '[]'), ({other}, {uuid}, '[]')"));
    attacks
}

#[tokio::test]
async fn sqlite_withstands() {
    let (_dir, path) = sqlite::fresh();
    let stage = stage(&sqlite::open(&path).await).await;
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    let dialect = Dialect {
        uuid: |uuid| format!("x'{}'", uuid.simple()),
        now: "1767225660000000",
        early: "1735689600000000",
    };
    for sql in allowed() {
        let sql = stage.fill(&dialect, &sql);
        db.execute_batch(&format!("BEGIN; {sql}; ROLLBACK"))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
    for sql in attacks() {
        let sql = stage.fill(&dialect, &sql);
        let error = db.execute(&sql, []).expect_err(&sql);
        let broken = error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
        assert!(broken, "{sql}: {error}");
    }
    let not_json = format!("{MEASUREMENT} VALUES {}", of_slot("{open.meter}", "{now}", "'['"));
    let error = db.execute(&stage.fill(&dialect, &not_json), []).unwrap_err();
    assert_eq!(error.sqlite_error().unwrap().extended_code, ffi::SQLITE_CONSTRAINT_CHECK);
    // A day's slot at most, an identifier's own time, and nothing that is nearly an identifier.
    let own = "(SELECT number FROM meter WHERE uuid = {open.meter})";
    for (slot, uuid) in [
        ("{now} + 1", "x''"),
        ("{now} - 86400000000", "x''"),
        ("{now} - 1", "{new}"),
        ("{now}", "x'00'"),
    ] {
        let sql = format!("{OF_OTHERS} VALUES ({own}, {slot}, {{now}}, {{now}}, {uuid}, '[]')");
        let error = db.execute(&stage.fill(&dialect, &sql), []).expect_err(&sql).to_string();
        assert!(error.contains("CHECK"), "{sql}: {error}");
    }
    let renumbered = "UPDATE meter SET number = 900 WHERE uuid = {fresh.meter}";
    let error = db.execute(&stage.fill(&dialect, renumbered), []).unwrap_err().to_string();
    assert!(error.contains("stays with its household"), "{error}");
    for wrong in ["'1e3'", "''", "'ten'", "'1 kWp'"] {
        let sql = format!("UPDATE pv_system SET nominal_power = {wrong}");
        let error = db.execute(&sql, []).expect_err(&sql).to_string();
        assert!(error.contains("CHECK"), "{sql}: {error}");
    }
}

#[needs(postgresql)]
#[tokio::test]
async fn postgres_withstands() {
    let fresh = postgres::Fresh::new().await;
    let stage = stage(&*fresh.open().await).await;
    let db = fresh.plain().await;
    let dialect = Dialect {
        uuid: |uuid| format!("'{uuid}'::uuid"),
        now: "'2026-01-01 00:01Z'::timestamptz",
        early: "'2025-01-01 00:00Z'::timestamptz",
    };
    for month in ["{early}", "{now} - interval '24 hours'"] {
        let partition = format!("SELECT make_measurement_partition({month})");
        db.batch_execute(&stage.fill(&dialect, &partition)).await.unwrap();
    }
    for sql in allowed() {
        let sql = stage.fill(&dialect, &sql);
        let done = db.batch_execute(&format!("BEGIN; {sql}; ROLLBACK")).await;
        done.unwrap_or_else(|e| panic!("{sql}: {}", e.as_db_error().unwrap()));
    }
    for sql in attacks() {
        let sql = stage.fill(&dialect, &sql);
        let error = db.execute(&sql, &[]).await.expect_err(&sql);
        let code = error.code().unwrap().code();
        // Constraints' own class, and what the schema's triggers raise.
        let broken = code.starts_with("23") || ["P0001", "EBP01"].contains(&code);
        assert!(broken, "{sql}: {}", error.as_db_error().unwrap());
    }
    let own = "(SELECT number FROM meter WHERE uuid = {open.meter})";
    for (slot, uuid) in [
        ("{now} + interval '1 microsecond'", "NULL"),
        ("{now} - interval '24 hours'", "NULL"),
        ("{now} - interval '1 microsecond'", "{new}"),
    ] {
        let sql = format!("{OF_OTHERS} VALUES ({own}, {slot}, {{now}}, {{now}}, {uuid}, '[]')");
        let sql = stage.fill(&dialect, &sql);
        let error = db.execute(&sql, &[]).await.expect_err(&sql);
        // Its month is there, so that it is the check that refuses.
        let error = error.as_db_error().unwrap();
        assert!(error.message().contains("check constraint"), "{sql}: {error}");
    }
    let renumbered = "UPDATE meter SET number = DEFAULT WHERE uuid = {fresh.meter}";
    let error = db.execute(&stage.fill(&dialect, renumbered), &[]).await.unwrap_err();
    assert!(error.as_db_error().unwrap().message().contains("stays with its household"));
}
