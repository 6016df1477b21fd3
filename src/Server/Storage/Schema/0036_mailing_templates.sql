-- Texts that mailings are begun with. Owned by the room Mailings.
CREATE TABLE mailing_template (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,                   -- whose courses it is for
    name TEXT NOT NULL,
    language TEXT NOT NULL,                 -- ru, en
    subject TEXT NOT NULL,
    html TEXT,
    text TEXT,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    UNIQUE (domain, name, language)
);
