-- The header fields of a body that clients list messages by (Mailboxes.KeptFields); NULL where they are too long, or no plain fields, and for bodies from before
-- this file: their header tells. Owned by the room Mailboxes.
ALTER TABLE content ADD COLUMN fields BLOB;
