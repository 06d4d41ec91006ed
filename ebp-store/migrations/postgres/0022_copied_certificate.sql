-- By which way consent was granted, how long devices speak on after a revocation, alerts of copied
-- certificates, sessions that an administrator ends, and host keys of devices.
-- Breaks older servers: they cannot read an alert of a kind that they do not know.

-- By which kind of identity consent was granted. A revocation erases it with the language.
ALTER TABLE consent
    ADD COLUMN granted_through text
        CHECK (granted_through IN ('page', 'device', 'certificate', 'token')),
    ALTER granted_through SET STATISTICS 0;
CREATE FUNCTION revocation_forgets_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.granted_through := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER revocation_forgets_channel BEFORE UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION revocation_forgets_channel();

-- For how many hours a device was seen to speak since it was told that consent is revoked: a duration,
-- since an instant would say when consent was revoked.
ALTER TABLE fleet_device
    ADD COLUMN told_hours smallint NOT NULL DEFAULT 0 CHECK (told_hours BETWEEN 0 AND 24);

-- The run of a device's program that was refused in the last conflict.
ALTER TABLE tunnel ADD COLUMN conflict_instance uuid;
CREATE INDEX tunnel_by_conflict ON tunnel (conflict_at) WHERE conflict_at IS NOT NULL;

-- Which runs of the device's program use one certificate: the one that has the tunnel, and the other one.
ALTER TABLE alert_episode
    DROP CONSTRAINT alert_episode_kind_check,
    ADD CONSTRAINT alert_episode_kind_check CHECK (kind IN
        ('silent', 'late', 'incident', 'certificate', 'damaged', 'copied-certificate')),
    ADD COLUMN holding_instance uuid,
    ADD COLUMN refused_instance uuid,
    ADD CHECK ((kind = 'copied-certificate')
               = (holding_instance IS NOT NULL AND refused_instance IS NOT NULL));

-- Who asked for the end of a session.
ALTER TABLE tunnel_session
    ADD COLUMN end_asked_by text CHECK (length(end_asked_by) BETWEEN 1 AND 64);

-- The public keys of a device's sshd, one a line.
ALTER TABLE measurement_device_status
    ADD COLUMN host_keys text CHECK (length(host_keys) <= 8192),
    ALTER host_keys SET STATISTICS 0;

-- The person who connects to devices by a certificate.
ALTER TABLE authority_certificate ADD COLUMN administrator text
    CHECK (length(administrator) BETWEEN 1 AND 64);

-- The same of meters that are added, for all of a statement at once: an import registers hundreds of
-- households.
DROP TRIGGER fleet_takes_meter ON meter;
CREATE TRIGGER fleet_loses_meter AFTER DELETE ON meter
    FOR EACH ROW EXECUTE FUNCTION fleet_follows_meter();
CREATE FUNCTION fleet_takes_meters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE fleet_device AS fleet
    SET meters = now.meters, unmeasured = now.unmeasured, measured_at = now.measured_at,
        another_meter = now.another_meter, incidents = fleet_incidents(fleet.device)
    FROM (SELECT DISTINCT measurement_device AS device FROM taken) AS of
        CROSS JOIN LATERAL fleet_meters(of.device) AS now
    WHERE fleet.device = of.device AND consent < 2;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_takes_meter AFTER INSERT ON meter
    REFERENCING NEW TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION fleet_takes_meters();
