-- What the queue knows of a message beyond its envelope. Owned by the room Queue.
ALTER TABLE queue_message ADD COLUMN class INTEGER NOT NULL DEFAULT 0;      -- 0 interactive, 1 transactional, 2 bulk
UPDATE queue_message SET class = 2 WHERE bulk = 1;
ALTER TABLE queue_message DROP COLUMN bulk;
ALTER TABLE queue_message ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;   -- RFC 6710: -9 to 9, within the class
ALTER TABLE queue_message ADD COLUMN message_id TEXT;                       -- without angle brackets, or NULL
ALTER TABLE queue_message ADD COLUMN subject TEXT;                          -- decoded, cut, or NULL
ALTER TABLE queue_message ADD COLUMN account_id INTEGER;                    -- who submitted it, or NULL
ALTER TABLE queue_message ADD COLUMN mailing_id INTEGER;                    -- the mailing that it is a copy of, or NULL
ALTER TABLE queue_message ADD COLUMN arrival TEXT;                          -- id of the transaction that brought it, as on the log lines
ALTER TABLE queue_message ADD COLUMN release_at INTEGER;                    -- RFC 4865: not before; NULL: at once
ALTER TABLE queue_message ADD COLUMN hold_request TEXT;                     -- what was asked for (RFC 4865 5.1.2), or NULL
ALTER TABLE queue_message ADD COLUMN deliver_by INTEGER;                    -- RFC 2852: the deadline, or NULL
ALTER TABLE queue_message ADD COLUMN by_mode TEXT;                          -- N or R, with a T behind it where traced
ALTER TABLE queue_recipient ADD COLUMN rule_id INTEGER;                     -- the rule that holds it, or NULL
CREATE TABLE queue_attempt (                -- attempts that did not end the matter; gone with what is kept of the message
    message_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,                -- from 1
    at INTEGER NOT NULL,
    host TEXT NOT NULL,                     -- empty when none was reached
    tls TEXT,
    reply TEXT NOT NULL,
    PRIMARY KEY (message_id, seq, number)
) WITHOUT ROWID;
CREATE TABLE queue_rule (                   -- what is done to mail that is queued from now on
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,                   -- hold, drop
    filter TEXT NOT NULL,                   -- JSON object: the fields that must fit
    note TEXT NOT NULL,
    hits INTEGER NOT NULL,                  -- recipients that it was applied to
    created INTEGER NOT NULL
);
-- Where is my mail: what arrived and what became of it, by rising time; pruned behind queue.keep-finished.
-- No further index: it is written with every message and read now and then.
CREATE TABLE trail (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,                  -- 0 placed, 1 refused, 2 dropped, 3 bounce taken in
    arrival TEXT NOT NULL,                  -- id of the transaction, as on the log lines
    message_id TEXT,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,               -- a line each: address, tab, what was done with it
    size INTEGER NOT NULL,
    queue_id INTEGER,
    origin TEXT NOT NULL,                   -- address of the client, tab, its name, tab, account, tab, protocol and TLS
    verdict TEXT NOT NULL                   -- empty: nothing to say
);
CREATE TABLE finished (                     -- recipients that left the queue; those of mailings stand in the ledger
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    queue_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    class INTEGER NOT NULL,
    message_id TEXT,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    outcome TEXT NOT NULL,                  -- delivered, bounced, dropped
    cause TEXT,                             -- class of the bounce, or NULL
    host TEXT NOT NULL,
    tls TEXT,
    reply TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created INTEGER NOT NULL
);
CREATE INDEX finished_queue ON finished (queue_id);
CREATE INDEX trail_queue ON trail (queue_id) WHERE queue_id IS NOT NULL;
-- Addresses that mailings leave out. Owned by the room Queue.
CREATE TABLE suppression (
    address TEXT PRIMARY KEY,               -- in the form for comparison
    reason TEXT NOT NULL,                   -- dead, complaint, unsubscribed, manual
    detail TEXT NOT NULL,                   -- the reply, or what the administrator wrote
    source TEXT NOT NULL,                   -- the message or mailing that told it
    since INTEGER NOT NULL,
    expires INTEGER                         -- NULL: never
) WITHOUT ROWID;
CREATE TABLE dead_bounce (                  -- bounces that say "dead", until there are enough of them
    address TEXT NOT NULL,
    source TEXT NOT NULL,                   -- a message counts once
    at INTEGER NOT NULL,
    PRIMARY KEY (address, source)
) WITHOUT ROWID;
CREATE TABLE bounce_key (                   -- for the seal of our return addresses; the newest is used, the others still open
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL,
    created INTEGER NOT NULL
);
ALTER TABLE ledger ADD COLUMN class TEXT;                                   -- of a bounce: dead, full, policy, content, temporary, unknown
-- Who wrote to whom. Owned by the room Correspondents.
CREATE TABLE correspondent (
    account_id INTEGER NOT NULL,
    address INTEGER NOT NULL,               -- 64 bits of the address' hash
    sent INTEGER NOT NULL,                  -- messages from the account to the address
    received INTEGER NOT NULL,              -- and the other way
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (account_id, address)
) WITHOUT ROWID;
-- What accounts have sent, by the hour. Owned by the room Submission.
CREATE TABLE sent_hour (
    account_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,                  -- hours since 1970
    messages INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    fresh INTEGER NOT NULL,                 -- recipients that the account had never written to
    PRIMARY KEY (account_id, hour)
) WITHOUT ROWID;
