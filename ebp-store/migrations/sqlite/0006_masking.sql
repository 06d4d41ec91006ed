-- Masked locations: one of each household, drawn once, for good.

-- How well a true location is known. Of a masked one there is the region that it lies in, if any, and
-- nothing of the household behind it.
ALTER TABLE location ADD COLUMN precision TEXT NOT NULL DEFAULT 'entered'
    CHECK (precision IN ('entered', 'address', 'street', 'postal-code'));
ALTER TABLE location ADD COLUMN masked INTEGER NOT NULL DEFAULT 0 CHECK (masked IN (0, 1));
ALTER TABLE location ADD COLUMN nuts3 TEXT CHECK (nuts3 IS NULL OR masked);
CREATE TRIGGER masked_location_never_changes BEFORE UPDATE ON location WHEN OLD.masked
BEGIN
    SELECT RAISE(ABORT, 'a household is masked once');
END;
CREATE TRIGGER masked_location_is_kept BEFORE DELETE ON location WHEN OLD.masked
BEGIN
    SELECT RAISE(ABORT, 'a household is masked once');
END;
-- INSERT OR REPLACE deletes without that trigger.
CREATE TRIGGER masked_location_is_not_replaced BEFORE INSERT ON location
WHEN EXISTS (SELECT 1 FROM location WHERE household = NEW.household AND masked)
BEGIN
    SELECT RAISE(ABORT, 'a household is masked once');
END;

-- The true locations of withheld households, apart from `location`, so that no query that shows
-- locations can show one of these. A row goes when its household is masked.
CREATE TABLE withheld_location (
    household BLOB PRIMARY KEY REFERENCES household (uuid),
    latitude  REAL,
    longitude REAL CHECK ((longitude IS NULL) = (latitude IS NULL))
) STRICT, WITHOUT ROWID;

-- By which regions households are masked.
CREATE TABLE masking (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    regions     BLOB NOT NULL CHECK (length(regions) = 32),
    description TEXT NOT NULL
) STRICT;
