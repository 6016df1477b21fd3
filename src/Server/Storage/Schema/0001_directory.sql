-- Directory: who is here. Owned by the room Directory.
CREATE TABLE domain (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,              -- lower case A-labels
    catch_all TEXT,                         -- address that gets mail for unknown local parts, or NULL
    default_quota INTEGER NOT NULL,         -- bytes; 0 = none
    created INTEGER NOT NULL                -- ms since 1970, as every time here
);
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    domain_id INTEGER NOT NULL REFERENCES domain(id),
    local TEXT NOT NULL,                    -- lower case
    name TEXT NOT NULL,                     -- display name
    password TEXT NOT NULL,                 -- crypt(3) hash; '' = cannot sign in
    role TEXT NOT NULL,                     -- user, domain-admin, admin
    quota INTEGER NOT NULL,                 -- bytes; 0 = none
    groups TEXT NOT NULL,                   -- space separated
    enabled INTEGER NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (domain_id, local)
);
CREATE TABLE alias (
    id INTEGER PRIMARY KEY,
    domain_id INTEGER NOT NULL REFERENCES domain(id),
    local TEXT NOT NULL,                    -- lower case
    targets TEXT NOT NULL,                  -- addresses, one a line
    created INTEGER NOT NULL,
    UNIQUE (domain_id, local)
);
