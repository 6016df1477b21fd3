-- What is remembered of those who connect: bans, who is allowed, greylisting, who has waited or signed in. Owned by the room Inbound,
-- which has it in memory and writes here what has changed, in one commit a while.
CREATE TABLE stranger (
    kind TEXT NOT NULL,                     -- ban, allow, signed-in, greeted, greylist, pool, sender
    key TEXT NOT NULL,
    since INTEGER NOT NULL,                 -- ms since 1970, as every time here
    last INTEGER NOT NULL,                  -- of a ban: its end
    until INTEGER NOT NULL,                 -- forgotten from then on
    count INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
