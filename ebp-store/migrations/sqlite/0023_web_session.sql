-- Sessions of researchers and administrators in pages, and the links by which they sign in once. Of both
-- the database has the SHA-256 of what opens them.

CREATE TABLE web_session (
    token      BLOB PRIMARY KEY CHECK (length(token) = 32),
    uuid       BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    group_name TEXT NOT NULL CHECK (group_name IN ('researchers', 'administrators')),
    label      TEXT CHECK (length(label) BETWEEN 1 AND 64),
    browser    TEXT CHECK (length(browser) BETWEEN 1 AND 64),
    began_at   INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_link (
    token      BLOB PRIMARY KEY CHECK (length(token) = 32),
    group_name TEXT NOT NULL CHECK (group_name IN ('researchers', 'administrators')),
    label      TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 64),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whoever signed in by the secret of before has to know the new one.
CREATE TRIGGER another_secret_ends_sessions AFTER UPDATE OF hash ON group_secret
WHEN OLD.hash <> NEW.hash
BEGIN
    DELETE FROM web_session WHERE group_name = NEW.name;
    DELETE FROM sign_in_link WHERE group_name = NEW.name;
END;
