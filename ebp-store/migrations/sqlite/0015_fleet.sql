-- The state of the fleet of devices, its histories, and the answers about how a household's meters are
-- wired.

-- The latest measurement of a meter: written with the measurements of a report.
CREATE TABLE meter_latest (
    meter       INTEGER PRIMARY KEY REFERENCES meter (number) ON UPDATE CASCADE ON DELETE CASCADE,
    measured_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    flags       INTEGER
) STRICT;

-- What the state of a device is judged by, one row for each device: the list of all devices reads this
-- table alone. Triggers keep it, so that no writer forgets it. Of a household that revoked its consent
-- nothing is left here but that it did.
CREATE TABLE fleet_device (
    device          BLOB PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    -- 0 not granted, 1 granted, 2 revoked
    consent         INTEGER NOT NULL CHECK (consent BETWEEN 0 AND 2),
    granted_at      INTEGER,
    last_report     INTEGER,
    -- How many meters it reads, how many of them were never measured, and the oldest of the latest
    -- measurements of the others.
    meters          INTEGER NOT NULL DEFAULT 0,
    unmeasured      INTEGER NOT NULL DEFAULT 0,
    measured_at     INTEGER,
    -- How many of its meters show another meter's number, and how many incidents are open.
    another_meter   INTEGER NOT NULL DEFAULT 0,
    incidents       INTEGER NOT NULL DEFAULT 0,
    -- The largest share of damaged telegrams of a meter, in ten-thousandths; and the largest of those
    -- that are larger than in the status before.
    damaged         INTEGER,
    rising          INTEGER,
    clock_wrong     INTEGER NOT NULL DEFAULT 0 CHECK (clock_wrong IN (0, 1)),
    spool_trouble   INTEGER NOT NULL DEFAULT 0 CHECK (spool_trouble IN (0, 1)),
    pending         INTEGER,
    version         TEXT,
    -- When the first of its certificates ends that none of the same scopes follows.
    certificate_end INTEGER
) STRICT, WITHOUT ROWID;

-- What is there already.
INSERT INTO meter_latest (meter, measured_at, received_at, flags)
    SELECT number, measured_at, received_at, flags
    FROM meter JOIN measurement ON measurement.meter = number AND slot = (
        SELECT slot FROM measurement AS last
        WHERE last.meter = number ORDER BY slot DESC LIMIT 1
    ) WHERE true
    ON CONFLICT (meter) DO UPDATE SET measured_at = excluded.measured_at,
        received_at = excluded.received_at, flags = excluded.flags
    WHERE excluded.measured_at > meter_latest.measured_at;
INSERT INTO fleet_device (device, consent, granted_at)
    SELECT uuid,
           CASE WHEN consent.household IS NULL OR revoked_at IS NOT NULL THEN 2
                WHEN granted_at IS NULL THEN 0 ELSE 1 END,
           CASE WHEN revoked_at IS NULL THEN granted_at END
    FROM measurement_device LEFT JOIN consent USING (household);
UPDATE fleet_device
SET (meters, unmeasured, measured_at, another_meter) =
        (SELECT count(*), coalesce(sum(latest.meter IS NULL), 0), min(latest.measured_at),
                coalesce(sum(coalesce(latest.flags, 0) >> 7 & 1), 0)
         FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
         WHERE measurement_device = fleet_device.device),
    incidents = (SELECT count(*) FROM meter JOIN incident ON incident.meter = meter.uuid
                     WHERE measurement_device = fleet_device.device AND resolved_at IS NULL),
    (damaged, rising) =
        (SELECT max(CAST(damaged * 10000.0 / telegrams AS INTEGER)),
                max(CASE WHEN damaged * 1.0 * telegrams_before > damaged_before * 1.0 * telegrams
                         THEN CAST(damaged * 10000.0 / telegrams AS INTEGER) END)
         FROM meter_reception WHERE telegrams > 0 AND device = fleet_device.device),
    version = (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = fleet_device.device),
    certificate_end = (SELECT min(last) FROM (SELECT max(not_after) AS last FROM certificate
                           WHERE device = fleet_device.device AND revoked_at IS NULL GROUP BY scopes)),
    last_report =
        (SELECT nullif(max(at), 0) FROM (
            SELECT coalesce(max(received_at), 0) AS at
            FROM meter JOIN meter_latest ON meter_latest.meter = number
            WHERE measurement_device = fleet_device.device
            UNION ALL SELECT reported_at FROM measurement_device_status AS status
            WHERE status.device = fleet_device.device
            UNION ALL SELECT coalesce(last_report, 0) FROM measurement_device
            WHERE uuid = fleet_device.device)),
    (clock_wrong, spool_trouble, pending) =
        (SELECT coalesce(max(clock = 'unsynchronised'), 0), coalesce(max(notices & 6 <> 0), 0), max(pending)
         FROM measurement_device_status AS status WHERE status.device = fleet_device.device)
