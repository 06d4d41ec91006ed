-- The state of the fleet of devices, its histories, and the answers about how a household's meters are
-- wired; with the same rules as in SQLite's schema.

-- The latest measurement of a meter: written with the measurements of a report.
CREATE TABLE meter_latest (
    meter       integer PRIMARY KEY REFERENCES meter (number) ON UPDATE CASCADE ON DELETE CASCADE,
    measured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    flags       smallint
) WITH (fillfactor = 70);

-- What the state of a device is judged by, one row for each device: the list of all devices reads this
-- table alone. Triggers keep it, so that no writer forgets it. Of a household that revoked its consent
-- nothing is left here but that it did.
CREATE TABLE fleet_device (
    device          uuid PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    -- 0 not granted, 1 granted, 2 revoked
    consent         smallint NOT NULL CHECK (consent BETWEEN 0 AND 2),
    granted_at      timestamptz,
    last_report     timestamptz,
    -- How many meters it reads, how many of them were never measured, and the oldest of the latest
    -- measurements of the others.
    meters          bigint NOT NULL DEFAULT 0,
    unmeasured      bigint NOT NULL DEFAULT 0,
    measured_at     timestamptz,
    -- How many of its meters show another meter's number, and how many incidents are open.
    another_meter   bigint NOT NULL DEFAULT 0,
    incidents       bigint NOT NULL DEFAULT 0,
    -- The largest share of damaged telegrams of a meter, in ten-thousandths; and the largest of those
    -- that are larger than in the status before.
    damaged         bigint,
    rising          bigint,
    clock_wrong     boolean NOT NULL DEFAULT false,
    spool_trouble   boolean NOT NULL DEFAULT false,
    pending         bigint,
    version         text,
    -- When the first of its certificates ends that none of the same scopes follows.
    certificate_end timestamptz
) WITH (fillfactor = 70);

-- How many meters a device reads, how many were never measured, the oldest of the others' latest
-- measurements, and how many show another meter's number.
CREATE FUNCTION fleet_meters(of_device uuid, OUT meters bigint, OUT unmeasured bigint,
                             OUT measured_at timestamptz, OUT another_meter bigint)
LANGUAGE sql STABLE AS $$
    SELECT count(*), count(*) FILTER (WHERE latest.meter IS NULL), min(latest.measured_at),
           count(*) FILTER (WHERE latest.flags >> 7 & 1 = 1)
    FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
    WHERE measurement_device = of_device
