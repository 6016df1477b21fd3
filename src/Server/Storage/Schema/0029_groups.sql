-- Groups with an address, and what aliases are beyond their targets. Owned by the room Directory.
CREATE TABLE mail_group (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id INTEGER NOT NULL REFERENCES domain(id),
    local TEXT NOT NULL,                    -- lower case; the word in account.groups that makes an account of the domain a member
    profile TEXT NOT NULL,                  -- JSON, GroupProfile
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    UNIQUE (domain_id, local)
);
CREATE TABLE group_member (                 -- who is no account of the group's domain: accounts of others, groups, addresses elsewhere
    group_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (group_id, address)
) WITHOUT ROWID;
ALTER TABLE alias ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';  -- JSON, AliasProfile
