-- Classes of mailings, and what their readers have said about getting them. Owned by the room Mailings.
ALTER TABLE mailing ADD COLUMN class TEXT NOT NULL DEFAULT 'course';        -- mandatory, course, optional, marketing
-- Nothing is changed here, only added: the newest row of a (domain, address, class, course) holds, the others prove how it came to it.
CREATE TABLE consent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,                   -- lower case A-labels
    address_key TEXT NOT NULL,              -- lower case
    class TEXT NOT NULL,
    course_id INTEGER NOT NULL,             -- 0: of the whole domain
    wanted INTEGER NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,                   -- one-click, page, mail, manager
    basis TEXT NOT NULL,                    -- what a manager says of it, or empty
    mailing_id INTEGER                      -- whose link it was
);
CREATE INDEX consent_reader ON consent (domain, address_key, class, course_id, id);
CREATE INDEX consent_mailing ON consent (mailing_id) WHERE mailing_id IS NOT NULL;
-- What somebody has chosen for himself, before what a table says of him.
CREATE TABLE mailing_reader (
    domain TEXT NOT NULL,
    address_key TEXT NOT NULL,
    language TEXT,                          -- ru, en
    zone TEXT,                              -- IANA
    paused_until INTEGER,                   -- no mail but mandatory before it
    PRIMARY KEY (domain, address_key)
) WITHOUT ROWID;
CREATE TABLE data_request (                 -- of a reader, for whoever manages a course of his
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,
    address_key TEXT NOT NULL,
    kind TEXT NOT NULL,                     -- export, erasure
    at INTEGER NOT NULL,
    done INTEGER                            -- when
);
CREATE INDEX data_request_reader ON data_request (domain, address_key);
CREATE INDEX ledger_person ON ledger (person_id);
