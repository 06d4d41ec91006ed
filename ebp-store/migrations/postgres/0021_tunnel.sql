-- Tunnels of devices, and the sessions that administrators had through them.

-- One row for each device that ever had a tunnel. `server` is the process that has it, or null. Each
-- tunnel of a device has a higher epoch than the one before.
CREATE TABLE tunnel (
    device           uuid PRIMARY KEY
        REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    server           uuid,
    url              text,
    epoch            bigint NOT NULL,
    instance         uuid NOT NULL,
    earlier_instance uuid,
    returns          integer NOT NULL CHECK (returns >= 0),
    returned_at      timestamptz,
    conflict_at      timestamptz,
    since            timestamptz NOT NULL,
    seen_at          timestamptz NOT NULL,
    ipv6             boolean NOT NULL,
    version          text NOT NULL CHECK (length(version) <= 64)
);
CREATE INDEX tunnel_by_since ON tunnel (since, device);
CREATE INDEX tunnel_by_server ON tunnel (server) WHERE server IS NOT NULL;

CREATE TABLE tunnel_session (
    uuid              uuid PRIMARY KEY,
    device            uuid REFERENCES measurement_device (uuid) ON DELETE SET NULL,
    administrator     text NOT NULL CHECK (length(administrator) BETWEEN 1 AND 64),
    service           text NOT NULL CHECK (length(service) BETWEEN 1 AND 64),
    began_at          timestamptz NOT NULL,
    seen_at           timestamptz NOT NULL,
    ended_at          timestamptz CHECK (ended_at >= began_at),
    bytes_to_device   bigint NOT NULL DEFAULT 0,
    bytes_from_device bigint NOT NULL DEFAULT 0,
    ended_by          text CHECK (ended_by IN
        ('closed', 'broken', 'idle', 'too-long', 'revoked', 'stopped')),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX tunnel_session_by_begin ON tunnel_session (began_at, uuid);
CREATE INDEX tunnel_session_by_device ON tunnel_session (device) WHERE device IS NOT NULL;
CREATE INDEX tunnel_session_open ON tunnel_session (seen_at) WHERE ended_at IS NULL;

-- With consent ends what says where a household's device is, and which one a session was with.
CREATE FUNCTION revocation_forgets_tunnels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tunnel
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    UPDATE tunnel_session SET device = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_tunnels AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION revocation_forgets_tunnels();
