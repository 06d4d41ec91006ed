-- Groups of errors of devices: types and places in the program, how often and when, no text and no value.
-- Administrators are alerted of a group that no device had reported before.
-- Breaks older servers: they cannot read an alert of a kind that they do not know.

-- The groups that are known. `device` is the first that reported it. It is forgotten with its household's
-- consent; the group stays, since it says nothing of anybody.
CREATE TABLE error_group (
    fingerprint text PRIMARY KEY CHECK (fingerprint COLLATE "C" ~ '^[0-9a-f]{12}$'),
    component   text NOT NULL CHECK (component COLLATE "C" ~ '^[a-z]{1,16}$'),
    types       text NOT NULL CHECK (length(types) BETWEEN 1 AND 1000),
    place       text NOT NULL CHECK (length(place) BETWEEN 1 AND 180),
    known_at    timestamptz NOT NULL,
    device      uuid REFERENCES measurement_device (uuid) ON DELETE SET NULL
);
CREATE INDEX error_group_by_device ON error_group (device, known_at) WHERE device IS NOT NULL;

-- The groups that a device reported last.
CREATE TABLE device_error_group (
    device      uuid NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    fingerprint text NOT NULL REFERENCES error_group (fingerprint),
    count       bigint NOT NULL CHECK (count BETWEEN 1 AND 1000000000),
    first_seen  timestamptz NOT NULL,
    last_seen   timestamptz NOT NULL CHECK (last_seen >= first_seen),
    PRIMARY KEY (device, fingerprint)
) WITH (fillfactor = 70);
CREATE INDEX device_error_group_by_fingerprint ON device_error_group (fingerprint);

CREATE FUNCTION revocation_forgets_error_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE error_group SET device = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_error_groups AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION revocation_forgets_error_groups();

-- The same table with one more kind.
ALTER TABLE alert_episode
    DROP CONSTRAINT alert_episode_kind_check,
    ADD CONSTRAINT alert_episode_kind_check CHECK (kind IN
        ('silent', 'late', 'incident', 'certificate', 'damaged', 'copied-certificate', 'new-error'));
