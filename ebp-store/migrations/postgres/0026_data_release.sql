-- Which households each release of the data set has, how fine each was shown, and how far a text that
-- participants agree to lets data go.

-- Nothing: to nobody outside the research group.
ALTER TABLE survey_text
    ADD COLUMN release_tier text CHECK (release_tier IN ('research', 'public'));

CREATE TABLE data_release (
    number           bigint PRIMARY KEY CHECK (number > 0),
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    tier             text NOT NULL CHECK (tier IN ('research', 'public')),
    recipient        text CHECK (length(recipient) BETWEEN 1 AND 200),
    as_of            timestamptz NOT NULL,
    finest           text NOT NULL CHECK (length(finest) BETWEEN 1 AND 20),
    households       bigint NOT NULL CHECK (households > 0),
    seed_fingerprint text NOT NULL CHECK (length(seed_fingerprint) = 64),
    digest           text NOT NULL CHECK (length(digest) = 64),
    made_by          text NOT NULL CHECK (length(made_by) BETWEEN 1 AND 64),
    made_signature   text NOT NULL CHECK (length(made_signature) BETWEEN 1 AND 400),
    confirmed_by     text NOT NULL CHECK (length(confirmed_by) BETWEEN 1 AND 64),
    confirmed_signature text NOT NULL CHECK (length(confirmed_signature) BETWEEN 1 AND 400),
    confirmed_at     timestamptz NOT NULL,
    CHECK (made_by <> confirmed_by),
    CHECK (tier = 'public' OR recipient IS NOT NULL)
);
CREATE FUNCTION data_release_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was released is kept and never changes';
END $$;
CREATE TRIGGER data_release_is_kept BEFORE UPDATE OR DELETE ON data_release
    FOR EACH ROW EXECUTE FUNCTION data_release_is_kept();
CREATE TRIGGER data_release_is_not_truncated BEFORE TRUNCATE ON data_release
    FOR EACH STATEMENT EXECUTE FUNCTION data_release_is_kept();

CREATE TABLE data_release_household (
    data_release bigint NOT NULL REFERENCES data_release (number),
    household    uuid NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    detail       text NOT NULL CHECK (length(detail) BETWEEN 1 AND 20),
    PRIMARY KEY (data_release, household)
);
CREATE INDEX data_release_household_of ON data_release_household (household);
ALTER TABLE data_release_household
    ALTER household SET STATISTICS 0;
CREATE TRIGGER data_release_household_never_changes
    BEFORE UPDATE OF data_release, detail ON data_release_household
    FOR EACH ROW EXECUTE FUNCTION data_release_is_kept();

-- Also where a server of the release before revokes: nobody learns from the ledger whose masked
-- household it was.
CREATE FUNCTION revocation_forgets_releases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revoked_at IS NOT NULL THEN
        DELETE FROM data_release_household WHERE household = NEW.household;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revocation_forgets_releases BEFORE UPDATE OF revoked_at ON consent
    FOR EACH ROW EXECUTE FUNCTION revocation_forgets_releases();
