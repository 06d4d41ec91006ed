//! A release only adds to the schema: servers of the release before go on working with it
//! (`docs/decisions/rolling-releases.md`). A migration that does more says so, with the reason, in a line
//! that begins as [`BREAKS`].

use std::{collections::BTreeSet, fs, path::Path};

/// The migrations of a folder up to this one were applied before servers of two releases worked on one
/// database.
const BEFORE: [(&str, &str); 2] = [("sqlite", "0009"), ("postgres", "0010")];

/// As in `ebp-store/src/schema.rs`.
const BREAKS: &str = "-- Breaks older servers: ";

/// What a revocation renames or a removal deletes: what refers to it has to follow by itself, since an
/// older server knows nothing of it. The action of the reference that is needed.
const FOLLOWED: [(&str, &str); 6] = [
    ("HOUSEHOLD", "ON UPDATE CASCADE"),
    ("METER", "ON UPDATE CASCADE"),
    ("PV_SYSTEM", "ON UPDATE CASCADE"),
    ("PARTICIPANT", "ON DELETE"),
    ("MEASUREMENT_DEVICE", "ON DELETE"),
    ("MEASUREMENT_DEVICE_STATUS", "ON DELETE"),
];

/// Functions that a migration replaces, and why older servers go on as before.
const REPLACED: [(&str, &str); 2] = [
    (
        "MEASUREMENT_IS_WITHIN_CONSENT",
        "it refuses what it refused, and removes kept days, which older servers do not know",
    ),
    ("FLEET_FOLLOWS_MEASUREMENT", "what it wrote is written by triggers for the whole statement"),
];

/// How many migrations a database has.
pub fn count_of(engine: &str) -> i64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    fs::read_dir(folder).unwrap().count().try_into().unwrap()
}

/// The statements of a file, in capitals, without comments and with single spaces. Bodies of functions
/// and triggers belong to their statement.
fn statements(sql: &str) -> Vec<String> {
    let text: String = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .flat_map(str::split_whitespace)
        .collect::<Vec<_>>()
        .join(" ")
        .to_uppercase();
    let mut statements = vec![String::new()];
    let mut quoted = false;
    for piece in text.split_inclusive(';') {
        let last = statements.last_mut().unwrap();
        last.push_str(piece);
        quoted ^= piece.matches("$$").count() % 2 == 1;
        let in_trigger = last.trim_start().starts_with("CREATE TRIGGER")
            && last.contains(" BEGIN ")
            && !last.ends_with("END;");
        if !quoted && !in_trigger {
            statements.push(String::new());
        }
    }
    statements.retain(|statement| !statement.trim().is_empty());
    statements.into_iter().map(|statement| statement.trim().trim_end_matches(';').into()).collect()
}

/// What stands between commas that are in no brackets.
fn parts(list: &str) -> Vec<&str> {
    let mut depth = 0;
    list.split(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

/// What a file has made so far.
#[derive(Default)]
struct Made {
    tables: BTreeSet<String>,
    /// Functions that refuse something.
    refusing: BTreeSet<String>,
}

impl Made {
    fn has(&self, table: &str) -> bool {
        self.tables.contains(table.trim_matches('"'))
    }

    /// Why a statement does more than add, if it does.
    fn breach(&mut self, statement: &str) -> Option<&'static str> {
        let words: Vec<&str> = statement.split([' ', '(']).collect();
        let after = |word: &str| {
            let place = words.iter().position(|other| *other == word)?;
            words.get(place + 1).copied()
        };
        match words.as_slice() {
            ["CREATE", "TABLE", table, ..] => {
                self.tables.insert((*table).to_owned());
                unfollowed(statement)
            }
            ["CREATE", "INDEX" | "SEQUENCE" | "VIEW", ..] | ["GRANT" | "COMMENT", ..] => None,
            ["ALTER", "INDEX", ..] if statement.contains(" SET STATISTICS ") => None,
            ["CREATE", "UNIQUE", "INDEX", ..] if after("ON").is_some_and(|it| self.has(it)) => None,
            ["CREATE", "OR", "REPLACE", "FUNCTION", name, ..]
                if REPLACED.iter().any(|(replaced, _)| replaced == name) =>
            {
                None
            }
            ["CREATE", "FUNCTION", name, ..] => {
                if statement.contains("RAISE ") {
                    self.refusing.insert((*name).to_owned());
                }
                None
            }
            ["CREATE", "TRIGGER", ..] => {
                let refuses = statement.contains("RAISE(")
                    || after("FUNCTION").is_some_and(|name| self.refusing.contains(name));
                let is_new = after("ON").is_some_and(|table| self.has(table));
                (refuses && !is_new).then_some("refuses what older servers may write")
            }
            ["INSERT", "INTO", table, ..] | ["UPDATE", table, ..] if self.has(table) => None,
            ["ALTER", "TABLE", table, ..] if self.has(table) => unfollowed(statement),
            ["ALTER", "TABLE", table, ..] => {
                let actions = statement.split_once(table).map_or("", |(_, rest)| rest);
                let breach = parts(actions).into_iter().find_map(|action| breach_of_action(action));
                breach.or_else(|| unfollowed(statement))
            }
            _ => Some("does more than add"),
        }
    }
}

/// Why an action on a table that older servers use does more than add.
fn breach_of_action(action: &str) -> Option<&'static str> {
    if !action.starts_with("ADD COLUMN ") {
        let statistics = action.starts_with("ALTER ") && action.contains(" SET STATISTICS ");
        return (!statistics).then_some("does more than add a column");
    }
    if action.contains(" UNIQUE") || action.contains(" PRIMARY KEY") {
        return Some("adds a key that older servers do not write");
    }
    (action.contains(" NOT NULL") && !action.contains(" DEFAULT "))
        .then_some("adds a column that older servers leave out and that must not be NULL")
}

