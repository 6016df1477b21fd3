-- Addresses that teachers write to, and what they wrote: each becomes a mailing. Owned by the room Mailings.
CREATE TABLE course_address (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id INTEGER NOT NULL REFERENCES domain(id),
    local TEXT NOT NULL,                    -- lower case
    course_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    approval TEXT NOT NULL,                 -- none, assistants, all: whose mail waits for an approver
    approvers TEXT NOT NULL DEFAULT '',     -- addresses with spaces between; empty: the teachers of the run
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    UNIQUE (domain_id, local)
);
CREATE TABLE course_post (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id INTEGER NOT NULL,
    message_id TEXT NOT NULL,               -- without brackets: the same again makes no second mailing
    mailing_id INTEGER NOT NULL,
    author TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,                    -- held, sending, sent, rejected, failed
    why TEXT NOT NULL DEFAULT '',           -- it failed
    token BLOB,                             -- SHA-256 of what approvers answer with, while it is held
    taken INTEGER NOT NULL,
    UNIQUE (address_id, message_id)
);
CREATE INDEX course_post_state ON course_post (state) WHERE state IN ('held', 'sending');
CREATE UNIQUE INDEX course_post_token ON course_post (token) WHERE token IS NOT NULL;
CREATE TRIGGER course_address_run AFTER DELETE ON run BEGIN -- the address is free again
    DELETE FROM course_post WHERE address_id IN (SELECT id FROM course_address WHERE run_id = old.id);
    DELETE FROM course_address WHERE run_id = old.id;
END;
