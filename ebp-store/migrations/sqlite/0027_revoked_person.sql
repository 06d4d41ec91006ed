-- Whoever signed in by a link because they hold a person's certificate is signed out when it is revoked,
-- and a link that was made for them no longer opens.
CREATE TRIGGER revoked_person_is_signed_out AFTER UPDATE OF revoked_at ON authority_certificate
WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL AND NEW.administrator IS NOT NULL
BEGIN
    DELETE FROM web_session
    WHERE group_name = 'administrators' AND label = NEW.administrator;
    DELETE FROM sign_in_link
    WHERE group_name = 'administrators' AND label = NEW.administrator;
END;
