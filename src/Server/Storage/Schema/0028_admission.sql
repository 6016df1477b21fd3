-- How people come in and back in. Owned by the room Admission.
CREATE TABLE invitation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: the audit log names it
    domain_id INTEGER NOT NULL,
    local TEXT NOT NULL,                    -- the name that is given; '' = the person picks one
    pattern TEXT NOT NULL,                  -- that a picked one must be like: 's-*'; '' = any
    name TEXT NOT NULL,                     -- of the person, as a proposal
    quota INTEGER,                          -- bytes; NULL = the domain's
    groups TEXT NOT NULL,
    courses TEXT NOT NULL,                  -- space separated numbers
    approval INTEGER NOT NULL,              -- 1: somebody has to say yes before there is an account
    uses INTEGER NOT NULL,                  -- how many people may come by it
    used INTEGER NOT NULL DEFAULT 0,
    language TEXT NOT NULL,                 -- of its mail: 'ru', 'en'
    by_id INTEGER NOT NULL,                 -- the account that made it; 0 = the server's owner at the control socket, or a key of the server
    by_name TEXT NOT NULL,
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    expires INTEGER NOT NULL,
    revoked INTEGER
);
CREATE TABLE invitation_link (
    digest BLOB PRIMARY KEY,                -- SHA-256 of the token, which is 192 random bits and kept nowhere
    invitation_id INTEGER NOT NULL,
    sent_to TEXT NOT NULL                   -- the address that it went to; '' = none
) WITHOUT ROWID;
CREATE INDEX invitation_link_of ON invitation_link (invitation_id);
CREATE TABLE invitation_use (
    id INTEGER PRIMARY KEY,
    invitation_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    address TEXT NOT NULL,                  -- that the person took
    source TEXT NOT NULL                    -- from where he came
);
CREATE INDEX invitation_use_of ON invitation_use (invitation_id);
CREATE TABLE sign_up (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again
    domain_id INTEGER NOT NULL,
    local TEXT NOT NULL,
    name TEXT NOT NULL,
    password TEXT NOT NULL,                 -- its crypt(3) hash
    scram BLOB,                             -- sealed under 'SIGN-UP' and its number
    recovery TEXT NOT NULL,
    proven INTEGER NOT NULL,                -- 1: the recovery address is known to be his
    invitation_id INTEGER NOT NULL,         -- 0 = none
    language TEXT NOT NULL,
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0         -- 1: those who may say yes have been told
);
CREATE INDEX sign_up_of ON sign_up (domain_id, at);
CREATE TABLE recovery_proof (
    account_id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,            -- SHA-256 of the token that went to the address
    address TEXT NOT NULL,                  -- the recovery address once the token comes back
    expires INTEGER NOT NULL,
    day INTEGER NOT NULL,                   -- days since 1970
    asked INTEGER NOT NULL                  -- messages on that day
);
CREATE TABLE password_reset (
    account_id INTEGER PRIMARY KEY,
    digest BLOB UNIQUE,                     -- SHA-256 of the token; NULL once it was used
    language TEXT NOT NULL,
    expires INTEGER NOT NULL,
    day INTEGER NOT NULL,
    asked INTEGER NOT NULL
);
