-- Masked locations: one of each household, for good.

-- How well a true location is known; of a masked one what is known of the household behind it.
ALTER TABLE location
    ADD COLUMN precision text NOT NULL DEFAULT 'entered'
        CHECK (precision IN ('entered', 'address', 'street', 'postal-code')),
    ADD COLUMN nuts3 text,
    ADD COLUMN density double precision CHECK ((density IS NULL) = (nuts3 IS NULL)),
    ADD COLUMN d_min double precision CHECK ((d_min IS NULL) = (nuts3 IS NULL)),
    ADD COLUMN d_max double precision CHECK ((d_max IS NULL) = (nuts3 IS NULL));
CREATE FUNCTION masked_location_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.nuts3 IS NOT NULL THEN
        RAISE EXCEPTION 'a household is masked once';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER masked_location_is_kept BEFORE UPDATE OR DELETE ON location
    FOR EACH ROW EXECUTE FUNCTION masked_location_is_kept();

-- Releases by the keyed hash of the address that they were made for: neighbours at one address
-- share theirs. Who has no release key cannot tell which address a hash is of.
CREATE TABLE place_release (
    place     bytea PRIMARY KEY CHECK (length(place) = 32),
    latitude  double precision NOT NULL,
    longitude double precision NOT NULL,
    nuts3     text NOT NULL,
    density   double precision NOT NULL,
    d_min     double precision NOT NULL,
    d_max     double precision NOT NULL
);
CREATE FUNCTION place_release_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a place is masked once';
END $$;
CREATE TRIGGER place_release_never_changes BEFORE UPDATE ON place_release
    FOR EACH STATEMENT EXECUTE FUNCTION place_release_never_changes();

-- The true locations of withheld households, apart from `location`, so that no query that shows
-- locations can show one of these. A row goes when its household is masked.
CREATE TABLE withheld_location (
    household uuid PRIMARY KEY REFERENCES household (uuid),
    latitude  double precision,
    longitude double precision CHECK ((longitude IS NULL) = (latitude IS NULL)),
    place     bytea CHECK (length(place) = 32)
);
ALTER TABLE withheld_location
    ALTER latitude SET STATISTICS 0,
    ALTER longitude SET STATISTICS 0,
    ALTER place SET STATISTICS 0;

-- What households are masked by: the release key's fingerprint, and the regions'.
CREATE TABLE masking (
    one         integer PRIMARY KEY CHECK (one = 1),
    key         bytea NOT NULL CHECK (length(key) = 8),
    regions     bytea CHECK (length(regions) = 32),
    description text CHECK ((description IS NULL) = (regions IS NULL))
);
CREATE FUNCTION release_key_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.key IS DISTINCT FROM OLD.key THEN
        RAISE EXCEPTION 'the release key stays the same';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_key_never_changes BEFORE UPDATE ON masking
    FOR EACH ROW EXECUTE FUNCTION release_key_never_changes();