WHERE consent < 2;

-- A device comes with its household's consent.
CREATE TRIGGER fleet_takes_device AFTER INSERT ON measurement_device
BEGIN
    INSERT INTO fleet_device (device, consent, granted_at)
    SELECT NEW.uuid, CASE WHEN consent.household IS NULL OR revoked_at IS NOT NULL THEN 2
                          WHEN granted_at IS NULL THEN 0 ELSE 1 END,
           CASE WHEN revoked_at IS NULL THEN granted_at END
    FROM (SELECT 1) LEFT JOIN consent ON consent.household = NEW.household;
END;
CREATE TRIGGER fleet_follows_grant AFTER UPDATE OF granted_at ON consent
WHEN NEW.granted_at IS NOT NULL AND NEW.revoked_at IS NULL
BEGIN
    UPDATE fleet_device SET consent = 1, granted_at = NEW.granted_at
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;

-- What a meter adds to its device.
CREATE TRIGGER fleet_follows_measurement AFTER INSERT ON meter_latest
BEGIN
    UPDATE fleet_device
    SET (unmeasured, measured_at, another_meter, last_report) =
        (SELECT coalesce(sum(latest.meter IS NULL), 0), min(latest.measured_at),
                coalesce(sum(coalesce(latest.flags, 0) >> 7 & 1), 0),
                max(coalesce(fleet_device.last_report, NEW.received_at), NEW.received_at)
         FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
         WHERE measurement_device = fleet_device.device)
    WHERE consent < 2
        AND device = (SELECT measurement_device FROM meter WHERE number = NEW.meter);
END;
CREATE TRIGGER fleet_follows_later_measurement AFTER UPDATE ON meter_latest
BEGIN
    UPDATE fleet_device
    SET (unmeasured, measured_at, another_meter, last_report) =
        (SELECT coalesce(sum(latest.meter IS NULL), 0), min(latest.measured_at),
                coalesce(sum(coalesce(latest.flags, 0) >> 7 & 1), 0),
                max(coalesce(fleet_device.last_report, NEW.received_at), NEW.received_at)
         FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
         WHERE measurement_device = fleet_device.device)
    WHERE consent < 2
        AND device = (SELECT measurement_device FROM meter WHERE number = NEW.meter);
END;
CREATE TRIGGER fleet_takes_meter AFTER INSERT ON meter WHEN NEW.measurement_device IS NOT NULL
BEGIN
    UPDATE fleet_device SET meters = meters + 1, unmeasured = unmeasured + 1
    WHERE device = NEW.measurement_device AND consent < 2;
END;
CREATE TRIGGER fleet_loses_meter AFTER DELETE ON meter WHEN OLD.measurement_device IS NOT NULL
BEGIN
    UPDATE fleet_device
    SET (meters, unmeasured, measured_at, another_meter) =
            (SELECT count(*), coalesce(sum(latest.meter IS NULL), 0), min(latest.measured_at),
                coalesce(sum(coalesce(latest.flags, 0) >> 7 & 1), 0)
         FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
         WHERE measurement_device = fleet_device.device),
        incidents = (SELECT count(*) FROM meter JOIN incident ON incident.meter = meter.uuid
                     WHERE measurement_device = fleet_device.device AND resolved_at IS NULL)
    WHERE device = OLD.measurement_device AND consent < 2;
