-- The rules of alerts as administrators have changed them: a row for each version.
CREATE TABLE alert_rule (
    version    INTEGER PRIMARY KEY CHECK (version > 0),
    rules      TEXT NOT NULL CHECK (length(rules) <= 2000),
    changed_at INTEGER NOT NULL
) STRICT;
