-- What was agreed to, how consent was withdrawn, and what households wrote.

-- Revoking leaves the version of the text, and how the withdrawal came with its month.
ALTER TABLE consent ADD COLUMN text_version INTEGER CHECK (text_version > 0);
ALTER TABLE consent ADD COLUMN text_language TEXT CHECK (text_language GLOB '[a-z][a-z]');
ALTER TABLE consent ADD COLUMN withdrawal_channel TEXT
    CHECK (withdrawal_channel IN ('letter', 'phone', 'e-mail', 'in-person'));
ALTER TABLE consent ADD COLUMN withdrawal_received_on TEXT
    CHECK (withdrawal_received_on IS date(withdrawal_received_on));

-- The survey's texts, of every version that participants could agree to.
CREATE TABLE survey_text (
    version  INTEGER NOT NULL CHECK (version > 0),
    language TEXT NOT NULL CHECK (language GLOB '[a-z][a-z]'),
    summary  TEXT NOT NULL CHECK (length(summary) > 0),
    details  TEXT NOT NULL CHECK (length(details) > 0),
    PRIMARY KEY (version, language)
) STRICT;
CREATE TRIGGER survey_text_never_changes BEFORE UPDATE ON survey_text
BEGIN
    SELECT RAISE(ABORT, 'a text that participants agreed to never changes');
END;
CREATE TRIGGER survey_text_is_kept BEFORE DELETE ON survey_text
BEGIN
    SELECT RAISE(ABORT, 'a text that participants agreed to is kept');
END;

CREATE TABLE household_message (
    uuid       BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    household  BLOB NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    about      TEXT NOT NULL,
    text       TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    written_at INTEGER NOT NULL,
    answer     TEXT CHECK (length(answer) BETWEEN 1 AND 2000),
    closed_at  INTEGER,
    CHECK (answer IS NULL OR closed_at IS NOT NULL)
) STRICT;
CREATE INDEX household_message_of ON household_message (household, written_at, uuid);
CREATE INDEX household_message_by_time ON household_message (written_at, uuid);
CREATE INDEX household_message_open ON household_message (written_at, uuid) WHERE closed_at IS NULL;
CREATE TRIGGER revoked_household_writes_nothing BEFORE INSERT ON household_message
WHEN (SELECT revoked_at FROM consent WHERE household = NEW.household) IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a household that revoked its consent writes nothing');
END;

-- Also where a server of the release before revokes.
CREATE TRIGGER revocation_forgets_messages AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM household_message WHERE household = NEW.household;
    UPDATE consent SET text_language = NULL WHERE household = NEW.household;
END;
