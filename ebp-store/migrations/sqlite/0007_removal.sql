-- A household that was registered by mistake can be removed while nothing was measured in it. The
-- consent of every other one is kept for ever.
DROP TRIGGER consent_is_kept;
CREATE TRIGGER consent_is_kept BEFORE DELETE ON consent
WHEN OLD.revoked_at IS NOT NULL OR EXISTS (
    SELECT 1 FROM meter WHERE household = OLD.household
        AND EXISTS (SELECT 1 FROM measurement WHERE measurement.meter = meter.number)
)
BEGIN
    SELECT RAISE(ABORT, 'consent is kept for ever');
END;

-- SHA-256 of the identifiers of participants who are gone since they revoked their consent. Whoever
-- shows a certificate of theirs is told so; nobody finds out an identifier by it, which is random.
CREATE TABLE revoked_participant (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

-- A server asks for all of them, to keep a list of its own.
CREATE INDEX revoked_certificate ON certificate (serial) WHERE revoked_at IS NOT NULL;
