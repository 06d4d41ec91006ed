-- Which households each release of the data set has, how fine each was shown, and how far a text that
-- participants agree to lets data go.

-- Nothing: to nobody outside the research group.
ALTER TABLE survey_text ADD COLUMN release_tier TEXT CHECK (release_tier IN ('research', 'public'));

CREATE TABLE data_release (
    number           INTEGER PRIMARY KEY CHECK (number > 0),
    name             TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    tier             TEXT NOT NULL CHECK (tier IN ('research', 'public')),
    recipient        TEXT CHECK (length(recipient) BETWEEN 1 AND 200),
    as_of            INTEGER NOT NULL,
    finest           TEXT NOT NULL CHECK (length(finest) BETWEEN 1 AND 20),
    households       INTEGER NOT NULL CHECK (households > 0),
    seed_fingerprint TEXT NOT NULL CHECK (length(seed_fingerprint) = 64),
    digest           TEXT NOT NULL CHECK (length(digest) = 64),
    made_by          TEXT NOT NULL CHECK (length(made_by) BETWEEN 1 AND 64),
    made_signature   TEXT NOT NULL CHECK (length(made_signature) BETWEEN 1 AND 400),
    confirmed_by     TEXT NOT NULL CHECK (length(confirmed_by) BETWEEN 1 AND 64),
    confirmed_signature TEXT NOT NULL CHECK (length(confirmed_signature) BETWEEN 1 AND 400),
    confirmed_at     INTEGER NOT NULL,
    CHECK (made_by <> confirmed_by),
    CHECK (tier = 'public' OR recipient IS NOT NULL)
) STRICT;
CREATE TRIGGER data_release_never_changes BEFORE UPDATE ON data_release
BEGIN
    SELECT RAISE(ABORT, 'what was released never changes');
END;
CREATE TRIGGER data_release_is_kept BEFORE DELETE ON data_release
BEGIN
    SELECT RAISE(ABORT, 'what was released is kept');
END;

CREATE TABLE data_release_household (
    data_release INTEGER NOT NULL REFERENCES data_release (number),
    household    BLOB NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    detail       TEXT NOT NULL CHECK (length(detail) BETWEEN 1 AND 20),
    PRIMARY KEY (data_release, household)
) STRICT, WITHOUT ROWID;
CREATE INDEX data_release_household_of ON data_release_household (household);
CREATE TRIGGER data_release_household_never_changes
BEFORE UPDATE OF data_release, detail ON data_release_household
BEGIN
    SELECT RAISE(ABORT, 'what was released never changes');
END;

-- Also where a server of the release before revokes: nobody learns from the ledger whose masked
-- household it was.
CREATE TRIGGER revocation_forgets_releases AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM data_release_household WHERE household = NEW.household;
END;
