-- What measurements say of their devices is written once for a statement, since those of many reports
-- come in one. A statement that adds some rows and changes others is both, so there are two triggers;
-- the one for each meter has nothing left to do. The same is written as before.
CREATE OR REPLACE FUNCTION fleet_follows_measurement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;
-- Without hash and merge joins the plan reads a few rows by their keys, whatever the tables' statistics
-- were when it was made; and devices are locked in one order.
CREATE FUNCTION fleet_follows_measurements() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        UPDATE fleet_device AS fleet
        SET unmeasured = now.unmeasured, measured_at = now.measured_at,
            another_meter = now.another_meter,
            last_report = greatest(last_report, now.received_at)
        FROM (SELECT told.device, told.received_at,
                     count(*) FILTER (WHERE latest.meter IS NULL) AS unmeasured,
                     min(latest.measured_at) AS measured_at,
                     count(*) FILTER (WHERE latest.flags >> 7 & 1 = 1) AS another_meter
              FROM (SELECT measurement_device AS device, max(changed.received_at) AS received_at
                    FROM changed JOIN meter ON meter.number = changed.meter
                    WHERE measurement_device IS NOT NULL
                    GROUP BY measurement_device) AS told
              JOIN meter ON meter.measurement_device = told.device
              LEFT JOIN meter_latest AS latest ON latest.meter = meter.number
              GROUP BY told.device, told.received_at
              ORDER BY told.device) AS now
        WHERE fleet.device = now.device AND consent < 2;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_follows_new_measurements AFTER INSERT ON meter_latest
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleet_follows_measurements();
CREATE TRIGGER fleet_follows_later_measurements AFTER UPDATE ON meter_latest
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleet_follows_measurements();
