-- Roll-outs of versions of the program, and what devices say of their updates.

-- What a device last said, when it asked what it is to run.
CREATE TABLE device_update (
    device           uuid PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    reported_at      timestamptz NOT NULL,
    managed          text NOT NULL CHECK (managed IN ('ebp', 'flux')),
    pinned           boolean NOT NULL,
    phase            text NOT NULL CHECK (
        phase IN ('idle', 'fetching', 'staged', 'trying', 'returning')),
    kept             text CHECK (length(kept) <= 48),
    reverted_version text CHECK (length(reverted_version) <= 48),
    reverted_reason  text CHECK (length(reverted_reason) <= 200),
    hindrance        text CHECK (length(hindrance) <= 200),
    CHECK ((reverted_version IS NULL) = (reverted_reason IS NULL))
);
-- What a person may be known by stays out of the planner's statistics, which no revocation empties.
ALTER TABLE device_update ALTER reverted_reason SET STATISTICS 0;
ALTER TABLE device_update ALTER hindrance SET STATISTICS 0;

-- `revision` counts the changes: each is made only of the revision that was seen.
CREATE TABLE rollout (
    uuid       uuid PRIMARY KEY,
    version    text NOT NULL CHECK (length(version) BETWEEN 1 AND 48),
    -- Shares in percent, a JSON list; 0 for the devices that were named.
    steps      text NOT NULL CHECK (length(steps) <= 200),
    soak       bigint NOT NULL CHECK (soak >= 0),
    state      text NOT NULL CHECK (state IN ('running', 'halted', 'finished', 'ended')),
    halt       text CHECK (halt IN ('failures', 'silence', 'administrator')),
    step       bigint NOT NULL CHECK (step >= 0),
    step_since timestamptz NOT NULL,
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    CHECK ((state = 'halted') = (halt IS NOT NULL))
);
CREATE INDEX rollout_by_begin ON rollout (created_at, uuid);
-- One at a time.
CREATE UNIQUE INDEX rollout_under_way ON rollout ((1)) WHERE state IN ('running', 'halted');

-- Devices that were named to go first, and those to which the version was offered.
CREATE TABLE rollout_device (
    rollout      uuid NOT NULL REFERENCES rollout (uuid) ON DELETE CASCADE,
    device       uuid NOT NULL REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    is_first     boolean NOT NULL DEFAULT false,
    step         bigint CHECK (step >= 0),
    offered_at   timestamptz,
    was_regular  boolean NOT NULL DEFAULT false,
    taken_at     timestamptz,
    over_at      timestamptz,
    is_set_aside boolean NOT NULL DEFAULT false,
    is_excused   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (rollout, device),
    CHECK ((step IS NULL) = (offered_at IS NULL))
);
CREATE INDEX rollout_device_by_device ON rollout_device (device);

-- Who changed what, and when; the server's own changes have nobody.
CREATE TABLE rollout_event (
    rollout  uuid NOT NULL REFERENCES rollout (uuid) ON DELETE CASCADE,
    revision bigint NOT NULL CHECK (revision > 0),
    at       timestamptz NOT NULL,
    state    text NOT NULL CHECK (state IN ('running', 'halted', 'finished', 'ended')),
    step     bigint NOT NULL CHECK (step >= 0),
    by       text CHECK (length(by) BETWEEN 1 AND 64),
    PRIMARY KEY (rollout, revision)
);

-- With consent ends what a household's device says, and its part in roll-outs.
CREATE FUNCTION revocation_forgets_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM device_update
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    DELETE FROM rollout_device
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_updates AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION revocation_forgets_updates();
