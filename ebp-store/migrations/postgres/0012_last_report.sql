-- When a device last sent measurements or its status. Activity, which any request of a measuring
-- certificate is, says nothing of whether reports arrive. Absent until the first report after this.
ALTER TABLE measurement_device ADD COLUMN last_report timestamptz;
CREATE FUNCTION revocation_forgets_last_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE measurement_device SET last_report = NULL WHERE household = NEW.household;
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_last_report AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION revocation_forgets_last_report();
