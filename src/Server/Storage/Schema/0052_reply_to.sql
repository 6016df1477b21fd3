-- A teacher whose address is of a domain elsewhere: copies go out from an address of the course, answers to him. Owned by the room Mailings.
ALTER TABLE mailing ADD COLUMN reply_to TEXT;       -- as written: "Name <address>"; NULL: to From
