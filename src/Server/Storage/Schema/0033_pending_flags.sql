-- Flags of many messages that are promised and do not stand in their rows yet (Mailboxes.PendingFlags): a row for a run of neighbours that end up
-- alike; runs of a mailbox do not overlap. Who reads flags lays them over the messages' own. Before anything else is written they are in the rows.
CREATE TABLE pending_flags (
    mailbox_id INTEGER NOT NULL,
    first INTEGER NOT NULL,                 -- UIDs, both included
    last INTEGER NOT NULL,
    flags INTEGER NOT NULL,                 -- as in message
    modseq INTEGER NOT NULL,
    keywords TEXT,
    PRIMARY KEY (mailbox_id, first)
) WITHOUT ROWID;
