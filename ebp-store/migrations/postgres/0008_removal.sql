-- A household that was registered by mistake can be removed while nothing was measured in it. The
-- consent of every other one is kept for ever.
CREATE OR REPLACE FUNCTION consent_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- Insertions that are under way end first.
        PERFORM pg_advisory_xact_lock(consent_lock(OLD.household));
        IF OLD.revoked_at IS NULL AND NOT EXISTS (
            SELECT FROM meter WHERE household = OLD.household
                AND EXISTS (SELECT FROM listed_measurement AS kept WHERE kept.meter = meter.number)
        ) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'consent is kept for ever';
END $$;

-- SHA-256 of the identifiers of participants who are gone since they revoked their consent. Whoever
-- shows a certificate of theirs is told so; nobody finds out an identifier by it, which is random.
CREATE TABLE revoked_participant (
    digest bytea PRIMARY KEY CHECK (length(digest) = 32)
);

-- A server asks for all of them, to keep a list of its own.
CREATE INDEX revoked_certificate ON certificate (serial) WHERE revoked_at IS NOT NULL;
