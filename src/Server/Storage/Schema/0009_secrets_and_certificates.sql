-- Keys that secrets in the database were encrypted by (the key itself is DATA/secrets.key). Owned by the engine.
CREATE TABLE secret_key (
    id BLOB PRIMARY KEY,                    -- says which, not what
    made INTEGER NOT NULL                   -- ms since 1970, as every time here
) WITHOUT ROWID;
-- Accounts at certificate authorities, and the certificates that they gave. Owned by the room Tls.
CREATE TABLE acme_account (
    directory TEXT PRIMARY KEY,             -- address of the authority's directory
    url TEXT,                               -- the account, or NULL until it is made
    key BLOB NOT NULL,                      -- secret: PKCS #8
    created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE acme_certificate (
    name TEXT PRIMARY KEY,                  -- the host name, or the domain whose names these are
    names TEXT NOT NULL,                    -- of the certificate, or of the order under way; space separated
    key BLOB NOT NULL,                      -- secret: PKCS #8, of the certificate and of its renewals
    next_key BLOB NOT NULL,                 -- secret: PKCS #8, the key after the next rotation, published ahead (TLSA)
    next_public BLOB NOT NULL,              -- SHA-256 of the SubjectPublicKeyInfo of next_key
    rotate INTEGER NOT NULL,                -- the next certificate is for next_key
    chain TEXT,                             -- PEM, the certificate first; NULL while there is none
    begins INTEGER,
    ends INTEGER,
    renew INTEGER NOT NULL,                 -- when the next attempt is due
    order_url TEXT,                         -- an order under way, or NULL
    attempts INTEGER NOT NULL,              -- that failed since the last success
    problem TEXT,                           -- why the last one failed
    left_out TEXT NOT NULL                  -- names that the authority could not check; space separated
) WITHOUT ROWID;
