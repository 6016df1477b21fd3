-- What came of copies after they had left. Owned by the room Mailings.
ALTER TABLE mailing ADD COLUMN pixel INTEGER NOT NULL DEFAULT 0;    -- copies have a picture that tells that they were opened
ALTER TABLE mailing ADD COLUMN clicks INTEGER NOT NULL DEFAULT 0;   -- links of copies lead by this server
ALTER TABLE ledger ADD COLUMN replied INTEGER;                      -- when first, by a person
ALTER TABLE ledger ADD COLUMN handed INTEGER;                       -- when the copy went into its mailbox or the queue
CREATE TABLE ledger_event (
    id INTEGER PRIMARY KEY,
    ledger_id INTEGER NOT NULL,
    at INTEGER NOT NULL,                    -- ms since 1970
    last INTEGER NOT NULL,                  -- of the same, seen again
    count INTEGER NOT NULL,
    kind TEXT NOT NULL,                     -- deferred, delivered, opened, clicked, unseen, replied, auto-replied, complained
    detail TEXT NOT NULL,                   -- the peer's answer, where a link leads, the Message-ID of an answer
    agent TEXT NOT NULL,                    -- what the program that asked calls itself
    scanner TEXT                            -- why it was no person; NULL: it may have been one
);
CREATE INDEX ledger_event_of ON ledger_event (ledger_id, id);
