-- Alerts: episodes of trouble with devices, and the messages by which administrators are told of them.

-- Which server watches, and since when that is done without a gap.
CREATE TABLE alert_watch (
    one            boolean PRIMARY KEY CHECK (one),
    worker         uuid NOT NULL,
    term           bigint NOT NULL,
    lease_until    timestamptz NOT NULL,
    looked_at      timestamptz,
    watching_since timestamptz
) WITH (fillfactor = 50); -- its one row is written every few seconds

CREATE TABLE alert_message (
    uuid       uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('changes', 'digest', 'test')),
    created_at timestamptz NOT NULL,
    began      bigint NOT NULL CHECK (began >= 0),
    ended      bigint NOT NULL CHECK (ended >= 0)
);
CREATE INDEX alert_message_by_creation ON alert_message (created_at, uuid);

CREATE TABLE alert_delivery (
    message  uuid NOT NULL REFERENCES alert_message (uuid) ON DELETE CASCADE,
    channel  text NOT NULL CHECK (channel IN ('webhook', 'mail')),
    state    text NOT NULL CHECK (state IN ('pending', 'sent', 'given-up', 'dropped')),
    attempts bigint NOT NULL DEFAULT 0,
    next_at  timestamptz NOT NULL,
    ended_at timestamptz,
    error    text,
    PRIMARY KEY (message, channel),
    CHECK ((state = 'pending') = (ended_at IS NULL))
);
CREATE INDEX alert_delivery_pending ON alert_delivery (channel) WHERE state = 'pending';

-- One episode of a device and kind is open at most. Which message told its beginning and its end.
CREATE TABLE alert_episode (
    uuid           uuid PRIMARY KEY,
    device         uuid NOT NULL REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    kind           text NOT NULL
        CHECK (kind IN ('silent', 'late', 'incident', 'certificate', 'damaged')),
    began_at       timestamptz NOT NULL,
    begin_noted_at timestamptz NOT NULL,
    begin_message  uuid REFERENCES alert_message (uuid),
    ended_at       timestamptz CHECK (ended_at >= began_at),
    end_noted_at   timestamptz,
    end_message    uuid REFERENCES alert_message (uuid),
    CHECK ((ended_at IS NULL) = (end_noted_at IS NULL)),
    CHECK (end_message IS NULL OR (ended_at IS NOT NULL AND begin_message IS NOT NULL))
);
CREATE UNIQUE INDEX alert_episode_open ON alert_episode (device, kind) WHERE ended_at IS NULL;
CREATE INDEX alert_episode_by_device ON alert_episode (device);
CREATE INDEX alert_episode_untold ON alert_episode (uuid)
    WHERE ended_at IS NULL OR begin_message IS NULL OR end_message IS NULL;
CREATE INDEX alert_episode_by_begin ON alert_episode (begin_message) WHERE begin_message IS NOT NULL;
CREATE INDEX alert_episode_by_end ON alert_episode (end_message) WHERE end_message IS NOT NULL;

-- Episodes tell when somebody was at home to unplug a device: none outlives consent.
CREATE FUNCTION revocation_forgets_alert_episodes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM alert_episode
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_alert_episodes AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION revocation_forgets_alert_episodes();
