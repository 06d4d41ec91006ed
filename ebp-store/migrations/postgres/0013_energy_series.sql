-- Energy by local days, so that a household's year is read without its measurements
-- (docs/decisions/energy-series.md). The rows follow from the meter's measurements and can be made
-- again at any time; nothing in them names a household.
--
-- `basis` is what the days were made by (version of the rules, time zone); days of another basis are
-- removed. `generation` counts the removals: whoever has read measurements stores days only if it has
-- not changed. `state` is the series as all measurements before the end of the last day leave it.
CREATE TABLE energy_series (
    meter      integer PRIMARY KEY
               REFERENCES meter (number) ON UPDATE CASCADE ON DELETE CASCADE,
    basis      text NOT NULL,
    generation bigint NOT NULL DEFAULT 0,
    state_at   timestamptz,
    state      text,
    CHECK ((state_at IS NULL) = (state IS NULL))
);

-- A day without a gap to the one before. No measurement at `reach` or later changes it. Once a week
-- `state` is the series as all measurements before the day leave it.
CREATE TABLE energy_day (
    meter  integer NOT NULL REFERENCES energy_series (meter) ON UPDATE CASCADE ON DELETE CASCADE,
    starts timestamptz NOT NULL,
    ends   timestamptz NOT NULL,
    reach  timestamptz NOT NULL,
    day    text NOT NULL,
    state  text,
    PRIMARY KEY (meter, starts),
    CHECK (starts < ends AND ends <= reach)
);
CREATE INDEX energy_day_by_reach ON energy_day (meter, reach);
CREATE INDEX energy_day_with_state ON energy_day (meter, starts) WHERE state IS NOT NULL;

-- As before, and besides: a measurement that is more than 48 hours old when it arrives removes the
-- days that it changes (ebp-store/src/rule/series.rs). The schema does this, so that a server of the
-- release before does it, too. Who stores days holds the row of `energy_series`, or waits for it
-- here; the days are removed by a later statement, which sees what that server has stored.
CREATE OR REPLACE FUNCTION measurement_is_within_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    meters integer[];
    firsts timestamptz[];
    received timestamptz[];
BEGIN
    -- Gone through once: it is as long as the insertion, and meters are few.
    SELECT array_agg(meter), array_agg(first), array_agg(last) INTO meters, firsts, received
    FROM (SELECT meter, min(measured_at) AS first, max(received_at) AS last
          FROM inserted GROUP BY meter) AS of_meter;
    PERFORM pg_advisory_xact_lock_shared(lock) FROM (
        SELECT DISTINCT consent_lock(household)
        FROM meter WHERE meter.number = ANY (meters) ORDER BY 1
    ) AS locks (lock);
    IF EXISTS (
        SELECT FROM unnest(meters, firsts) AS inserted (number, first)
        LEFT JOIN meter USING (number) LEFT JOIN consent USING (household)
        WHERE consent.granted_at IS NULL OR consent.revoked_at IS NOT NULL
            OR inserted.first < consent.granted_at
    ) THEN
        RAISE EXCEPTION 'a measurement lies within consent' USING ERRCODE = 'EBP01';
    END IF;
    SELECT array_agg(number), array_agg(first) INTO meters, firsts
    FROM unnest(meters, firsts, received) AS inserted (number, first, last)
    WHERE first < last - interval '48 hours';
    IF meters IS NOT NULL THEN
        PERFORM FROM energy_series WHERE meter = ANY (meters) ORDER BY meter FOR UPDATE;
        UPDATE energy_series SET generation = generation + 1, state_at = NULL, state = NULL
        WHERE meter = ANY (meters);
        DELETE FROM energy_day USING unnest(meters, firsts) AS late (number, first)
        WHERE energy_day.meter = late.number AND energy_day.reach > late.first;
    END IF;
    RETURN NULL;
END $$;
