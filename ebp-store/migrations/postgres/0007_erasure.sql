-- Getting removed values out of the tables' files.
--
-- A table whose removed values are to go is copied into an empty one that takes its place, and the
-- old one is dropped. The empty one exists before anything is copied: a crash of PostgreSQL in
-- between leaves rows in tables that have names, never in files that belong to nothing. The next
-- erasure drops those tables first.

-- Identifiers do not start anew with a copy of the table.
CREATE SEQUENCE participant_number OWNED BY NONE;
ALTER TABLE participant ALTER id DROP IDENTITY;
SELECT setval('participant_number', coalesce(max(id), 0) + 1, false) FROM participant;
ALTER TABLE participant ALTER id SET DEFAULT nextval('participant_number');

-- Revocations in their course: `copied` is set with the copy that no longer has their values.
ALTER TABLE erasure_due ADD COLUMN copied boolean NOT NULL DEFAULT false;

-- A definition as the catalogue writes it, without the names of index and table.
CREATE FUNCTION index_without_names(index regclass) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT regexp_replace(pg_get_indexdef(index), '^(CREATE .*INDEX) \S+ ON \S+ ', '\1 ')
$$;

-- Makes NAME_next: empty, and in everything else as NAME is.
CREATE FUNCTION prepare_erasure(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    next text := name || '_next';
    part record;
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', next, name);
    FOR part IN SELECT attname, attstattarget FROM pg_attribute
        WHERE attrelid = name::regclass AND attnum > 0 AND NOT attisdropped AND attstattarget >= 0
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER %I SET STATISTICS %s',
                       next, part.attname, part.attstattarget);
    END LOOP;
    -- Statistics of an index's expressions would hold values, too.
    FOR part IN SELECT indexrelid::regclass AS index, place
        FROM pg_index, generate_series(1, indnatts) AS place
        WHERE indrelid = next::regclass AND indkey[place - 1] = 0
    LOOP
        EXECUTE format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS 0', part.index, part.place);
    END LOOP;
    FOR part IN SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE conrelid = name::regclass AND contype = 'f'
    LOOP
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I %s', next, part.conname, part.definition);
    END LOOP;
    FOR part IN SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
        WHERE tgrelid = name::regclass AND NOT tgisinternal
    LOOP
        EXECUTE regexp_replace(part.definition, ' ON \S+ FOR EACH ', format(' ON %I FOR EACH ', next));
    END LOOP;
    FOR part IN SELECT grantee, privilege_type, is_grantable
        FROM pg_class, aclexplode(relacl) WHERE oid = name::regclass AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s %s', part.privilege_type, next,
                       CASE part.grantee WHEN 0 THEN 'PUBLIC' ELSE part.grantee::regrole::text END,
                       CASE WHEN part.is_grantable THEN 'WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END $$;

-- Copies NAME into NAME_next, which is NAME from then on; what it was before is NAME_old.
CREATE FUNCTION swap_for_erasure(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old text := name || '_old';
    next text := name || '_next';
    before oid := name::regclass;
    pairs record;
    part record;
BEGIN
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', next, name);
    -- Who refers to the table refers to the new one, whose name the definition then is.
    CREATE TEMPORARY TABLE referring ON COMMIT DROP AS
        SELECT conname, conrelid::regclass AS referrer, pg_get_constraintdef(oid) AS definition
        FROM pg_constraint WHERE confrelid = before AND contype = 'f';
    FOR part IN SELECT * FROM referring LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', part.referrer, part.conname);
    END LOOP;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', name, old);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', next, name);
    FOR pairs IN SELECT old_class.relname AS old_name, new_class.relname AS new_name
        FROM pg_index AS old_index
        JOIN pg_class AS old_class ON old_class.oid = old_index.indexrelid
        JOIN pg_index AS new_index ON new_index.indrelid = name::regclass
            AND index_without_names(new_index.indexrelid) = index_without_names(old_index.indexrelid)
        JOIN pg_class AS new_class ON new_class.oid = new_index.indexrelid
        WHERE old_index.indrelid = before
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', pairs.old_name, pairs.old_name || '_old');
        EXECUTE format('ALTER INDEX %I RENAME TO %I', pairs.new_name, pairs.old_name);
    END LOOP;
    -- Not validated: every row was valid a moment ago, and a look at each would take its time under
    -- the lock.
    FOR part IN SELECT * FROM referring LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID',
                       part.referrer, part.conname, part.definition);
    END LOOP;
    DROP TABLE referring;
    -- Its rows refer to households that may be renamed before it is dropped.
    EXECUTE format('TRUNCATE %I', old);
END $$;

-- Drops what an erasure, or one that was interrupted, has left of the table beside it.
CREATE FUNCTION end_erasure(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part record;
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I', name || '_old');
    EXECUTE format('DROP TABLE IF EXISTS %I', name || '_next');
    FOR part IN SELECT conname, conrelid::regclass AS referrer FROM pg_constraint
        WHERE confrelid = name::regclass AND contype = 'f' AND NOT convalidated
    LOOP
        EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', part.referrer, part.conname);
    END LOOP;
END $$;
