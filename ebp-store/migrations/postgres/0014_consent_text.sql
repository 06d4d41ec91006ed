-- What was agreed to, how consent was withdrawn, and what households wrote.
-- Breaks older servers: a revocation of theirs would leave the bytes of messages in the table's files.

-- Revoking leaves the version of the text, and how the withdrawal came with its month.
ALTER TABLE consent
    ADD COLUMN text_version integer CHECK (text_version > 0),
    ADD COLUMN text_language text CHECK (text_language ~ '^[a-z]{2}$'),
    ADD COLUMN withdrawal_channel text
        CHECK (withdrawal_channel IN ('letter', 'phone', 'e-mail', 'in-person')),
    ADD COLUMN withdrawal_received_on date,
    ALTER text_language SET STATISTICS 0,
    ALTER withdrawal_received_on SET STATISTICS 0;

-- The survey's texts, of every version that participants could agree to.
CREATE TABLE survey_text (
    version  integer NOT NULL CHECK (version > 0),
    language text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    summary  text NOT NULL CHECK (length(summary) > 0),
    details  text NOT NULL CHECK (length(details) > 0),
    PRIMARY KEY (version, language)
);
CREATE FUNCTION survey_text_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a text that participants agreed to never changes';
END $$;
CREATE TRIGGER survey_text_is_kept BEFORE UPDATE OR DELETE ON survey_text
    FOR EACH ROW EXECUTE FUNCTION survey_text_is_kept();
CREATE TRIGGER survey_text_is_not_truncated BEFORE TRUNCATE ON survey_text
    FOR EACH STATEMENT EXECUTE FUNCTION survey_text_is_kept();

CREATE TABLE household_message (
    uuid       uuid PRIMARY KEY,
    household  uuid NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    about      text NOT NULL,
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    written_at timestamptz NOT NULL,
    answer     text CHECK (length(answer) BETWEEN 1 AND 2000),
    closed_at  timestamptz,
    CHECK (answer IS NULL OR closed_at IS NOT NULL)
);
CREATE INDEX household_message_of ON household_message (household, written_at, uuid);
CREATE INDEX household_message_by_time ON household_message (written_at, uuid);
CREATE INDEX household_message_open ON household_message (written_at, uuid) WHERE closed_at IS NULL;
ALTER TABLE household_message
    ALTER uuid SET STATISTICS 0,
    ALTER household SET STATISTICS 0,
    ALTER text SET STATISTICS 0,
    ALTER written_at SET STATISTICS 0,
    ALTER answer SET STATISTICS 0,
    ALTER closed_at SET STATISTICS 0;
CREATE FUNCTION revoked_household_writes_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT revoked_at FROM consent WHERE household = NEW.household) IS NOT NULL THEN
        RAISE EXCEPTION 'a household that revoked its consent writes nothing';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revoked_household_writes_nothing BEFORE INSERT ON household_message
    FOR EACH ROW EXECUTE FUNCTION revoked_household_writes_nothing();

-- After the trigger that waits for insertions: triggers are called by their names.
CREATE FUNCTION revocation_forgets_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revoked_at IS NOT NULL THEN
        DELETE FROM household_message WHERE household = NEW.household;
        NEW.text_language := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revocation_forgets_messages BEFORE UPDATE OF revoked_at ON consent
    FOR EACH ROW EXECUTE FUNCTION revocation_forgets_messages();