/// Why a reference stands in the way of an older server's revocations and removals.
fn unfollowed(statement: &str) -> Option<&'static str> {
    let mut references = parts(statement.split_once('(').map_or(statement, |(_, rest)| rest))
        .into_iter()
        .chain([statement])
        .flat_map(|part| part.split(" REFERENCES ").skip(1).collect::<Vec<_>>());
    let stays = references.any(|reference| {
        let table = reference.split([' ', '(']).next().unwrap_or_default();
        let reference = reference.split(',').next().unwrap_or_default();
        let needed = FOLLOWED.iter().find(|(followed, _)| *followed == table);
        needed.is_some_and(|(_, action)| !reference.contains(action))
    });
    stays.then_some("refers to what older servers rename or delete, and does not follow")
}

/// What is wrong with a migration.
fn breaches(sql: &str) -> Vec<String> {
    let mut made = Made::default();
    let breach =
        |statement: String| made.breach(&statement).map(|breach| format!("{breach}: {statement}"));
    statements(sql).into_iter().filter_map(breach).collect()
}

#[test]
fn migrations_only_add_or_say_why_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for (engine, last) in BEFORE {
        for entry in fs::read_dir(folder.join(engine)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.get(..4).unwrap() <= last {
                continue;
            }
            let sql = fs::read_to_string(&path).unwrap();
            let says_why = sql.lines().any(|line| line.starts_with(BREAKS));
            let breaches = breaches(&sql);
            assert!(breaches.is_empty() || says_why, "{engine}/{name}: {breaches:#?}");
        }
    }
}

#[test]
fn what_only_adds_is_let_through() {
    let adds = [
        "-- A table; and its index.\nCREATE TABLE job (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE UNIQUE INDEX job_name ON job (name); INSERT INTO job (id, name) VALUES (1, 'a');",
        "ALTER TABLE meter ADD COLUMN tariff TEXT CHECK (tariff IN ('a', 'b'));",
        "ALTER TABLE meter ADD COLUMN a text, ADD COLUMN b integer NOT NULL DEFAULT 0,
             ALTER a SET STATISTICS 0;",
        "CREATE TABLE note (household BLOB REFERENCES household (uuid) ON UPDATE CASCADE, a TEXT);",
        "CREATE TRIGGER t AFTER UPDATE ON consent BEGIN DELETE FROM note; DELETE FROM job; END;
         CREATE INDEX i ON meter (type);",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN DELETE FROM note; RETURN NEW; END $$;
         CREATE TRIGGER t AFTER UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION f();",
    ];
    for sql in adds {
        assert_eq!(breaches(sql), [""; 0], "{sql}");
    }
}

#[test]
fn what_does_more_is_found() {
    let planted = [
        "DROP TABLE meter;",
        "DROP TRIGGER consent_is_kept;",
        "ALTER TABLE meter RENAME COLUMN type TO kind;",
        "ALTER TABLE meter DROP COLUMN model;",
        "ALTER TABLE meter ALTER model TYPE varchar(40);",
        "ALTER TABLE meter ADD COLUMN a text, ALTER model SET NOT NULL;",
        "ALTER TABLE meter ADD CHECK (length(model) < 10);",
        "ALTER TABLE meter ADD COLUMN kind text NOT NULL;",
        "ALTER TABLE meter ADD COLUMN kind text UNIQUE;",
        "CREATE UNIQUE INDEX one_model ON meter (model);",
        "UPDATE meter SET model = 'x';",
        "DELETE FROM incident;",
        "ALTER INDEX meter_by_device RENAME TO by_device;",
        "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$;",
        "CREATE TRIGGER t BEFORE INSERT ON meter BEGIN SELECT RAISE(ABORT, 'no'); END;",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE TRIGGER t BEFORE INSERT ON meter FOR EACH ROW EXECUTE FUNCTION f();",
        "CREATE TABLE note (household BLOB REFERENCES household (uuid), text TEXT);",
        "ALTER TABLE job ADD COLUMN device uuid REFERENCES measurement_device (uuid);",
    ];
    for sql in planted {
        assert_eq!(breaches(sql).len(), 1, "{sql}: {:?}", breaches(sql));
    }
}
