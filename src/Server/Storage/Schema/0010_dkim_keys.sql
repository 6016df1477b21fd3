-- Keys that mail of a domain is signed with. Owned by the room Directory.
CREATE TABLE dkim_key (
    domain_id INTEGER NOT NULL,
    selector TEXT NOT NULL,
    algorithm TEXT NOT NULL,                -- rsa-sha256, ed25519-sha256
    state TEXT NOT NULL,                    -- next (to be published), active (signs), retiring (still published)
    key BLOB NOT NULL,                      -- secret: PKCS #8 in PEM
    record TEXT NOT NULL,                   -- what stands in DNS
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    since INTEGER NOT NULL,                 -- of the state
    PRIMARY KEY (domain_id, selector)
) WITHOUT ROWID;
