-- Who gets a mailing. Owned by the room Mailings.
CREATE TABLE audience (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,
    course_id INTEGER NOT NULL,             -- 0: of all courses of the domain
    key TEXT NOT NULL,                      -- the name as it is compared
    name TEXT NOT NULL,
    rule TEXT NOT NULL,                     -- as AudienceText reads it
    changed INTEGER NOT NULL,
    UNIQUE (domain, course_id, key)
);
CREATE TABLE mailing_audience (             -- of a mailing that does not go to everybody
    mailing_id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    previewed BLOB,                         -- persons at the last preview, 8 bytes each, the lowest first; NULL: none
    previewed_at INTEGER,
    joined INTEGER,                         -- since then, until it was sent
    gone INTEGER
);
ALTER TABLE ledger ADD COLUMN opened INTEGER;   -- when first, ms since 1970; NULL: not known to be
ALTER TABLE ledger ADD COLUMN clicked INTEGER;
