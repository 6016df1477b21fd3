-- Mailing lists: who is on them, what was posted, what waits. Owned by the room Lists.
CREATE TABLE mail_list (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id INTEGER NOT NULL REFERENCES domain(id),
    local TEXT NOT NULL,                    -- lower case
    profile TEXT NOT NULL,                  -- JSON, ListProfile
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    UNIQUE (domain_id, local)
);
CREATE TABLE list_member (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- return addresses and links name it: never given twice
    list_id INTEGER NOT NULL,
    address TEXT NOT NULL,                  -- in its form for comparison: an account, a group, or elsewhere
    name TEXT NOT NULL DEFAULT '',
    mode TEXT NOT NULL,                     -- normal, nomail
    joined INTEGER NOT NULL,
    UNIQUE (list_id, address)
);
CREATE TABLE list_post (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id INTEGER NOT NULL,
    message_id TEXT NOT NULL,               -- without brackets: the same again is not sent again
    author TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,                    -- held, sending, sent, rejected, expired
    content_id INTEGER,                     -- the text as it goes out, while it is held or being sent
    size INTEGER NOT NULL,
    flags INTEGER NOT NULL,                 -- how it leaves, PostFlags
    taken INTEGER NOT NULL,
    copies INTEGER NOT NULL DEFAULT 0,
    token BLOB,                             -- SHA-256 of what moderators answer with, while it is held
    UNIQUE (list_id, message_id)
);
CREATE INDEX list_post_state ON list_post (state) WHERE state IN ('held', 'sending');
CREATE TABLE list_copy (                    -- who is still to get a post that is being sent
    post_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    account_id INTEGER,                     -- null: elsewhere
    address TEXT NOT NULL,
    own INTEGER NOT NULL,                   -- the copy is the member's alone, not one of a group's
    PRIMARY KEY (post_id, number)
) WITHOUT ROWID;
CREATE TABLE list_request (                 -- waits for a confirmation by its address, or for an owner's word
    token BLOB PRIMARY KEY,                 -- SHA-256
    list_id INTEGER NOT NULL,
    kind TEXT NOT NULL,                     -- subscribe, unsubscribe, approve
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE list_answer (                  -- letters that were written to somebody, so that nobody is flooded
    address TEXT NOT NULL,
    list_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (address, list_id, kind)
) WITHOUT ROWID;
ALTER TABLE queue_message ADD COLUMN top BLOB; -- header fields that stand before the content, of this copy alone
INSERT INTO server_key (name, value) VALUES ('lists', randomblob(32));
