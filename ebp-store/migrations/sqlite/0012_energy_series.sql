-- Energy by local days, so that a household's year is read without its measurements
-- (docs/decisions/energy-series.md). The rows follow from the meter's measurements and can be made
-- again at any time; nothing in them names a household.
-- Breaks older servers: they store late measurements without removing the days that these change.
--
-- `basis` is what the days were made by (version of the rules, time zone); days of another basis are
-- removed. `generation` counts the removals: whoever has read measurements stores days only if it has
-- not changed. `state` is the series as all measurements before the end of the last day leave it.
CREATE TABLE energy_series (
    meter      INTEGER PRIMARY KEY
               REFERENCES meter (number) ON UPDATE CASCADE ON DELETE CASCADE,
    basis      TEXT NOT NULL,
    generation INTEGER NOT NULL DEFAULT 0,
    state_at   INTEGER,
    state      TEXT,
    CHECK ((state_at IS NULL) = (state IS NULL))
) STRICT;

-- A day without a gap to the one before. No measurement at `reach` or later changes it. Once a week
-- `state` is the series as all measurements before the day leave it.
CREATE TABLE energy_day (
    meter  INTEGER NOT NULL REFERENCES energy_series (meter) ON UPDATE CASCADE ON DELETE CASCADE,
    starts INTEGER NOT NULL,
    ends   INTEGER NOT NULL,
    reach  INTEGER NOT NULL,
    day    TEXT NOT NULL,
    state  TEXT,
    PRIMARY KEY (meter, starts),
    CHECK (starts < ends AND ends <= reach)
) STRICT, WITHOUT ROWID;
CREATE INDEX energy_day_by_reach ON energy_day (meter, reach);
CREATE INDEX energy_day_with_state ON energy_day (meter, starts) WHERE state IS NOT NULL;
