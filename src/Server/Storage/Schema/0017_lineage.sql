-- The Message-ID of a body and its ancestors' (Mime.Lineage), for THREAD; NULL for bodies from before this file: their header tells. Owned by the room Mailboxes.
ALTER TABLE content ADD COLUMN lineage BLOB;