END;
CREATE TRIGGER fleet_moves_meter AFTER UPDATE OF measurement_device ON meter
WHEN NEW.measurement_device IS NOT OLD.measurement_device
BEGIN
    UPDATE fleet_device
    SET (meters, unmeasured, measured_at, another_meter) =
            (SELECT count(*), coalesce(sum(latest.meter IS NULL), 0), min(latest.measured_at),
                coalesce(sum(coalesce(latest.flags, 0) >> 7 & 1), 0)
         FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
         WHERE measurement_device = fleet_device.device),
        incidents = (SELECT count(*) FROM meter JOIN incident ON incident.meter = meter.uuid
                     WHERE measurement_device = fleet_device.device AND resolved_at IS NULL)
    WHERE device IN (OLD.measurement_device, NEW.measurement_device) AND consent < 2;
END;
CREATE TRIGGER fleet_opens_incident AFTER INSERT ON incident
BEGIN
    UPDATE fleet_device
    SET incidents = (SELECT count(*) FROM meter JOIN incident ON incident.meter = meter.uuid
                     WHERE measurement_device = fleet_device.device AND resolved_at IS NULL)
    WHERE device = (SELECT measurement_device FROM meter WHERE uuid = NEW.meter) AND consent < 2;
END;
CREATE TRIGGER fleet_follows_incident AFTER UPDATE ON incident
BEGIN
    UPDATE fleet_device
    SET incidents = (SELECT count(*) FROM meter JOIN incident ON incident.meter = meter.uuid
                     WHERE measurement_device = fleet_device.device AND resolved_at IS NULL)
    WHERE device = (SELECT measurement_device FROM meter WHERE uuid = NEW.meter) AND consent < 2;
END;

-- A report of which nothing is the latest.
CREATE TRIGGER fleet_follows_report AFTER UPDATE OF last_report ON measurement_device
WHEN NEW.last_report IS NOT NULL AND NEW.last_report IS NOT OLD.last_report
BEGIN
    UPDATE fleet_device
    SET last_report = max(coalesce(last_report, NEW.last_report), NEW.last_report)
    WHERE device = NEW.uuid AND consent < 2;
END;

-- What a device's status adds.
CREATE TRIGGER fleet_takes_status AFTER INSERT ON measurement_device_status
BEGIN
    UPDATE fleet_device
    SET last_report = max(coalesce(last_report, NEW.reported_at), NEW.reported_at),
        clock_wrong = coalesce(NEW.clock = 'unsynchronised', 0),
        spool_trouble = NEW.notices & 6 <> 0, pending = NEW.pending
    WHERE device = NEW.device AND consent < 2;
END;
CREATE TRIGGER fleet_follows_status AFTER UPDATE ON measurement_device_status
BEGIN
    UPDATE fleet_device
    SET last_report = max(coalesce(last_report, NEW.reported_at), NEW.reported_at),
        clock_wrong = coalesce(NEW.clock = 'unsynchronised', 0),
        spool_trouble = NEW.notices & 6 <> 0, pending = NEW.pending
    WHERE device = NEW.device AND consent < 2;
END;
CREATE TRIGGER fleet_takes_version AFTER INSERT ON measurement_device_component
BEGIN
    UPDATE fleet_device
    SET version = (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = fleet_device.device)
    WHERE device = NEW.device AND consent < 2;
END;
CREATE TRIGGER fleet_follows_version AFTER UPDATE ON measurement_device_component
BEGIN
    UPDATE fleet_device
    SET version = (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = fleet_device.device)
    WHERE device = NEW.device AND consent < 2;
END;
CREATE TRIGGER fleet_loses_version AFTER DELETE ON measurement_device_component
BEGIN
    UPDATE fleet_device
    SET version = (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = fleet_device.device)
    WHERE device = OLD.device AND consent < 2;
