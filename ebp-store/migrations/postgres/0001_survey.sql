-- The survey's entities (thesis figures 4.2 to 4.7), with the same rules as in SQLite's schema.
--
-- `released_uuid` is what a household, meter or photovoltaic system is called once consent is
-- revoked: drawn as it is registered, so that a backup that is put back gives the same one again, and
-- shown to nobody before. From then on nothing here holds what it was called before.
--
-- Columns whose values a revocation removes have no statistics: ANALYZE would copy values into
-- pg_statistic, where no revocation finds them.

-- Certificates carry the uuid beside the e-mail address. With another address it is another one, so
-- that no certificate acts for the next holder of an address. It stands in no other table.
CREATE TABLE participant (
    id    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    uuid  uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    name  text NOT NULL,
    email text NOT NULL
);
-- Without regard to the case of ASCII letters, whatever the database's locale.
CREATE UNIQUE INDEX participant_email ON participant (lower(email COLLATE "C"));
ALTER TABLE participant
    ALTER uuid SET STATISTICS 0,
    ALTER name SET STATISTICS 0,
    ALTER email SET STATISTICS 0;
ALTER INDEX participant_email ALTER COLUMN 1 SET STATISTICS 0;
CREATE FUNCTION another_email_is_another_uuid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'with another e-mail address a participant has another uuid';
END $$;
CREATE TRIGGER another_email_is_another_uuid BEFORE UPDATE OF email, uuid ON participant
    FOR EACH ROW WHEN (lower(NEW.email COLLATE "C") <> lower(OLD.email COLLATE "C")
        AND NEW.uuid = OLD.uuid)
    EXECUTE FUNCTION another_email_is_another_uuid();

-- The participant is absent once consent is revoked. A withheld household is shown to nobody: its
-- location is gone and a masked one is not there yet.
CREATE TABLE household (
    uuid          uuid PRIMARY KEY,
    participant   bigint REFERENCES participant (id),
    withheld      boolean NOT NULL DEFAULT false,
    registered_at timestamptz NOT NULL,
    released_uuid uuid UNIQUE
);
CREATE INDEX household_by_participant ON household (participant);

CREATE TABLE address (
    household   uuid PRIMARY KEY REFERENCES household (uuid),
    street      text NOT NULL,
    postal_code text NOT NULL,
    city        text NOT NULL,
    country     text NOT NULL
);
ALTER TABLE address
    ALTER street SET STATISTICS 0,
    ALTER postal_code SET STATISTICS 0,
    ALTER city SET STATISTICS 0,
    ALTER country SET STATISTICS 0;

CREATE TABLE location (
    household uuid PRIMARY KEY REFERENCES household (uuid),
    latitude  double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180)
);
ALTER TABLE location
    ALTER latitude SET STATISTICS 0,
    ALTER longitude SET STATISTICS 0;

CREATE TABLE metadata (
    household                uuid PRIMARY KEY REFERENCES household (uuid) ON UPDATE CASCADE,
    children                 smallint NOT NULL CHECK (children >= 0),
    adults                   smallint NOT NULL CHECK (adults >= 0),
    adults_with_job          smallint NOT NULL CHECK (adults_with_job BETWEEN 0 AND adults),
    electric_vehicle_charger boolean NOT NULL,
    heat_pump                boolean NOT NULL,
    home_battery             boolean NOT NULL
);

-- Consent: not granted, granted, revoked; each step once, for ever. Revoking leaves the months.
CREATE TABLE consent (
    household  uuid PRIMARY KEY REFERENCES household (uuid) ON UPDATE CASCADE,
    granted_at timestamptz,
    revoked_at timestamptz,
    CHECK (revoked_at IS NULL OR (granted_at IS NOT NULL AND revoked_at >= granted_at))
);
CREATE FUNCTION consent_begins_not_granted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.granted_at IS NOT NULL OR NEW.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'consent begins not granted, once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_begins_not_granted BEFORE INSERT ON consent
    FOR EACH ROW EXECUTE FUNCTION consent_begins_not_granted();
CREATE FUNCTION consent_is_one_way() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.household IS DISTINCT FROM OLD.household
            AND EXISTS (SELECT FROM household WHERE uuid = OLD.household))
        OR (OLD.granted_at IS NOT NULL AND NEW.granted_at IS DISTINCT FROM OLD.granted_at
            AND (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL
                AND NEW.granted_at <= OLD.granted_at) IS NOT TRUE)
        OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at) THEN
        RAISE EXCEPTION 'consent is granted once and revoked once';
    END IF;
    IF NEW.revoked_at IS NOT NULL THEN
        -- Insertions that are under way end first.
        PERFORM pg_advisory_xact_lock(consent_lock(NEW.household));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_is_one_way BEFORE UPDATE ON consent
    FOR EACH ROW EXECUTE FUNCTION consent_is_one_way();
