-- Masked locations: one of each household, drawn once, for good.

-- How well a true location is known. Of a masked one there is the region that it lies in, if any, and
-- nothing of the household behind it.
ALTER TABLE location
    ADD COLUMN precision text NOT NULL DEFAULT 'entered'
        CHECK (precision IN ('entered', 'address', 'street', 'postal-code')),
    ADD COLUMN masked boolean NOT NULL DEFAULT false,
    ADD COLUMN nuts3 text CHECK (nuts3 IS NULL OR masked);
CREATE FUNCTION masked_location_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.masked THEN
        RAISE EXCEPTION 'a household is masked once';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER masked_location_is_kept BEFORE UPDATE OR DELETE ON location
    FOR EACH ROW EXECUTE FUNCTION masked_location_is_kept();

-- The true locations of withheld households, apart from `location`, so that no query that shows
-- locations can show one of these. A row goes when its household is masked.
CREATE TABLE withheld_location (
    household uuid PRIMARY KEY REFERENCES household (uuid),
    latitude  double precision,
    longitude double precision CHECK ((longitude IS NULL) = (latitude IS NULL))
);
ALTER TABLE withheld_location
    ALTER latitude SET STATISTICS 0,
    ALTER longitude SET STATISTICS 0;

-- By which regions households are masked.
CREATE TABLE masking (
    one         integer PRIMARY KEY CHECK (one = 1),
    regions     bytea NOT NULL CHECK (length(regions) = 32),
    description text NOT NULL
);
