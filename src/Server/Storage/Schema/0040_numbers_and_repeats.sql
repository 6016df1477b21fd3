-- The highest number that a removed account or domain had: a new one is none of before, so that nothing that still names the old one comes to it.
-- Owned by the room Directory.
CREATE TABLE highest_number (
    name TEXT PRIMARY KEY,                  -- of the table
    number INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO highest_number (name, number) VALUES
    ('account', (SELECT max(number) FROM (
        SELECT coalesce(max(id), 0) AS number FROM account UNION ALL SELECT coalesce(max(account_id), 0) FROM mailbox UNION ALL SELECT coalesce(max(account_id), 0) FROM api_key
        UNION ALL SELECT coalesce(max(account_id), 0) FROM sign_in UNION ALL SELECT coalesce(max(account_id), 0) FROM queue_message UNION ALL SELECT coalesce(max(by_id), 0) FROM invitation))),
    ('domain', (SELECT coalesce(max(id), 0) FROM domain));
CREATE TRIGGER account_number_is_used AFTER DELETE ON account BEGIN UPDATE highest_number SET number = max(number, old.id) WHERE name = 'account'; END;
CREATE TRIGGER domain_number_is_used AFTER DELETE ON domain BEGIN UPDATE highest_number SET number = max(number, old.id) WHERE name = 'domain'; END;

-- Somebody who waits and has asked again from the same other address. Owned by the room Admission.
ALTER TABLE sign_up ADD COLUMN again_local TEXT NOT NULL DEFAULT '';    -- the name that he wanted then; '' = he has not asked again
ALTER TABLE sign_up ADD COLUMN again_at INTEGER;
ALTER TABLE sign_up ADD COLUMN again_told INTEGER;                      -- when he was last told that he waits already
