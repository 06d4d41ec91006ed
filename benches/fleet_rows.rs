//! Rows of a fleet for benchmarks, on both databases: devices with two meters each, spread over all
//! states, with 30 days of statuses each.

/// Of each thirteen devices one is in each state. What they told goes through the triggers, as that of
/// real ones does.
pub const SQLITE: &str = "
    BEGIN;
    CREATE TEMP TABLE n AS
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < DEVICES)
        SELECT i, i % 13 AS state, randomblob(16) AS household, randomblob(16) AS device,
               unixepoch() * 1000000 AS now FROM n;
    INSERT INTO participant (id, name, email)
        SELECT i, 'Name ' || i % 100 || ' Further ' || i, i || '@example.org' FROM n;
    INSERT INTO household (uuid, participant, registered_at, released_uuid)
        SELECT household, i, i, randomblob(16) FROM n;
    INSERT INTO consent (household) SELECT household FROM n;
    INSERT INTO measurement_device (uuid, household) SELECT device, household FROM n;
    UPDATE consent SET granted_at = (SELECT now - 31 * 86400000000 FROM n LIMIT 1)
        WHERE household IN (SELECT household FROM n WHERE state <> 10);
    INSERT INTO meter (uuid, household, type, model, measurement_device, position, number, released_uuid)
        SELECT randomblob(16), household, 'ELECTRICITY', 'EHZ', device, k, i * 2 + k, randomblob(16)
        FROM n, (SELECT 0 AS k UNION SELECT 1);
    INSERT INTO meter_latest (meter, measured_at, received_at)
        SELECT i * 2 + k, now - 1000000 * CASE state WHEN 2 THEN 20000 ELSE i % 1000 END,
               now - 1000000 * CASE state WHEN 1 THEN 20000 ELSE i % 1000 END
        FROM n, (SELECT 0 AS k UNION SELECT 1) WHERE state NOT IN (0, 10);
    INSERT INTO measurement_device_status
            (device, reported_at, clock, pending, refused, unplaced, bytes, notices)
        SELECT device, now - 1000000 * CASE state WHEN 1 THEN 20000 ELSE i % 1000 END,
               iif(state = 5, 'unsynchronised', 'synchronised'), 4, 0, 0, 81920, 2 * (state = 6)
        FROM n WHERE state NOT IN (0, 10);
    INSERT INTO measurement_device_component (device, component, version, since)
        SELECT device, component, iif(state = 8, '0.1.0', '0.2.0'), now
        FROM n, (SELECT 'reader' AS component UNION SELECT 'transmitter') WHERE state NOT IN (0, 10);
    INSERT INTO meter_reception (device, meter, telegrams, damaged)
        SELECT device, uuid, 1000, iif(state = 4, 300, i % 20)
        FROM n JOIN meter ON measurement_device = device WHERE state NOT IN (0, 10);
    INSERT INTO device_day (device, day, version, pending, bytes, telegrams, damaged)
        SELECT device, now / 86400000000 - day.k, '0.2.0', 4, 81920, 96, 1
        FROM n, (WITH RECURSIVE d (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM d WHERE k < 29)
                 SELECT k FROM d) AS day
        WHERE state NOT IN (0, 10);
    INSERT INTO incident (meter, type, reported_at)
        SELECT uuid, 'OBIS-CODES-UNAVAILABLE', now FROM n JOIN meter ON measurement_device = device
        WHERE state = 3;
    INSERT INTO certificate (serial, device, scopes, not_before, not_after)
        SELECT randomblob(16), device, 'consent measurement-write', now,
               now + 86400000000 * iif(state = 7, 10, 60) FROM n;
    UPDATE consent SET revoked_at = granted_at
        WHERE household IN (SELECT household FROM n WHERE state >= 11);
    UPDATE household SET participant = NULL WHERE uuid IN (SELECT household FROM n WHERE state >= 11);
    UPDATE meter SET measurement_device = NULL
        WHERE household IN (SELECT household FROM n WHERE state >= 11);
    UPDATE measurement_device SET household = NULL
        WHERE household IN (SELECT household FROM n WHERE state >= 11);
    UPDATE fleet_device SET speaks_on = 1 WHERE device IN (SELECT device FROM n WHERE state = 12);
    COMMIT;
    ANALYZE";

