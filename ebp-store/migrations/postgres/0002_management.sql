-- Incidents, enrolment, certificates that servers issued, tries at shared secrets.

-- Of each type a meter has one at most; reported again it is open again (thesis 4.6.3).
CREATE TABLE incident (
    meter       uuid NOT NULL REFERENCES meter (uuid),
    type        text NOT NULL CHECK (type IN ('SERIAL-PORT-UNAVAILABLE', 'OBIS-CODES-UNAVAILABLE')),
    reported_at timestamptz NOT NULL,
    resolved_at timestamptz CHECK (resolved_at >= reported_at),
    PRIMARY KEY (meter, type)
);

CREATE INDEX household_by_registration ON household (registered_at, uuid);

-- A photovoltaic system's meter stays one that counts generation.
CREATE TRIGGER pv_system_keeps_a_generation_meter BEFORE UPDATE OF meter ON pv_system
    FOR EACH ROW EXECUTE FUNCTION pv_system_has_a_generation_meter();
CREATE FUNCTION meter_of_a_pv_system_counts_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.type <> 'PV-GENERATION' AND EXISTS (SELECT FROM pv_system WHERE meter = NEW.uuid) THEN
        RAISE EXCEPTION 'the meter of a photovoltaic system counts generation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meter_of_a_pv_system_counts_generation BEFORE UPDATE OF type ON meter
    FOR EACH ROW EXECUTE FUNCTION meter_of_a_pv_system_counts_generation();

-- One-time tokens, as their SHA-256. The key is that of the public key a token was used for.
CREATE TABLE enrolment (
    token      bytea PRIMARY KEY CHECK (length(token) = 32),
    device     uuid NOT NULL REFERENCES measurement_device (uuid),
    scopes     text NOT NULL,
    expires_at timestamptz NOT NULL,
    key        bytea CHECK (length(key) = 32)
);
CREATE INDEX enrolment_by_device ON enrolment (device);

-- No e-mail address: it has to vanish when consent is revoked.
CREATE TABLE certificate (
    serial     bytea PRIMARY KEY CHECK (length(serial) = 16),
    device     uuid REFERENCES measurement_device (uuid),
    scopes     text NOT NULL,
    -- SHA-256 of its public key, and the certificate that it was renewed by; for those that servers
    -- issued.
    key        bytea CHECK (length(key) = 32),
    renewed_by bytea CHECK (length(renewed_by) = 16),
    not_before timestamptz NOT NULL,
    not_after  timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX certificate_by_device ON certificate (device, not_before, serial);
CREATE FUNCTION certificate_is_revoked_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'a certificate is revoked for good';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_is_revoked_for_good BEFORE UPDATE ON certificate
    FOR EACH ROW EXECUTE FUNCTION certificate_is_revoked_for_good();

-- Failed tries at the shared secrets, by address and by network, and when the last one was.
CREATE TABLE secret_try (
    source text PRIMARY KEY,
    last   timestamptz NOT NULL,
    tries  bigint NOT NULL CHECK (tries >= 0)
);
ALTER TABLE secret_try ALTER source SET STATISTICS 0;
