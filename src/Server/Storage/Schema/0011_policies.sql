-- What domains, accounts and aliases ask for beyond their addresses. Owned by the room Directory.
ALTER TABLE domain ADD COLUMN alias_of INTEGER REFERENCES domain(id); -- every address of it means the same one there, or NULL
ALTER TABLE domain ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';      -- Directory/MailPolicy.cs as JSON
ALTER TABLE account ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE alias ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
CREATE TABLE recipient_map (
    address TEXT PRIMARY KEY,               -- an address, or "@domain" for all of it
    target TEXT NOT NULL,                   -- as above; "@domain" keeps the local part
    created INTEGER NOT NULL
) WITHOUT ROWID;
-- Mail that is passed on for somebody: sealed (RFC 8617) when it leaves.
ALTER TABLE queue_message ADD COLUMN forwarded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue_message ADD COLUMN sealer TEXT;                     -- the domain that does so, where the reverse-path is empty
-- Secrets that only this server need know; a restored server keeps them, or bounces of old mail find no way back.
CREATE TABLE server_key (
    name TEXT PRIMARY KEY,                  -- srs
    value BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO server_key (name, value) VALUES ('srs', randomblob(32));
