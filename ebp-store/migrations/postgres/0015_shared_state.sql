-- What the servers of a database share, and had in files of their own before: which certificates the
-- authority issued, the hashes of the groups' secrets, and how many addresses have ended.

-- The authority's register: certificates of `ebp ca issue`, and those of servers. What servers issued to
-- devices is in `certificate`. A device need not be registered: an authority may be on another machine.
CREATE TABLE authority_certificate (
    serial     bytea PRIMARY KEY CHECK (length(serial) = 16),
    kind       text NOT NULL,
    device     uuid,
    -- Of a participant's own: a digest of serial number and identifier.
    holder     text CHECK (length(holder) = 64),
    scopes     text NOT NULL,
    not_before timestamptz NOT NULL,
    not_after  timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX authority_certificate_by_device
    ON authority_certificate (device, not_before, serial) WHERE device IS NOT NULL;
CREATE INDEX authority_certificate_by_time ON authority_certificate (not_before, serial);
CREATE FUNCTION authority_certificate_is_revoked_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'a certificate is revoked for good';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authority_certificate_is_revoked_for_good BEFORE UPDATE ON authority_certificate
    FOR EACH ROW EXECUTE FUNCTION authority_certificate_is_revoked_for_good();
CREATE FUNCTION removed_device_leaves_the_register() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE authority_certificate SET device = NULL WHERE device = OLD.uuid;
    RETURN NULL;
END $$;
CREATE TRIGGER removed_device_leaves_the_register AFTER DELETE ON measurement_device
    FOR EACH ROW EXECUTE FUNCTION removed_device_leaves_the_register();

-- The groups' secrets, as argon2id hashes.
CREATE TABLE group_secret (
    name text PRIMARY KEY,
    hash text NOT NULL
);
ALTER TABLE group_secret ALTER hash SET STATISTICS 0;

-- How many addresses have ended: changed, revoked or removed. By this a server finds out that another one
-- ended some; which ones is not told.
CREATE TABLE ended_address (
    one   integer PRIMARY KEY CHECK (one = 1),
    count bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO ended_address (one, count) VALUES (1, 0);
CREATE FUNCTION ended_address_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ended_address SET count = count + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER removed_address_is_counted AFTER DELETE ON address
    FOR EACH ROW EXECUTE FUNCTION ended_address_is_counted();
CREATE TRIGGER changed_address_is_counted AFTER UPDATE ON address
    FOR EACH ROW WHEN (OLD.street <> NEW.street OR OLD.postal_code <> NEW.postal_code
        OR OLD.city <> NEW.city OR OLD.country <> NEW.country)
    EXECUTE FUNCTION ended_address_is_counted();

-- One-time tokens end with consent, and when they expire.
CREATE INDEX enrolment_by_expiry ON enrolment (expires_at);
CREATE FUNCTION revocation_erases_enrolment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM enrolment
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_erases_enrolment AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION revocation_erases_enrolment();
