-- The same again is answered in the same words, and what is over goes. Owned by the room Resources.
ALTER TABLE booking ADD COLUMN why TEXT;                        -- COMMENT of the last answer, or null
ALTER TABLE booking ADD COLUMN ends INTEGER NOT NULL DEFAULT 0; -- when the last that was asked for is over
UPDATE booking SET ends = coalesce((SELECT max("end") FROM booking_time WHERE booking_id = booking.id), made + 63072000000);
CREATE INDEX booking_ends ON booking (ends);
