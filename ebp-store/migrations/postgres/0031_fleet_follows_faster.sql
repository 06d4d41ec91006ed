-- The same as before, without `fleet_meters`: PostgreSQL plans the query of such a function anew each
-- time, which took three quarters of the time in which small reports were stored.
CREATE OR REPLACE FUNCTION fleet_follows_measurement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_device uuid := (SELECT measurement_device FROM meter WHERE number = NEW.meter);
BEGIN
    IF of_device IS NOT NULL THEN
        UPDATE fleet_device AS fleet
        SET unmeasured = now.unmeasured, measured_at = now.measured_at,
            another_meter = now.another_meter,
            last_report = greatest(last_report, NEW.received_at)
        FROM (SELECT count(*) FILTER (WHERE latest.meter IS NULL) AS unmeasured,
                     min(latest.measured_at) AS measured_at,
                     count(*) FILTER (WHERE latest.flags >> 7 & 1 = 1) AS another_meter
              FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
              WHERE measurement_device = of_device) AS now
        WHERE device = of_device AND consent < 2;
    END IF;
    RETURN NULL;
END $$;
