-- Tunnels of devices, and the sessions that administrators had through them.

-- One row for each device that ever had a tunnel. `server` is the process that has it, or null. Each
-- tunnel of a device has a higher epoch than the one before.
CREATE TABLE tunnel (
    device           BLOB PRIMARY KEY
        REFERENCES measurement_device (uuid) ON DELETE CASCADE CHECK (length(device) = 16),
    server           BLOB CHECK (length(server) = 16),
    url              TEXT,
    epoch            INTEGER NOT NULL,
    instance         BLOB NOT NULL CHECK (length(instance) = 16),
    earlier_instance BLOB CHECK (length(earlier_instance) = 16),
    returns          INTEGER NOT NULL CHECK (returns >= 0),
    returned_at      INTEGER,
    conflict_at      INTEGER,
    since            INTEGER NOT NULL,
    seen_at          INTEGER NOT NULL,
    ipv6             INTEGER NOT NULL CHECK (ipv6 IN (0, 1)),
    version          TEXT NOT NULL CHECK (length(version) <= 64)
) STRICT, WITHOUT ROWID;
CREATE INDEX tunnel_by_since ON tunnel (since, device);
CREATE INDEX tunnel_by_server ON tunnel (server) WHERE server IS NOT NULL;

CREATE TABLE tunnel_session (
    uuid              BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    device            BLOB REFERENCES measurement_device (uuid) ON DELETE SET NULL,
    administrator     TEXT NOT NULL CHECK (length(administrator) BETWEEN 1 AND 64),
    service           TEXT NOT NULL CHECK (length(service) BETWEEN 1 AND 64),
    began_at          INTEGER NOT NULL,
    seen_at           INTEGER NOT NULL,
    ended_at          INTEGER CHECK (ended_at >= began_at),
    bytes_to_device   INTEGER NOT NULL DEFAULT 0,
    bytes_from_device INTEGER NOT NULL DEFAULT 0,
    ended_by          TEXT CHECK (ended_by IN
        ('closed', 'broken', 'idle', 'too-long', 'revoked', 'stopped')),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX tunnel_session_by_begin ON tunnel_session (began_at, uuid);
CREATE INDEX tunnel_session_by_device ON tunnel_session (device) WHERE device IS NOT NULL;
CREATE INDEX tunnel_session_open ON tunnel_session (seen_at) WHERE ended_at IS NULL;

-- With consent ends what says where a household's device is, and which one a session was with.
CREATE TRIGGER revocation_forgets_tunnels AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM tunnel
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    UPDATE tunnel_session SET device = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;
