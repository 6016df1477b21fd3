-- Who has been told that somebody is away. Owned by the room Delivery.
CREATE TABLE vacation_reply (
    account_id INTEGER NOT NULL,
    sender TEXT NOT NULL,                   -- address in its form for comparison
    at INTEGER NOT NULL,                    -- ms since 1970, as every time here
    PRIMARY KEY (account_id, sender)
) WITHOUT ROWID;