END;
CREATE TRIGGER fleet_takes_reception AFTER INSERT ON meter_reception
BEGIN
    UPDATE fleet_device
    SET (damaged, rising) = (SELECT max(CAST(damaged * 10000.0 / telegrams AS INTEGER)),
                max(CASE WHEN damaged * 1.0 * telegrams_before > damaged_before * 1.0 * telegrams
                         THEN CAST(damaged * 10000.0 / telegrams AS INTEGER) END)
         FROM meter_reception WHERE telegrams > 0 AND device = fleet_device.device)
    WHERE device = NEW.device AND consent < 2;
END;
CREATE TRIGGER fleet_follows_reception AFTER UPDATE ON meter_reception
BEGIN
    UPDATE fleet_device
    SET (damaged, rising) = (SELECT max(CAST(damaged * 10000.0 / telegrams AS INTEGER)),
                max(CASE WHEN damaged * 1.0 * telegrams_before > damaged_before * 1.0 * telegrams
                         THEN CAST(damaged * 10000.0 / telegrams AS INTEGER) END)
         FROM meter_reception WHERE telegrams > 0 AND device = fleet_device.device)
    WHERE device = NEW.device AND consent < 2;
END;
CREATE TRIGGER fleet_loses_reception AFTER DELETE ON meter_reception
BEGIN
    UPDATE fleet_device
    SET (damaged, rising) = (SELECT max(CAST(damaged * 10000.0 / telegrams AS INTEGER)),
                max(CASE WHEN damaged * 1.0 * telegrams_before > damaged_before * 1.0 * telegrams
                         THEN CAST(damaged * 10000.0 / telegrams AS INTEGER) END)
         FROM meter_reception WHERE telegrams > 0 AND device = fleet_device.device)
    WHERE device = OLD.device AND consent < 2;
END;
CREATE TRIGGER fleet_takes_certificate AFTER INSERT ON certificate WHEN NEW.device IS NOT NULL
BEGIN
    UPDATE fleet_device
    SET certificate_end = (SELECT min(last) FROM (SELECT max(not_after) AS last FROM certificate
                           WHERE device = fleet_device.device AND revoked_at IS NULL GROUP BY scopes))
    WHERE device = NEW.device AND consent < 2;
END;
CREATE TRIGGER fleet_follows_certificate AFTER UPDATE OF revoked_at ON certificate
WHEN NEW.device IS NOT NULL
BEGIN
    UPDATE fleet_device
    SET certificate_end = (SELECT min(last) FROM (SELECT max(not_after) AS last FROM certificate
                           WHERE device = fleet_device.device AND revoked_at IS NULL GROUP BY scopes))
    WHERE device = NEW.device AND consent < 2;
END;

-- Histories, of 400 days.

