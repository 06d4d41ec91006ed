-- What is doubtful about a measurement: a bit each, in the order of the contract; NULL where
-- nothing is, which is nearly always and takes no room.
ALTER TABLE measurement ADD COLUMN flags INTEGER CHECK (flags > 0);
