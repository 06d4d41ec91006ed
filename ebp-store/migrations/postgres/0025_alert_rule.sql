-- The rules of alerts as administrators have changed them: a row for each version.
CREATE TABLE alert_rule (
    version    bigint PRIMARY KEY CHECK (version > 0),
    rules      text NOT NULL CHECK (length(rules) <= 2000),
    changed_at timestamptz NOT NULL
);