-- Incidents that were open before: the incident of the type began anew.
CREATE TABLE incident_episode (
    meter       BLOB NOT NULL REFERENCES meter (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    type        TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    resolved_at INTEGER NOT NULL CHECK (resolved_at >= reported_at),
    PRIMARY KEY (meter, reported_at, type)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER incident_keeps_its_past AFTER UPDATE ON incident
WHEN OLD.resolved_at IS NOT NULL AND NEW.resolved_at IS NULL
BEGIN
    INSERT INTO incident_episode (meter, type, reported_at, resolved_at)
    VALUES (OLD.meter, OLD.type, OLD.reported_at, OLD.resolved_at)
    ON CONFLICT DO UPDATE SET resolved_at = max(resolved_at, excluded.resolved_at);
    DELETE FROM incident_episode
    WHERE meter = OLD.meter AND resolved_at < NEW.reported_at - 34560000000000;
END;

-- A row for each day (since the Unix epoch, UTC) on which a device told its status.
CREATE TABLE device_day (
    device    BLOB NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    day       INTEGER NOT NULL,
    version   TEXT,
    -- The largest of the day.
    pending   INTEGER,
    bytes     INTEGER,
    -- Sums over the statuses of the day and the meters.
    telegrams INTEGER NOT NULL DEFAULT 0,
    damaged   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_day_by_day ON device_day (day);
CREATE TRIGGER day_takes_status AFTER INSERT ON measurement_device_status
BEGIN
    INSERT INTO device_day (device, day, version, pending, bytes)
    VALUES (NEW.device, NEW.reported_at / 86400000000,
        (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = NEW.device),
        NEW.pending, NEW.bytes)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER day_follows_status AFTER UPDATE ON measurement_device_status
BEGIN
    INSERT INTO device_day (device, day, version, pending, bytes)
    VALUES (NEW.device, NEW.reported_at / 86400000000,
        (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = NEW.device),
        NEW.pending, NEW.bytes)
    ON CONFLICT DO UPDATE SET
        pending = max(coalesce(pending, excluded.pending), coalesce(excluded.pending, pending)),
        bytes = max(coalesce(bytes, excluded.bytes), coalesce(excluded.bytes, bytes));
    DELETE FROM device_day WHERE day < NEW.reported_at / 86400000000 - 400;
END;
CREATE TRIGGER day_takes_version AFTER INSERT ON measurement_device_component
BEGIN
    UPDATE device_day
    SET version = (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = device_day.device)
    WHERE device = NEW.device AND day = (
        SELECT reported_at / 86400000000 FROM measurement_device_status WHERE device = NEW.device);
END;
CREATE TRIGGER day_follows_version AFTER UPDATE ON measurement_device_component
BEGIN
    UPDATE device_day
    SET version = (SELECT coalesce(max(CASE WHEN component = 'transmitter' THEN version END), min(version))
         FROM measurement_device_component WHERE device = device_day.device)
    WHERE device = NEW.device AND day = (
        SELECT reported_at / 86400000000 FROM measurement_device_status WHERE device = NEW.device);
END;
CREATE TRIGGER day_takes_reception AFTER INSERT ON meter_reception
BEGIN
    UPDATE device_day SET telegrams = telegrams + NEW.telegrams, damaged = damaged + NEW.damaged
    WHERE device = NEW.device AND day = (
        SELECT reported_at / 86400000000 FROM measurement_device_status WHERE device = NEW.device);
END;
CREATE TRIGGER day_follows_reception AFTER UPDATE ON meter_reception
BEGIN
    UPDATE device_day SET telegrams = telegrams + NEW.telegrams, damaged = damaged + NEW.damaged
    WHERE device = NEW.device AND day = (
        SELECT reported_at / 86400000000 FROM measurement_device_status WHERE device = NEW.device);
END;

-- Devices of which an administrator wants to hear nothing for a while.
CREATE TABLE device_silence (
    device         BLOB PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    reason         TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    begun_at       INTEGER NOT NULL,
    -- When it ends; at the latest, if it ends with the device's recovery.
    ends_at        INTEGER,
    until_recovery INTEGER NOT NULL CHECK (until_recovery IN (0, 1)),
    CHECK (ends_at IS NOT NULL OR until_recovery)
) STRICT, WITHOUT ROWID;

-- A revocation erases all of it, whichever server handles it.
CREATE TRIGGER revocation_forgets_fleet AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    UPDATE fleet_device
    SET consent = 2, granted_at = NULL, last_report = NULL, meters = 0, unmeasured = 0,
        measured_at = NULL, another_meter = 0, incidents = 0, damaged = NULL, rising = NULL,
        clock_wrong = 0, spool_trouble = 0, pending = NULL, version = NULL, certificate_end = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    DELETE FROM device_silence
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    DELETE FROM meter_latest
    WHERE meter IN (SELECT number FROM meter WHERE household = NEW.household);
    DELETE FROM incident_episode
    WHERE meter IN (SELECT uuid FROM meter WHERE household = NEW.household);
END;

-- How the photovoltaic systems are wired, where a battery is connected, and which register of a
-- generation meter counts what is generated. Nobody was asked before.
ALTER TABLE metadata ADD COLUMN metering_concept TEXT NOT NULL DEFAULT 'unknown' CHECK (
    metering_concept IN ('surplus-feed-in', 'full-feed-in', 'cascade', 'no-system', 'unknown'));
ALTER TABLE metadata ADD COLUMN battery TEXT NOT NULL DEFAULT 'unknown' CHECK (
    battery IN ('none', 'ac', 'dc', 'unknown'));
ALTER TABLE meter ADD COLUMN generation_register TEXT CHECK (
    generation_register IN ('1.8.0', '2.8.0'));
