-- What is doubtful about a measurement: a bit each, in the order of the contract; NULL where
-- nothing is, which is nearly always and takes no room beyond a bit of the row's header.
ALTER TABLE measurement ADD COLUMN flags smallint CHECK (flags > 0);
