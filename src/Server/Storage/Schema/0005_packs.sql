-- What lies in each pack, kept right by every commit: garbage is collected by it. Owned by the engine.
DROP TABLE pack;
CREATE TABLE pack (
    id INTEGER PRIMARY KEY,
    sealed INTEGER NOT NULL,                -- no record will be added
    bytes INTEGER NOT NULL,                 -- of the file, once it is sealed: garbage of failed commits included
    live INTEGER NOT NULL                   -- of records that rows name
);
INSERT INTO pack (id, sealed, bytes, live)
    SELECT pack, 0, 0, sum(stored) FROM (SELECT pack, stored FROM content UNION ALL SELECT pack, stored FROM object) GROUP BY pack;
-- What was expunged is remembered for a while only. Owned by the room Mailboxes.
ALTER TABLE expunged ADD COLUMN at INTEGER NOT NULL DEFAULT 0;              -- ms since 1970
UPDATE expunged SET at = unixepoch() * 1000;                                -- not known: as if now
ALTER TABLE mailbox ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;        -- expunges up to this modseq are no longer all remembered
