-- The vault: bodies once, rows many. Owned by the room Mailboxes.
-- One modification sequence an account (architecture.md, "The vault").
CREATE TABLE usage (
    account_id INTEGER PRIMARY KEY,
    modseq INTEGER NOT NULL,                -- last one given out
    bytes INTEGER NOT NULL,                 -- sum of message sizes
    messages INTEGER NOT NULL
);
CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: OBJECTID and caches rely on it
    account_id INTEGER NOT NULL,
    name TEXT NOT NULL,                     -- full path, '/' between levels, UTF-8 NFC; INBOX in capitals
    special_use TEXT,                       -- \Drafts, \Sent ... (RFC 6154) or NULL
    subscribed INTEGER NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL,
    recent_uid INTEGER NOT NULL,            -- messages from here on are \Recent to the next session
    modseq INTEGER NOT NULL,                -- of the last change in it
    messages INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    deleted INTEGER NOT NULL,               -- messages flagged \Deleted
    bytes INTEGER NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (account_id, name)
);
CREATE TABLE lost_subscription (            -- names that stay subscribed without a mailbox (RFC 9051 6.3.5)
    account_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (account_id, name)
) WITHOUT ROWID;
CREATE TABLE content (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    refs INTEGER NOT NULL,                  -- message rows, queue rows and others that hold it
    pack INTEGER NOT NULL,
    position INTEGER NOT NULL,              -- of the record in the pack
    stored INTEGER NOT NULL,                -- bytes of the record
    size INTEGER NOT NULL,                  -- bytes of the whole message, large parts included
    base INTEGER,                           -- content whose bytes are the compression dictionary, or NULL
    parts BLOB,                             -- large leaf parts cut out: (position, length, object) each, or NULL
    envelope BLOB NOT NULL,                 -- IMAP ENVELOPE in wire form
    structure BLOB NOT NULL,                -- Mime.Structure
    preview TEXT NOT NULL,
    sent INTEGER,                           -- Date field, ms, or NULL
    message_id TEXT
);
CREATE TABLE object (                       -- leaf parts of 32 KiB and more, shared by their hash
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,              -- SHA-256 of the encoded bytes
    refs INTEGER NOT NULL,
    pack INTEGER NOT NULL,
    position INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    size INTEGER NOT NULL
);
CREATE TABLE message (
    mailbox_id INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    content_id INTEGER NOT NULL,
    prefix BLOB,                            -- header fields that differ a recipient: Return-Path, Delivered-To
    size INTEGER NOT NULL,                  -- prefix + content
    flags INTEGER NOT NULL,                 -- Mailboxes.MessageFlags
    keywords TEXT,                          -- sorted, space separated, or NULL
    received INTEGER NOT NULL,              -- INTERNALDATE
    saved INTEGER NOT NULL,                 -- SAVEDATE (RFC 8514)
    modseq INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, uid)
) WITHOUT ROWID;
CREATE TABLE expunged (                     -- for CHANGEDSINCE, VANISHED (RFC 7162) and JMAP
    mailbox_id INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, modseq, uid)
) WITHOUT ROWID;
CREATE TABLE pack (
    id INTEGER PRIMARY KEY,
    sealed INTEGER NOT NULL,                -- no record will be added
    bytes INTEGER NOT NULL,                 -- of records
    dead INTEGER NOT NULL                   -- of records that no row names
);
CREATE TABLE vault (                        -- one row: how far the pack is known to be flushed
    id INTEGER PRIMARY KEY CHECK (id = 1),
    safe_pack INTEGER NOT NULL,
    safe_position INTEGER NOT NULL,
    uid_validity INTEGER NOT NULL           -- last one given out
);
INSERT INTO vault VALUES (1, 0, 0, 0);
