-- What the servers of a database share, and had in files of their own before: which certificates the
-- authority issued, the hashes of the groups' secrets, and how many addresses have ended.

-- The authority's register: certificates of `ebp ca issue`, and those of servers. What servers issued to
-- devices is in `certificate`. A device need not be registered: an authority may be on another machine.
CREATE TABLE authority_certificate (
    serial     BLOB PRIMARY KEY CHECK (length(serial) = 16),
    kind       TEXT NOT NULL,
    device     BLOB CHECK (length(device) = 16),
    -- Of a participant's own: a digest of serial number and identifier.
    holder     TEXT CHECK (length(holder) = 64),
    scopes     TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after  INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX authority_certificate_by_device
    ON authority_certificate (device, not_before, serial) WHERE device IS NOT NULL;
CREATE INDEX authority_certificate_by_time ON authority_certificate (not_before, serial);
CREATE TRIGGER authority_certificate_is_revoked_for_good BEFORE UPDATE ON authority_certificate
WHEN OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at
BEGIN
    SELECT RAISE(ABORT, 'a certificate is revoked for good');
END;
CREATE TRIGGER removed_device_leaves_the_register AFTER DELETE ON measurement_device
BEGIN
    UPDATE authority_certificate SET device = NULL WHERE device = OLD.uuid;
END;

-- The groups' secrets, as argon2id hashes.
CREATE TABLE group_secret (
    name TEXT PRIMARY KEY,
    hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How many addresses have ended: changed, revoked or removed. By this a server finds out that another one
-- ended some; which ones is not told.
CREATE TABLE ended_address (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    count INTEGER NOT NULL
) STRICT;
INSERT INTO ended_address (one, count) VALUES (1, 0);
CREATE TRIGGER removed_address_is_counted AFTER DELETE ON address
BEGIN
    UPDATE ended_address SET count = count + 1;
END;
CREATE TRIGGER changed_address_is_counted AFTER UPDATE ON address
WHEN OLD.street <> NEW.street OR OLD.postal_code <> NEW.postal_code OR OLD.city <> NEW.city
    OR OLD.country <> NEW.country
BEGIN
    UPDATE ended_address SET count = count + 1;
END;

-- One-time tokens end with consent, and when they expire.
CREATE INDEX enrolment_by_expiry ON enrolment (expires_at);
CREATE TRIGGER revocation_erases_enrolment AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM enrolment
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;
