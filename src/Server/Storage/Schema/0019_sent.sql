-- When a message was sent, beside what else it is listed and put in order by: the Date field of its body (content.sent), whose row is wide and lies elsewhere.
-- NULL where that row has to be asked: the body has no such field, or the message is from before this file. Owned by the room Mailboxes.
ALTER TABLE message ADD COLUMN sent INTEGER;