CREATE FUNCTION consent_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consent is kept for ever';
END $$;
CREATE TRIGGER consent_is_kept BEFORE DELETE ON consent
    FOR EACH ROW EXECUTE FUNCTION consent_is_kept();
CREATE TRIGGER consent_is_not_truncated BEFORE TRUNCATE ON consent
    FOR EACH STATEMENT EXECUTE FUNCTION consent_is_kept();
-- Revoking detaches the participant; nobody is attached again.
CREATE FUNCTION revoked_household_has_no_participant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.participant IS NOT NULL
        AND (SELECT revoked_at FROM consent WHERE household = NEW.uuid) IS NOT NULL THEN
        RAISE EXCEPTION 'a household that revoked its consent has no participant';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revoked_household_has_no_participant BEFORE UPDATE OF participant ON household
    FOR EACH ROW EXECUTE FUNCTION revoked_household_has_no_participant();

-- A device without a household is one of a household that revoked its consent: nothing says of which.
CREATE TABLE measurement_device (
    uuid          uuid PRIMARY KEY,
    household     uuid REFERENCES household (uuid),
    version       text,
    last_activity timestamptz,
    number        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    UNIQUE (uuid, household)
) WITH (fillfactor = 70); -- noting activity is its every-day write: on the same page, no index touched
CREATE INDEX measurement_device_by_household ON measurement_device (household);

-- A meter's device is one of the same household.
CREATE TABLE meter (
    uuid               uuid PRIMARY KEY,
    household          uuid NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE,
    type               text NOT NULL CHECK (type IN ('ELECTRICITY', 'PV-GENERATION')),
    model              text NOT NULL,
    measurement_device uuid,
    position           bigint NOT NULL,
    -- What its measurements know it by: each of its bytes is written for each of them. It is drawn
    -- at random and does not tell when the meter was registered.
    number             integer NOT NULL UNIQUE DEFAULT floor(1 + random() * 2147483646)::integer,
    released_uuid      uuid UNIQUE,
    UNIQUE (uuid, household),
    FOREIGN KEY (measurement_device, household) REFERENCES measurement_device (uuid, household)
);
CREATE INDEX meter_by_household ON meter (household);
CREATE INDEX meter_by_device ON meter (measurement_device);

-- A system's meter is one of the same household that counts generation.
CREATE TABLE pv_system (
    uuid          uuid PRIMARY KEY,
    household     uuid NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE,
    nominal_power numeric NOT NULL,
    azimuth       numeric NOT NULL,
    tilt          numeric NOT NULL,
    installed_on  date NOT NULL,
    meter         uuid,
    position      bigint NOT NULL,
    released_uuid uuid UNIQUE,
    FOREIGN KEY (meter, household) REFERENCES meter (uuid, household) ON UPDATE CASCADE
);
CREATE INDEX pv_system_by_household ON pv_system (household);
CREATE INDEX pv_system_by_meter ON pv_system (meter);
ALTER TABLE pv_system
    ALTER nominal_power SET STATISTICS 0,
    ALTER installed_on SET STATISTICS 0;
CREATE FUNCTION pv_system_has_a_generation_meter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.meter IS NOT NULL
        AND (SELECT type FROM meter WHERE uuid = NEW.meter) IS DISTINCT FROM 'PV-GENERATION' THEN
        RAISE EXCEPTION 'the meter of a photovoltaic system counts generation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pv_system_has_a_generation_meter BEFORE INSERT ON pv_system
    FOR EACH ROW EXECUTE FUNCTION pv_system_has_a_generation_meter();

-- The identifiers of measurements that do not follow from meter and slot, over all months: a unique
-- index of a partitioned table must contain what it is partitioned by, so that the months by
-- themselves would let the same identifier in again with another time. A trigger brings them here.
CREATE TABLE measurement_key (
    uuid uuid PRIMARY KEY
);

-- One partition a month (UTC) of slots, made when the first measurement of the month comes. There is
-- no partition for the rest: what belongs to no month that exists is not stored, but makes its month
-- exist.
--
-- What a device measures has no uuid here: it follows from meter and slot, which are there once. The
-- measurement was taken within the slot, which lasts 24 hours at most. Whatever has another
-- identifier keeps it, and its time is its slot. There are two indexes, of which each row is in one:
-- all that is written for a measurement besides its row is meter and slot. Both are in the order of
-- slots; a reader reads the two of them (the view below), since neither says all.
-- There is no foreign key to the meter, which would cost a look-up a row; the trigger below asks
-- once a statement.
CREATE TABLE measurement (
    meter       integer NOT NULL,
    slot        timestamptz NOT NULL,
    measured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    uuid        uuid,
    data        json NOT NULL,
    CHECK (CASE WHEN uuid IS NULL THEN measured_at - slot BETWEEN '0' AND '23:59:59.999999'
                ELSE measured_at = slot END)
) PARTITION BY RANGE (slot);
CREATE UNIQUE INDEX measurement_of_slot ON measurement (meter, slot) WHERE uuid IS NULL;
CREATE INDEX measurement_of_other ON measurement (meter, slot) WHERE uuid IS NOT NULL;

