-- Further purposes that a participant agreed to, each by itself: a JSON array of name, language, text, and
-- when it was given and withdrawn. Without it the array is empty.
ALTER TABLE consent ADD COLUMN purposes TEXT CHECK (json_valid(purposes));

-- Also where a server of the release before revokes.
CREATE TRIGGER revocation_forgets_purposes AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL AND NEW.purposes IS NOT NULL
BEGIN
    UPDATE consent SET purposes = NULL WHERE household = NEW.household;
END;
