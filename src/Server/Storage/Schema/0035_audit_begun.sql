-- Changes by the API that have been made and are not in the audit log yet: written with the change itself, taken away with its entry.
CREATE TABLE audit_begun (
    id BLOB PRIMARY KEY,                    -- of the request, random
    at INTEGER NOT NULL,
    caller TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
) WITHOUT ROWID;