-- How many of a meter's measurements take no slot of the survey's cycle, by their source (0 a device,
-- 1 a bearer token): what its quota is counted by. There is one measurement of each slot; those are
-- not counted.
CREATE TABLE measurement_quota (
    meter  integer NOT NULL REFERENCES meter (number) ON DELETE CASCADE,
    source smallint NOT NULL CHECK (source IN (0, 1)),
    used   bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    PRIMARY KEY (meter, source)
);

-- The lock that insertions share and a revocation takes alone. There are few of them, so that an
-- insertion for hundreds of households does not exhaust the cluster's locks; it writes nothing,
-- unlike a lock of consent's row.
CREATE FUNCTION consent_lock(household uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT 7203846200 + (uuid_hash_extended(household, 0) & 255)
$$;

-- Holds on to consent until the insertion has ended: a revocation waits for it, and what comes
-- after a revocation sees it, since each statement here sees what was committed before it began.
CREATE FUNCTION measurement_is_within_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    meters integer[];
    firsts timestamptz[];
BEGIN
    -- Gone through once: it is as long as the insertion, and meters are few.
    SELECT array_agg(meter), array_agg(first) INTO meters, firsts
    FROM (SELECT meter, min(measured_at) AS first FROM inserted GROUP BY meter) AS of_meter;
    PERFORM pg_advisory_xact_lock_shared(lock) FROM (
        SELECT DISTINCT consent_lock(household)
        FROM meter WHERE meter.number = ANY (meters) ORDER BY 1
    ) AS locks (lock);
    IF EXISTS (
        SELECT FROM unnest(meters, firsts) AS inserted (number, first)
        LEFT JOIN meter USING (number) LEFT JOIN consent USING (household)
        WHERE consent.granted_at IS NULL OR consent.revoked_at IS NOT NULL
            OR inserted.first < consent.granted_at
    ) THEN
        RAISE EXCEPTION 'a measurement lies within consent' USING ERRCODE = 'EBP01';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER measurement_is_within_consent AFTER INSERT ON measurement
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION measurement_is_within_consent();
-- An identifier that is there already is an error, by which nothing is stored.
CREATE FUNCTION measurement_takes_its_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO measurement_key VALUES (NEW.uuid);
    RETURN NULL;
END $$;
CREATE TRIGGER measurement_takes_its_key AFTER INSERT ON measurement
    FOR EACH ROW WHEN (NEW.uuid IS NOT NULL) EXECUTE FUNCTION measurement_takes_its_key();
CREATE FUNCTION measurement_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a measurement never changes';
END $$;
CREATE TRIGGER measurement_never_changes BEFORE UPDATE ON measurement
    FOR EACH STATEMENT EXECUTE FUNCTION measurement_never_changes();
CREATE FUNCTION measured_meter_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Insertions that are under way end first.
    PERFORM pg_advisory_xact_lock(consent_lock(OLD.household));
    IF EXISTS (SELECT FROM listed_measurement WHERE meter = OLD.number) THEN
        RAISE EXCEPTION 'a meter with measurements is kept';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER measured_meter_is_kept BEFORE DELETE ON meter
    FOR EACH ROW EXECUTE FUNCTION measured_meter_is_kept();

-- Months whose partitions were taken out of the table: nothing more is stored in them, since what is
-- there already can no longer be seen.
CREATE TABLE archived_month (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1)
);

-- Makes the partition of a month, given by any instant of it. Attaching lets insertions into other
-- months go on, unlike CREATE TABLE ... PARTITION OF.
CREATE FUNCTION make_measurement_partition(instant timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    start timestamp := date_trunc('month', instant AT TIME ZONE 'UTC');
    name text := 'measurement_' || to_char(start, 'YYYY_MM');
BEGIN
    -- Of several who need the month one makes it.
    PERFORM pg_advisory_xact_lock(7203846103);
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM archived_month WHERE month = start::date) THEN
        RAISE EXCEPTION 'the month is archived' USING ERRCODE = 'EBP02';
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE measurement INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE measurement ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, start AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
    -- The table's own triggers do not see what is inserted into a partition by its name.
    EXECUTE format('CREATE TRIGGER measurement_is_within_consent AFTER INSERT ON %I
        REFERENCING NEW TABLE AS inserted
        FOR EACH STATEMENT EXECUTE FUNCTION measurement_is_within_consent()', name);
    EXECUTE format('CREATE TRIGGER measurement_never_changes BEFORE UPDATE ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION measurement_never_changes()', name);
END $$;

-- Revocations whose removed values may still lie in the tables' files.
CREATE TABLE erasure_due (
    number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY
);
