-- Events that are told to addresses of the web; owned by the room Webhooks.
CREATE TABLE webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the audit log names it
    url TEXT NOT NULL,
    events TEXT NOT NULL,                   -- space separated patterns: 'account.created', 'account.*', '*'
    description TEXT NOT NULL,
    secret BLOB NOT NULL,                   -- sealed under 'webhook ID'
    enabled INTEGER NOT NULL,
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    failing INTEGER,                        -- since when nothing gets through
    problem TEXT NOT NULL                   -- why it was switched off by itself
);
CREATE TABLE webhook_delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id INTEGER NOT NULL,
    event_id TEXT NOT NULL,                 -- the same at every webhook and every attempt
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB,                              -- NULL once it is over
    due INTEGER,                            -- the next attempt; NULL once it is over
    attempts INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due) WHERE due IS NOT NULL;
CREATE INDEX webhook_delivery_of ON webhook_delivery (webhook_id, id);
CREATE TABLE webhook_attempt (
    delivery_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    took INTEGER NOT NULL,                  -- ms
    status INTEGER NOT NULL,                -- of HTTP; 0: there was no answer
    error TEXT NOT NULL,                    -- '' where it was taken
    PRIMARY KEY (delivery_id, number)
) WITHOUT ROWID;
