-- Expunged messages that can still be brought back; each holds its body. Owned by the room Mailboxes.
CREATE TABLE kept_message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- in the order in which they went
    account_id INTEGER NOT NULL,
    mailbox_id INTEGER NOT NULL,            -- where it was
    uid INTEGER NOT NULL,
    content_id INTEGER NOT NULL,
    prefix BLOB,
    size INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    keywords TEXT,
    received INTEGER NOT NULL,
    sent INTEGER,
    expunged INTEGER NOT NULL               -- ms since 1970
);
CREATE INDEX kept_message_of_account ON kept_message (account_id);
CREATE TABLE kept_mailbox (                 -- what a removed mailbox was called, while messages of it are kept
    mailbox_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);
-- What new accounts begin with. Owned by the room Directory.
CREATE TABLE account_template (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL                      -- JSON, AccountTemplate
) WITHOUT ROWID;
