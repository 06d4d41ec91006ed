-- Which servers can use the schema: those that know at least so many migrations. A server of a release
-- that knows fewer than were applied, but as many as this, serves on.
CREATE TABLE schema_compatibility (
    one   integer PRIMARY KEY CHECK (one = 1),
    since integer NOT NULL CHECK (since >= 0)
);
INSERT INTO schema_compatibility (one, since) VALUES (1, 10);
