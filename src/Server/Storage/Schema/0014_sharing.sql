-- Sharing: who may do what with a mailbox (RFC 4314), and annotations (RFC 5464). Owned by the room Mailboxes.
-- Public folders are mailboxes whose account_id is the domain's id with a minus.
ALTER TABLE mailbox ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;   -- there are rows in mailbox_acl: without them the owner has all rights, nobody else any
CREATE TABLE mailbox_acl (
    mailbox_id INTEGER NOT NULL,
    identifier TEXT NOT NULL,               -- address, $group, anyone; with "-" before it what is taken
    rights INTEGER NOT NULL,                -- Mailboxes.Rights
    PRIMARY KEY (mailbox_id, identifier)
) WITHOUT ROWID;
CREATE INDEX mailbox_acl_identifier ON mailbox_acl (identifier);
CREATE TABLE annotation (
    mailbox_id INTEGER NOT NULL,            -- 0: of the server
    account_id INTEGER NOT NULL,            -- who sees it; 0: everybody (/shared)
    entry TEXT NOT NULL,                    -- lower case, with /private or /shared
    value BLOB NOT NULL,
    PRIMARY KEY (mailbox_id, account_id, entry)
) WITHOUT ROWID;
-- \Seen of those whose mailbox it is not (RFC 4314 2.1, s). That in the row of the message is the owner's alone.
CREATE TABLE reader (
    mailbox_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    seen INTEGER NOT NULL,                  -- messages that he has seen
    modseq INTEGER NOT NULL,                -- of his last change
    PRIMARY KEY (mailbox_id, account_id)
) WITHOUT ROWID;
CREATE TABLE reader_mark (
    mailbox_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    seen INTEGER NOT NULL,                  -- 0: taken back, which has a modification sequence too
    modseq INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, account_id, uid)
) WITHOUT ROWID;
