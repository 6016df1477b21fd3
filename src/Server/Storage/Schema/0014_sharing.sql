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
