-- Mailings that a second person must approve. Owned by the room Mailings.
ALTER TABLE mailing ADD COLUMN author TEXT NOT NULL DEFAULT '';       -- who made it: the key of his address, else how he came

CREATE TABLE approval_policy (
    domain TEXT NOT NULL,
    course_id INTEGER NOT NULL,             -- 0: all courses of the domain
    classes TEXT NOT NULL,                  -- words with spaces between them; empty: all
    above INTEGER NOT NULL,                 -- mailings to more readers than these
    approvers TEXT NOT NULL,                -- addresses with spaces between them
    PRIMARY KEY (domain, course_id)
) WITHOUT ROWID;

CREATE TABLE mailing_approval (
    mailing_id INTEGER PRIMARY KEY REFERENCES mailing(id),
    state TEXT NOT NULL,                    -- asked, approved, refused
    content TEXT NOT NULL,                  -- JSON: what the decision is about, each part by its SHA-256
    readers INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    asked INTEGER NOT NULL,
    note TEXT NOT NULL,
    decided_by TEXT,
    decided INTEGER,
    reason TEXT NOT NULL DEFAULT ''
);

CREATE TABLE approval_link (
    digest BLOB PRIMARY KEY,                -- SHA-256 of the token
    mailing_id INTEGER NOT NULL REFERENCES mailing(id),
    approver TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX approval_link_mailing ON approval_link(mailing_id);
