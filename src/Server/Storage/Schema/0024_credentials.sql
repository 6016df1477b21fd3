-- By what else than the password somebody signs in. Owned by the room Directory.
CREATE TABLE application_password (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the audit log names it
    account_id INTEGER NOT NULL,
    name TEXT NOT NULL,                     -- what it is for
    digest BLOB NOT NULL UNIQUE,            -- SHA-256 of the account's number and the password, which is 119 random bits and kept nowhere
    protocols TEXT NOT NULL,                -- space separated; '' = all
    networks TEXT NOT NULL,                 -- space separated; '' = from anywhere
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    expires INTEGER,
    used INTEGER,                           -- to within a few minutes
    used_from TEXT NOT NULL DEFAULT '',
    used_by TEXT NOT NULL DEFAULT ''        -- a protocol
);
CREATE INDEX application_password_of_account ON application_password (account_id);
CREATE TABLE totp (
    account_id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,                   -- secret: 160 bits
    confirmed INTEGER,                      -- when its owner showed the first code; NULL: being set up
    step INTEGER NOT NULL                   -- the newest time step of which a code was taken: each counts once (RFC 6238)
);
CREATE TABLE recovery_code (
    account_id INTEGER NOT NULL,
    digest BLOB NOT NULL,                   -- SHA-256 of the account's number and the code, which is 79 random bits
    PRIMARY KEY (account_id, digest)
) WITHOUT ROWID;
CREATE TABLE sign_in (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    first INTEGER NOT NULL,                 -- alike ones that follow each other within the hour are one row
    last INTEGER NOT NULL,
    times INTEGER NOT NULL,
    address TEXT NOT NULL,
    protocol TEXT NOT NULL,
    way TEXT NOT NULL,                      -- password, application-password, scram ...
    succeeded INTEGER NOT NULL
);
CREATE INDEX sign_in_of_account ON sign_in (account_id, last);
