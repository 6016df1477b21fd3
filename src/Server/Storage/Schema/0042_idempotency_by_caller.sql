-- How many answers are kept for one caller is bounded. Owned by the room Authorization.
CREATE INDEX idempotency_of ON idempotency (caller, at);
