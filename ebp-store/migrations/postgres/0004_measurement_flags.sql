-- What is doubtful about a measurement: a bit each, in the order of the contract; NULL where
-- nothing is, which is nearly always and takes no room beyond a bit of the row's header.
ALTER TABLE measurement ADD COLUMN flags smallint CHECK (flags > 0);

-- Measurements as they are read from the first slot on: each part by its index, in whose order they
-- come, so that a reader who wants them so sorts nothing.
CREATE VIEW listed_measurement AS
    (SELECT * FROM measurement WHERE uuid IS NULL ORDER BY meter, slot)
    UNION ALL
    (SELECT * FROM measurement WHERE uuid IS NOT NULL ORDER BY meter, slot);
