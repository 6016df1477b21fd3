-- Who may do what. profile: what an account or a domain is beyond its address (Directory/AccountProfile.cs); the tables: owned by the room Authorization.
ALTER TABLE account ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
INSERT INTO server_key (name, value) VALUES ('csrf', randomblob(32)); -- proofs that a request comes from our own pages
CREATE TABLE api_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the audit log names it
    account_id INTEGER NOT NULL,            -- who it acts for; 0: the server itself
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,            -- SHA-256 of the key, which is 256 random bits and kept nowhere
    permissions TEXT NOT NULL,              -- space separated; '' = all that its owner may do
    networks TEXT NOT NULL,                 -- space separated; '' = from anywhere
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    expires INTEGER
);
CREATE TABLE session (
    digest BLOB PRIMARY KEY,                -- SHA-256 of the cookie's 256 random bits
    account_id INTEGER NOT NULL,
    acting_id INTEGER NOT NULL,             -- who has signed in as account_id; 0: its owner himself
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,                  -- to within a few minutes
    address TEXT NOT NULL,                  -- where it was begun
    agent TEXT NOT NULL                     -- what the browser calls itself, cut at 200 characters
) WITHOUT ROWID;
CREATE INDEX session_of_account ON session (account_id);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,                 -- one after the other without a gap
    at INTEGER NOT NULL,
    caller TEXT NOT NULL,                   -- an account, a key of one, or the control socket
    address TEXT NOT NULL,                  -- '' at the control socket
    action TEXT NOT NULL,                   -- method and path as in the OpenAPI document
    subject TEXT NOT NULL,                  -- the path as it was asked
    status INTEGER NOT NULL,
    before TEXT,                            -- JSON without secrets, or NULL
    after TEXT,
    digest BLOB NOT NULL                    -- SHA-256 over the digest of the row before and all of this row
);
CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,                  -- SHA-256 of method, path and body
    status INTEGER NOT NULL,                -- 0: under way
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);