$$;
CREATE FUNCTION fleet_incidents(of_device uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM meter JOIN incident ON incident.meter = meter.uuid
    WHERE measurement_device = of_device AND resolved_at IS NULL
$$;
CREATE FUNCTION fleet_receptions(of_device uuid, OUT damaged bigint, OUT rising bigint)
LANGUAGE sql STABLE AS $$
    SELECT max(trunc(damaged * 10000::float8 / telegrams))::bigint,
           max(trunc(damaged * 10000::float8 / telegrams))
               FILTER (WHERE damaged::float8 * telegrams_before > damaged_before::float8 * telegrams)
               ::bigint
    FROM meter_reception WHERE device = of_device AND telegrams > 0
$$;
CREATE FUNCTION fleet_version(of_device uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(version) FILTER (WHERE component = 'transmitter'),
                    min(version COLLATE "C"))
    FROM measurement_device_component WHERE device = of_device
$$;
CREATE FUNCTION fleet_certificate(of_device uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(last) FROM (
        SELECT max(not_after) AS last FROM certificate
        WHERE device = of_device AND revoked_at IS NULL GROUP BY scopes
    ) AS of_scopes
$$;
CREATE FUNCTION fleet_day(at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT (at AT TIME ZONE 'UTC')::date - '1970-01-01'::date
$$;

-- What is there already.
INSERT INTO meter_latest (meter, measured_at, received_at, flags)
    SELECT number, last.measured_at, last.received_at, last.flags
    FROM meter CROSS JOIN LATERAL (
        SELECT measured_at, received_at, flags FROM listed_measurement
        WHERE listed_measurement.meter = number ORDER BY slot DESC LIMIT 1
    ) AS last;
INSERT INTO fleet_device
        (device, consent, granted_at, last_report, meters, unmeasured, measured_at, another_meter,
         incidents, damaged, rising, clock_wrong, spool_trouble, pending, version, certificate_end)
    SELECT uuid, CASE WHEN granted_at IS NULL THEN 0 ELSE 1 END, granted_at,
           greatest(last_report, reported_at, (
               SELECT max(latest.received_at)
               FROM meter JOIN meter_latest AS latest ON latest.meter = number
               WHERE measurement_device = measurement_device.uuid)),
           of_meters.meters, of_meters.unmeasured, of_meters.measured_at, of_meters.another_meter,
           fleet_incidents(uuid), of_receptions.damaged, of_receptions.rising,
           coalesce(clock = 'unsynchronised', false), coalesce(notices & 6 <> 0, false), pending,
           fleet_version(uuid), fleet_certificate(uuid)
    FROM measurement_device
    JOIN consent USING (household)
    LEFT JOIN measurement_device_status AS status ON status.device = uuid
    CROSS JOIN LATERAL fleet_meters(uuid) AS of_meters
    CROSS JOIN LATERAL fleet_receptions(uuid) AS of_receptions
    WHERE revoked_at IS NULL;
INSERT INTO fleet_device (device, consent)
    SELECT uuid, 2 FROM measurement_device LEFT JOIN consent USING (household)
    WHERE consent.household IS NULL OR revoked_at IS NOT NULL;

-- A device comes with its household's consent.
CREATE FUNCTION fleet_takes_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fleet_device (device, consent, granted_at)
    SELECT NEW.uuid, CASE WHEN consent.household IS NULL OR revoked_at IS NOT NULL THEN 2
                          WHEN granted_at IS NULL THEN 0 ELSE 1 END,
           CASE WHEN revoked_at IS NULL THEN granted_at END
    FROM (SELECT) AS device LEFT JOIN consent ON consent.household = NEW.household;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_takes_device AFTER INSERT ON measurement_device
    FOR EACH ROW EXECUTE FUNCTION fleet_takes_device();
CREATE FUNCTION fleet_follows_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE fleet_device SET consent = 1, granted_at = NEW.granted_at
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_grant AFTER UPDATE OF granted_at ON consent
    FOR EACH ROW WHEN (NEW.granted_at IS NOT NULL AND NEW.revoked_at IS NULL)
    EXECUTE FUNCTION fleet_follows_grant();

-- What a meter adds to its device.
CREATE FUNCTION fleet_follows_measurement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_device uuid := (SELECT measurement_device FROM meter WHERE number = NEW.meter);
BEGIN
    IF of_device IS NOT NULL THEN
        UPDATE fleet_device AS fleet
        SET unmeasured = now.unmeasured, measured_at = now.measured_at,
            another_meter = now.another_meter,
            last_report = greatest(last_report, NEW.received_at)
        FROM fleet_meters(of_device) AS now
        WHERE device = of_device AND consent < 2;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_measurement AFTER INSERT OR UPDATE ON meter_latest
    FOR EACH ROW EXECUTE FUNCTION fleet_follows_measurement();
CREATE FUNCTION fleet_follows_meter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_device uuid;
BEGIN
    FOR of_device IN SELECT DISTINCT device FROM unnest(CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.measurement_device]
        WHEN 'DELETE' THEN ARRAY[OLD.measurement_device]
        ELSE ARRAY[OLD.measurement_device, NEW.measurement_device] END) AS device
        WHERE device IS NOT NULL ORDER BY device
    LOOP
        UPDATE fleet_device AS fleet
        SET meters = now.meters, unmeasured = now.unmeasured, measured_at = now.measured_at,
            another_meter = now.another_meter, incidents = fleet_incidents(of_device)
        FROM fleet_meters(of_device) AS now
        WHERE device = of_device AND consent < 2;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_takes_meter AFTER INSERT OR DELETE ON meter
    FOR EACH ROW EXECUTE FUNCTION fleet_follows_meter();
CREATE TRIGGER fleet_moves_meter AFTER UPDATE OF measurement_device ON meter
    FOR EACH ROW WHEN (NEW.measurement_device IS DISTINCT FROM OLD.measurement_device)
    EXECUTE FUNCTION fleet_follows_meter();
CREATE FUNCTION fleet_follows_incident() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_device uuid := (SELECT measurement_device FROM meter WHERE uuid = NEW.meter);
BEGIN
    IF of_device IS NOT NULL THEN
        UPDATE fleet_device SET incidents = fleet_incidents(of_device)
        WHERE device = of_device AND consent < 2;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_incident AFTER INSERT OR UPDATE ON incident
    FOR EACH ROW EXECUTE FUNCTION fleet_follows_incident();

-- A report of which nothing is the latest.
CREATE FUNCTION fleet_follows_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE fleet_device SET last_report = greatest(last_report, NEW.last_report)
    WHERE device = NEW.uuid AND consent < 2;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_report AFTER UPDATE OF last_report ON measurement_device
    FOR EACH ROW WHEN (NEW.last_report IS DISTINCT FROM OLD.last_report AND NEW.last_report IS NOT NULL)
    EXECUTE FUNCTION fleet_follows_report();

-- What a device's status adds.
CREATE FUNCTION fleet_follows_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE fleet_device
    SET last_report = greatest(last_report, NEW.reported_at),
        clock_wrong = coalesce(NEW.clock = 'unsynchronised', false),
        spool_trouble = NEW.notices & 6 <> 0, pending = NEW.pending
    WHERE device = NEW.device AND consent < 2;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_status AFTER INSERT OR UPDATE ON measurement_device_status
    FOR EACH ROW EXECUTE FUNCTION fleet_follows_status();
CREATE FUNCTION fleet_follows_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_device uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.device ELSE NEW.device END;
BEGIN
    UPDATE fleet_device SET version = fleet_version(of_device)
    WHERE device = of_device AND consent < 2;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_version AFTER INSERT OR UPDATE OR DELETE ON measurement_device_component
    FOR EACH ROW EXECUTE FUNCTION fleet_follows_version();
CREATE FUNCTION fleet_follows_reception() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_device uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.device ELSE NEW.device END;
BEGIN
    UPDATE fleet_device SET damaged = now.damaged, rising = now.rising
    FROM fleet_receptions(of_device) AS now
    WHERE device = of_device AND consent < 2;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_reception AFTER INSERT OR UPDATE OR DELETE ON meter_reception
    FOR EACH ROW EXECUTE FUNCTION fleet_follows_reception();
CREATE FUNCTION fleet_follows_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE fleet_device SET certificate_end = fleet_certificate(NEW.device)
    WHERE device = NEW.device AND consent < 2;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_takes_certificate AFTER INSERT ON certificate
    FOR EACH ROW WHEN (NEW.device IS NOT NULL) EXECUTE FUNCTION fleet_follows_certificate();
CREATE TRIGGER fleet_follows_certificate AFTER UPDATE OF revoked_at ON certificate
    FOR EACH ROW WHEN (NEW.device IS NOT NULL) EXECUTE FUNCTION fleet_follows_certificate();

-- Histories, of 400 days.

-- Incidents that were open before: the incident of the type began anew.
CREATE TABLE incident_episode (
    meter       uuid NOT NULL REFERENCES meter (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    type        text NOT NULL,
    reported_at timestamptz NOT NULL,
    resolved_at timestamptz NOT NULL CHECK (resolved_at >= reported_at),
    PRIMARY KEY (meter, reported_at, type)
);
CREATE FUNCTION incident_keeps_its_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO incident_episode AS kept (meter, type, reported_at, resolved_at)
    VALUES (OLD.meter, OLD.type, OLD.reported_at, OLD.resolved_at)
    ON CONFLICT (meter, reported_at, type)
        DO UPDATE SET resolved_at = greatest(kept.resolved_at, excluded.resolved_at);
    DELETE FROM incident_episode
    WHERE meter = OLD.meter AND resolved_at < NEW.reported_at - interval '400 d';
    RETURN NULL;
END $$;
CREATE TRIGGER incident_keeps_its_past AFTER UPDATE ON incident
    FOR EACH ROW WHEN (OLD.resolved_at IS NOT NULL AND NEW.resolved_at IS NULL)
    EXECUTE FUNCTION incident_keeps_its_past();

-- A row for each day (since the Unix epoch, UTC) on which a device told its status.
CREATE TABLE device_day (
    device    uuid NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    day       integer NOT NULL,
    version   text,
    -- The largest of the day.
    pending   bigint,
    bytes     bigint,
    -- Sums over the statuses of the day and the meters.
    telegrams numeric NOT NULL DEFAULT 0,
    damaged   numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (device, day)
);
CREATE INDEX device_day_by_day ON device_day (day);
CREATE FUNCTION day_follows_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO device_day AS kept (device, day, version, pending, bytes)
    VALUES (NEW.device, fleet_day(NEW.reported_at), fleet_version(NEW.device), NEW.pending,
            NEW.bytes)
    ON CONFLICT (device, day) DO UPDATE SET
        pending = greatest(kept.pending, excluded.pending),
        bytes = greatest(kept.bytes, excluded.bytes);
    DELETE FROM device_day WHERE (device, day) IN (
        SELECT device, day FROM device_day WHERE day < fleet_day(NEW.reported_at) - 400
        FOR UPDATE SKIP LOCKED);
    RETURN NULL;
END $$;
CREATE TRIGGER day_follows_status AFTER INSERT OR UPDATE ON measurement_device_status
    FOR EACH ROW EXECUTE FUNCTION day_follows_status();
CREATE FUNCTION day_follows_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE device_day SET version = fleet_version(NEW.device)
    WHERE device = NEW.device AND day = (
        SELECT fleet_day(reported_at) FROM measurement_device_status WHERE device = NEW.device);
    RETURN NULL;
END $$;
CREATE TRIGGER day_follows_version AFTER INSERT OR UPDATE ON measurement_device_component
    FOR EACH ROW EXECUTE FUNCTION day_follows_version();
CREATE FUNCTION day_follows_reception() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE device_day SET telegrams = telegrams + NEW.telegrams, damaged = damaged + NEW.damaged
    WHERE device = NEW.device AND day = (
        SELECT fleet_day(reported_at) FROM measurement_device_status WHERE device = NEW.device);
    RETURN NULL;
END $$;
CREATE TRIGGER day_follows_reception AFTER INSERT OR UPDATE ON meter_reception
    FOR EACH ROW EXECUTE FUNCTION day_follows_reception();

-- Devices of which an administrator wants to hear nothing for a while.
CREATE TABLE device_silence (
    device         uuid PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    reason         text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    begun_at       timestamptz NOT NULL,
    -- When it ends; at the latest, if it ends with the device's recovery.
    ends_at        timestamptz,
    until_recovery boolean NOT NULL,
    CHECK (ends_at IS NOT NULL OR until_recovery)
);
ALTER TABLE device_silence ALTER reason SET STATISTICS 0;

-- A revocation erases all of it, whichever server handles it. Writers that hold a meter or a device and
-- wait for its row here are waited for first.
CREATE FUNCTION revocation_forgets_fleet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM meter WHERE household = NEW.household ORDER BY uuid FOR UPDATE;
    PERFORM FROM measurement_device WHERE household = NEW.household ORDER BY uuid FOR UPDATE;
    UPDATE fleet_device
    SET consent = 2, granted_at = NULL, last_report = NULL, meters = 0, unmeasured = 0,
        measured_at = NULL, another_meter = 0, incidents = 0, damaged = NULL, rising = NULL,
        clock_wrong = false, spool_trouble = false, pending = NULL, version = NULL,
        certificate_end = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    DELETE FROM device_silence
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    DELETE FROM meter_latest
    WHERE meter IN (SELECT number FROM meter WHERE household = NEW.household);
    DELETE FROM incident_episode
    WHERE meter IN (SELECT uuid FROM meter WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_fleet AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION revocation_forgets_fleet();

-- How the photovoltaic systems are wired, where a battery is connected, and which register of a
-- generation meter counts what is generated. Nobody was asked before.
ALTER TABLE metadata ADD COLUMN metering_concept text NOT NULL DEFAULT 'unknown' CHECK (
    metering_concept IN ('surplus-feed-in', 'full-feed-in', 'cascade', 'no-system', 'unknown'));
ALTER TABLE metadata ADD COLUMN battery text NOT NULL DEFAULT 'unknown' CHECK (
    battery IN ('none', 'ac', 'dc', 'unknown'));
ALTER TABLE meter ADD COLUMN generation_register text CHECK (
    generation_register IN ('1.8.0', '2.8.0'));
