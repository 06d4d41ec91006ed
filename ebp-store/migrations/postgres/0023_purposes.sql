-- Further purposes that a participant agreed to, each by itself: a JSON array of name, language, text, and
-- when it was given and withdrawn. Without it the array is empty.
ALTER TABLE consent
    ADD COLUMN purposes text CHECK (purposes IS NULL OR jsonb_typeof(purposes::jsonb) = 'array'),
    ALTER purposes SET STATISTICS 0;

-- Also where a server of the release before revokes.
CREATE FUNCTION revocation_forgets_purposes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revoked_at IS NOT NULL THEN
        NEW.purposes := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revocation_forgets_purposes BEFORE UPDATE OF revoked_at ON consent
    FOR EACH ROW EXECUTE FUNCTION revocation_forgets_purposes();
