-- Sessions of researchers and administrators in pages, and the links by which they sign in once. Of both
-- the database has the SHA-256 of what opens them.

CREATE TABLE web_session (
    token      bytea PRIMARY KEY CHECK (length(token) = 32),
    uuid       uuid NOT NULL UNIQUE,
    group_name text NOT NULL CHECK (group_name IN ('researchers', 'administrators')),
    label      text CHECK (length(label) BETWEEN 1 AND 64),
    browser    text CHECK (length(browser) BETWEEN 1 AND 64),
    began_at   timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);

CREATE TABLE sign_in_link (
    token      bytea PRIMARY KEY CHECK (length(token) = 32),
    group_name text NOT NULL CHECK (group_name IN ('researchers', 'administrators')),
    label      text NOT NULL CHECK (length(label) BETWEEN 1 AND 64),
    expires_at timestamptz NOT NULL
);

-- Whoever signed in by the secret of before has to know the new one.
CREATE FUNCTION another_secret_ends_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM web_session WHERE group_name = NEW.name;
    DELETE FROM sign_in_link WHERE group_name = NEW.name;
    RETURN NULL;
END $$;
CREATE TRIGGER another_secret_ends_sessions AFTER UPDATE OF hash ON group_secret
    FOR EACH ROW WHEN (OLD.hash <> NEW.hash)
    EXECUTE FUNCTION another_secret_ends_sessions();
