-- Which servers can use the schema: those that know at least so many migrations. A server of a release
-- that knows fewer than were applied, but as many as this, serves on.
CREATE TABLE schema_compatibility (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    since INTEGER NOT NULL CHECK (since >= 0)
) STRICT;
INSERT INTO schema_compatibility (one, since) VALUES (1, 9);
