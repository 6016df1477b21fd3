-- Mailing lists: bounces of members, digests. Owned by the room Lists.
ALTER TABLE list_member ADD COLUMN score INTEGER NOT NULL DEFAULT 0;   -- of bounces: 2 a hard one, 1 a soft one, one a day
ALTER TABLE list_member ADD COLUMN bounced INTEGER;                    -- when the last that counted came
ALTER TABLE list_member ADD COLUMN bounce TEXT NOT NULL DEFAULT '';    -- what it was
ALTER TABLE list_member ADD COLUMN paused INTEGER;                     -- since when he gets nothing, for bounces
ALTER TABLE list_member ADD COLUMN probes INTEGER NOT NULL DEFAULT 0;  -- letters that asked since whether he can be reached
ALTER TABLE list_member ADD COLUMN probe TEXT NOT NULL DEFAULT '';     -- of the last one: sent, arrived, returned
ALTER TABLE list_member ADD COLUMN probed INTEGER;                     -- when that was
ALTER TABLE list_member ADD COLUMN told INTEGER NOT NULL DEFAULT 0;    -- the owners know that he is paused
CREATE INDEX list_member_address ON list_member (address);
CREATE INDEX list_member_paused ON list_member (paused) WHERE paused IS NOT NULL;
CREATE UNIQUE INDEX list_post_token ON list_post (token) WHERE token IS NOT NULL;
ALTER TABLE mail_list ADD COLUMN issue INTEGER NOT NULL DEFAULT 0;     -- of the last digest
CREATE TABLE list_digest (                  -- posts that wait for the next digest
    post_id INTEGER PRIMARY KEY,
    list_id INTEGER NOT NULL,
    content_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    taken INTEGER NOT NULL
);
CREATE INDEX list_digest_list ON list_digest (list_id);
