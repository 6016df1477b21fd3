-- Mail that leaves. Owned by the room Queue. A row is there as long as somebody waits for the outcome.
CREATE TABLE queue_message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- the queue id; never used again
    sender TEXT NOT NULL,                   -- reverse-path; '' is <>
    content_id INTEGER NOT NULL,            -- held by a reference
    size INTEGER NOT NULL,
    ret TEXT,                               -- RFC 3461 4.3: FULL, HDRS or NULL
    envid TEXT,                             -- RFC 3461 4.4, as written (xtext) or NULL
    smtputf8 INTEGER NOT NULL,
    eightbit INTEGER NOT NULL,
    bulk INTEGER NOT NULL,                  -- of a mailing: behind personal mail
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
);
CREATE TABLE queue_recipient (
    message_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,                   -- within the message, from 0
    address TEXT NOT NULL,
    domain TEXT NOT NULL,                   -- comparison form
    notify TEXT,                            -- RFC 3461 4.1 or NULL
    orcpt TEXT,                             -- RFC 3461 4.2, as written (xtext) or NULL
    ledger_id INTEGER,                      -- the mailing ledger's row that waits, or NULL
    held INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    delay_told INTEGER NOT NULL,            -- the sender has had the notice of delay
    last_attempt INTEGER,
    last_reply TEXT,                        -- what the peer said, or why there was none
    last_host TEXT,
    PRIMARY KEY (message_id, seq)
) WITHOUT ROWID;
