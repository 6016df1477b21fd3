-- Passkeys (WebAuthn). Owned by the room Directory.
CREATE TABLE passkey (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the audit log names it
    account_id INTEGER NOT NULL,
    credential BLOB NOT NULL UNIQUE,        -- as the authenticator calls it
    name TEXT NOT NULL,
    key BLOB NOT NULL,                      -- public, COSE
    count INTEGER NOT NULL,                 -- of signatures, where the authenticator counts
    transports TEXT NOT NULL,               -- space separated
    verified INTEGER NOT NULL,              -- whether its owner showed a PIN or a finger when it was made
    eligible INTEGER NOT NULL,              -- whether it can be backed up, and whether it is
    backed_up INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER
);
CREATE INDEX passkey_of_account ON passkey (account_id);
