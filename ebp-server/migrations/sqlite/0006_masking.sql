-- Masked locations: one of each household, for good.

-- How well a true location is known; of a masked one what is known of the household behind it.
ALTER TABLE location ADD COLUMN precision TEXT NOT NULL DEFAULT 'entered'
    CHECK (precision IN ('entered', 'address', 'street', 'postal-code'));
ALTER TABLE location ADD COLUMN nuts3 TEXT;
ALTER TABLE location ADD COLUMN density REAL CHECK ((density IS NULL) = (nuts3 IS NULL));
ALTER TABLE location ADD COLUMN d_min REAL CHECK ((d_min IS NULL) = (nuts3 IS NULL));
ALTER TABLE location ADD COLUMN d_max REAL CHECK ((d_max IS NULL) = (nuts3 IS NULL));
CREATE TRIGGER masked_location_never_changes BEFORE UPDATE ON location WHEN OLD.nuts3 IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a household is masked once');
END;
CREATE TRIGGER masked_location_is_kept BEFORE DELETE ON location WHEN OLD.nuts3 IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a household is masked once');
END;
-- INSERT OR REPLACE deletes without that trigger.
CREATE TRIGGER masked_location_is_not_replaced BEFORE INSERT ON location
WHEN EXISTS (SELECT 1 FROM location WHERE household = NEW.household AND nuts3 IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'a household is masked once');
END;

-- Releases by the keyed hash of the address that they were made for: neighbours at one address
-- share theirs. Who has no release key cannot tell which address a hash is of.
CREATE TABLE place_release (
    place     BLOB PRIMARY KEY CHECK (length(place) = 32),
    latitude  REAL NOT NULL,
    longitude REAL NOT NULL,
    nuts3     TEXT NOT NULL,
    density   REAL NOT NULL,
    d_min     REAL NOT NULL,
    d_max     REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER place_release_never_changes BEFORE UPDATE ON place_release
BEGIN
    SELECT RAISE(ABORT, 'a place is masked once');
END;

-- The true locations of withheld households, apart from `location`, so that no query that shows
-- locations can show one of these. A row goes when its household is masked.
CREATE TABLE withheld_location (
    household BLOB PRIMARY KEY REFERENCES household (uuid),
    latitude  REAL,
    longitude REAL CHECK ((longitude IS NULL) = (latitude IS NULL)),
    place     BLOB CHECK (length(place) = 32)
) STRICT;

-- What households are masked by: the release key's fingerprint, and the regions'.
CREATE TABLE masking (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    key         BLOB NOT NULL CHECK (length(key) = 8),
    regions     BLOB CHECK (length(regions) = 32),
    description TEXT CHECK ((description IS NULL) = (regions IS NULL))
) STRICT;
CREATE TRIGGER release_key_never_changes BEFORE UPDATE OF key ON masking WHEN NEW.key IS NOT OLD.key
BEGIN
    SELECT RAISE(ABORT, 'the release key stays the same');
END;
