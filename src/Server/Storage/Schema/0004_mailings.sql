-- Courses, their people, and what was sent to whom. Owned by the room Mailings.
CREATE TABLE course (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL UNIQUE,              -- the short name used in verbs
    name TEXT NOT NULL,
    domain TEXT NOT NULL,                   -- lower case A-labels
    language TEXT NOT NULL,                 -- ru, en
    columns TEXT NOT NULL,                  -- JSON array: names of the further columns, as first written, in order
    created INTEGER NOT NULL                -- ms since 1970, as every time here
);
CREATE TABLE participant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: Message-IDs are made of it
    course_id INTEGER NOT NULL REFERENCES course(id),
    address_key TEXT NOT NULL,              -- lower case
    address TEXT NOT NULL,                  -- as written
    name TEXT NOT NULL,
    fields TEXT NOT NULL,                   -- JSON object: column -> text
    line INTEGER NOT NULL,                  -- where it stood in the file that brought it
    created INTEGER NOT NULL,
    UNIQUE (course_id, address_key)
);
CREATE TABLE import_reject (                -- rows that the last import left out: named again by `mailing check`
    course_id INTEGER NOT NULL,
    line INTEGER NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX import_reject_course ON import_reject (course_id);
CREATE TABLE mailing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id INTEGER NOT NULL REFERENCES course(id),
    from_name TEXT NOT NULL,
    from_address TEXT NOT NULL,
    subject TEXT NOT NULL,                  -- templates
    html TEXT,
    text TEXT,
    state TEXT NOT NULL,                    -- draft, sending, paused, sent, cancelled
    base_content INTEGER,                   -- first content of the mailing, held: the others are compressed against it
    created INTEGER NOT NULL,
    started INTEGER,                        -- the Date field of every copy
    finished INTEGER
);
CREATE INDEX mailing_course ON mailing (course_id);
CREATE INDEX mailing_active ON mailing (id) WHERE state = 'sending';
CREATE TABLE mailing_file (
    mailing_id INTEGER NOT NULL REFERENCES mailing(id),
    place INTEGER NOT NULL,                 -- order in the message
    name TEXT NOT NULL,
    type TEXT NOT NULL,                     -- content type
    content_id TEXT,                        -- inline image named by cid:, or NULL for an attachment
    hash TEXT NOT NULL,                     -- SHA-256, the name of the file in DATA/mailings
    size INTEGER NOT NULL,
    PRIMARY KEY (mailing_id, place)
) WITHOUT ROWID;
-- One row a (mailing, participant): the audience frozen at `send`, and what became of each copy.
-- A row in state 'rendered' is work still to be done; it changes in the very transaction that stores the copy.
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailing_id INTEGER NOT NULL REFERENCES mailing(id),
    participant_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    fields TEXT NOT NULL,                   -- JSON object, as it was at `send`
    line INTEGER NOT NULL,
    message_id TEXT NOT NULL,               -- without angle brackets
    state TEXT NOT NULL,                    -- rendered, queued, delivered, deferred, bounced, skipped
    reply TEXT NOT NULL,                    -- the peer's reply, our own, or why it was skipped
    host TEXT,                              -- the peer that replied
    tls TEXT,                               -- protocol and cipher towards it
    queue_id INTEGER,                       -- while it is in the queue
    attempts INTEGER NOT NULL,
    at INTEGER NOT NULL,                    -- of the last change
    UNIQUE (mailing_id, participant_id)
);
CREATE INDEX ledger_state ON ledger (mailing_id, state, id);
