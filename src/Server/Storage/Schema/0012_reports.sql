-- Reports on mail: what is counted of others' mail for DMARC, what was sent, and what others have sent us. Owned by the room Reports.
CREATE TABLE dmarc_subject (                -- a policy under which mail was seen on a day
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day INTEGER NOT NULL,                   -- since 1970, of UTC
    domain TEXT NOT NULL,                   -- where the record stood: whom the report goes to
    record TEXT NOT NULL,                   -- as published
    UNIQUE (day, domain, record)
);
CREATE TABLE dmarc_count (                  -- messages that have all this in common (RFC 7489 appendix C, record)
    subject_id INTEGER NOT NULL,
    hash INTEGER NOT NULL,                  -- of traits
    traits TEXT NOT NULL,                   -- JSON
    count INTEGER NOT NULL,
    PRIMARY KEY (subject_id, hash)
) WITHOUT ROWID;
CREATE TABLE report_sent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,                  -- 0 DMARC aggregate, 1 TLS
    domain TEXT NOT NULL,                   -- that it is about
    report_id TEXT NOT NULL,
    destination TEXT NOT NULL,              -- address or URL
    message_id TEXT NOT NULL,               -- without brackets; empty of what was posted
    bytes INTEGER NOT NULL
);
CREATE INDEX report_sent_message ON report_sent (message_id);
CREATE TABLE report_address (               -- destinations from which reports came back
    address TEXT PRIMARY KEY,               -- in the form for comparison
    failures INTEGER NOT NULL,
    last INTEGER NOT NULL,
    reply TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE report_post (                  -- reports that wait to be posted to a URL
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL,
    domain TEXT NOT NULL,
    report_id TEXT NOT NULL,
    body BLOB NOT NULL,                     -- compressed
    created INTEGER NOT NULL,
    next INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reply TEXT NOT NULL                     -- of the last attempt
);
CREATE TABLE report_mail (                  -- mail to report addresses: until it is read, and what could not be read
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    content_id INTEGER NOT NULL,
    size INTEGER NOT NULL,                  -- octets that it holds
    arrived INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,                   -- reverse-path; empty for <>
    author TEXT NOT NULL,                   -- From domain that is proven; empty where none is
    signed INTEGER NOT NULL,                -- proven by a signature
    problem TEXT                            -- why it could not be read; NULL: it has not been looked at
);
CREATE TABLE report (                       -- reports of others
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,                  -- as in report_sent
    arrived INTEGER NOT NULL,
    domain TEXT NOT NULL,
    organization TEXT NOT NULL,
    email TEXT NOT NULL,
    report_id TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    policy TEXT NOT NULL,
    author TEXT NOT NULL,                   -- who sent it, as far as proven
    trusted INTEGER NOT NULL,
    passed INTEGER NOT NULL,                -- messages, or sessions
    failed INTEGER NOT NULL,
    UNIQUE (kind, domain, organization, report_id)
);
CREATE INDEX report_domain ON report (domain, last);
CREATE TABLE report_source (                -- records of a DMARC report
    report_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    source TEXT NOT NULL,                   -- address; empty: more sources than are kept
    count INTEGER NOT NULL,
    disposition INTEGER NOT NULL,           -- 0 none, 1 quarantine, 2 reject
    dkim INTEGER NOT NULL,                  -- aligned
    spf INTEGER NOT NULL,
    header_from TEXT NOT NULL,
    envelope_from TEXT NOT NULL,
    reasons TEXT NOT NULL,                  -- why the policy was not followed
    results TEXT NOT NULL,                  -- what SPF and DKIM came to
    PRIMARY KEY (report_id, seq)
) WITHOUT ROWID;
CREATE TABLE report_session (               -- policies and failures of a TLS report
    report_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    policy TEXT NOT NULL,                   -- tlsa, sts, no-policy-found
    policy_domain TEXT NOT NULL,
    result TEXT NOT NULL,                   -- of RFC 8460 4.3; empty: sessions that succeeded
    count INTEGER NOT NULL,
    host TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (report_id, seq)
) WITHOUT ROWID;
CREATE TABLE complaint (                    -- RFC 5965
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    arrived INTEGER NOT NULL,
    author TEXT NOT NULL,                   -- who sent it, as far as proven
    trusted INTEGER NOT NULL,
    type TEXT NOT NULL,                     -- abuse, fraud and so on
    recipient TEXT NOT NULL,                -- who complained, as far as known
    sender TEXT NOT NULL,                   -- whose mail it is about
    message_id TEXT NOT NULL,
    feedback_id TEXT NOT NULL,
    mailing_id INTEGER,                     -- whose copy it is about, or NULL
    ledger_id INTEGER,                      -- the copy
    tied TEXT NOT NULL,                     -- by what: return address, Message-ID, or empty
    effect TEXT NOT NULL,                   -- a sentence
    incidents INTEGER NOT NULL
);