/// The same.
pub const POSTGRES: &str = "
    CREATE TEMP TABLE n AS
        SELECT i, i % 13 AS state, gen_random_uuid() AS household, gen_random_uuid() AS device,
               now() AS now FROM generate_series(1, DEVICES) AS i;
    INSERT INTO participant (id, name, email)
        SELECT i, 'Name ' || i % 100 || ' Further ' || i, i || '@example.org' FROM n;
    INSERT INTO household (uuid, participant, registered_at, released_uuid)
        SELECT household, i, now + i * interval '1 us', gen_random_uuid() FROM n;
    INSERT INTO consent (household) SELECT household FROM n;
    INSERT INTO measurement_device (uuid, household) SELECT device, household FROM n;
    UPDATE consent SET granted_at = now() - interval '31 d'
        WHERE household IN (SELECT household FROM n WHERE state <> 10);
    INSERT INTO meter (uuid, household, type, model, measurement_device, position, number, released_uuid)
        SELECT gen_random_uuid(), household, 'ELECTRICITY', 'EHZ', device, k, i * 2 + k, gen_random_uuid()
        FROM n, generate_series(0, 1) AS k;
    INSERT INTO meter_latest (meter, measured_at, received_at)
        SELECT i * 2 + k, now - interval '1 s' * CASE state WHEN 2 THEN 20000 ELSE i % 1000 END,
               now - interval '1 s' * CASE state WHEN 1 THEN 20000 ELSE i % 1000 END
        FROM n, generate_series(0, 1) AS k WHERE state NOT IN (0, 10);
    INSERT INTO measurement_device_status
            (device, reported_at, clock, pending, refused, unplaced, bytes, notices)
        SELECT device, now - interval '1 s' * CASE state WHEN 1 THEN 20000 ELSE i % 1000 END,
               CASE state WHEN 5 THEN 'unsynchronised' ELSE 'synchronised' END, 4, 0, 0, 81920,
               CASE state WHEN 6 THEN 2 ELSE 0 END
        FROM n WHERE state NOT IN (0, 10);
    INSERT INTO measurement_device_component (device, component, version, since)
        SELECT device, component, CASE state WHEN 8 THEN '0.1.0' ELSE '0.2.0' END, now
        FROM n, unnest(ARRAY['reader', 'transmitter']) AS component WHERE state NOT IN (0, 10);
    INSERT INTO meter_reception (device, meter, telegrams, damaged)
        SELECT device, uuid, 1000, CASE state WHEN 4 THEN 300 ELSE i % 20 END
        FROM n JOIN meter ON measurement_device = device WHERE state NOT IN (0, 10);
    INSERT INTO device_day (device, day, version, pending, bytes, telegrams, damaged)
        SELECT device, fleet_day(now) - k, '0.2.0', 4, 81920, 96, 1
        FROM n, generate_series(1, 29) AS k WHERE state NOT IN (0, 10);
    INSERT INTO incident (meter, type, reported_at)
        SELECT uuid, 'OBIS-CODES-UNAVAILABLE', now FROM n JOIN meter ON measurement_device = device
        WHERE state = 3;
    INSERT INTO certificate (serial, device, scopes, not_before, not_after)
        SELECT decode(md5(i::text), 'hex'), device, 'consent measurement-write', now,
               now + CASE state WHEN 7 THEN interval '10 d' ELSE interval '60 d' END FROM n;
    UPDATE consent SET revoked_at = granted_at
        WHERE household IN (SELECT household FROM n WHERE state >= 11);
    UPDATE household SET participant = NULL WHERE uuid IN (SELECT household FROM n WHERE state >= 11);
    UPDATE meter SET measurement_device = NULL
        WHERE household IN (SELECT household FROM n WHERE state >= 11);
    UPDATE measurement_device SET household = NULL
        WHERE household IN (SELECT household FROM n WHERE state >= 11);
    UPDATE fleet_device SET speaks_on = true WHERE device IN (SELECT device FROM n WHERE state = 12);
    ANALYZE";
