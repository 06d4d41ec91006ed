-- The identifier of the request that asked for a job (W3C Trace Context), by which it is found in the
-- logs of other servers.
ALTER TABLE job ADD COLUMN trace_id uuid;
