-- The conversation of a body (Mime.ThreadRoot), for THREADID and JMAP; NULL for bodies from before this file: their header tells. Owned by the room Mailboxes.
ALTER TABLE content ADD COLUMN conversation INTEGER;
