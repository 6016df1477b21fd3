-- How mail leaves: the security of its way, and the pace of destinations. Owned by the rooms Queue (queue_message, pace) and Delivery (the rest).
ALTER TABLE queue_message ADD COLUMN require_tls INTEGER NOT NULL DEFAULT 0;   -- came with REQUIRETLS (RFC 8689)
CREATE TABLE sts_policy (
    domain TEXT PRIMARY KEY,                -- lower case A-labels
    id TEXT NOT NULL,                       -- of the TXT record that led to it
    policy TEXT NOT NULL,                   -- its lines
    fetched INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE tls_report (                   -- connections under one policy in a day (RFC 8460 4.2)
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,                   -- since 1970, of UTC
    domain TEXT NOT NULL,                   -- of the recipients: whom the report goes to
    kind INTEGER NOT NULL,                  -- 0 no-policy-found, 1 sts, 2 tlsa
    policy_domain TEXT NOT NULL,
    policy TEXT NOT NULL,                   -- its strings, a line each
    exchanges TEXT NOT NULL,                -- mail servers that it is for, a line each
    success INTEGER NOT NULL,
    failure INTEGER NOT NULL,
    UNIQUE (day, domain, kind, policy_domain, policy, exchanges)
);
CREATE TABLE tls_report_failure (           -- RFC 8460 4.3
    report_id INTEGER NOT NULL,
    result TEXT NOT NULL,                   -- result-type
    source TEXT NOT NULL,                   -- sending-mta-ip
    host TEXT NOT NULL,                     -- receiving-mx-hostname
    address TEXT NOT NULL,                  -- receiving-ip
    reason TEXT NOT NULL,                   -- a sentence, the last one
    count INTEGER NOT NULL,
    PRIMARY KEY (report_id, result, source, host, address)
) WITHOUT ROWID;
CREATE TABLE pace (                         -- what operators of mail servers have taught us
    lane TEXT PRIMARY KEY,                  -- the organizational domain of their servers, a domain, or a route
    connections REAL NOT NULL,
    per_hour REAL NOT NULL,                 -- messages; 0: no bound
    per_connection INTEGER NOT NULL,
    strikes INTEGER NOT NULL,               -- refusals in a row
    until INTEGER NOT NULL,                 -- nothing goes there before
    reason TEXT NOT NULL,                   -- what was said
    changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE source_use (                   -- messages that left from addresses that warm up
    address TEXT NOT NULL,
    day INTEGER NOT NULL,                   -- since 1970, of UTC
    messages INTEGER NOT NULL,
    PRIMARY KEY (address, day)
) WITHOUT ROWID;
