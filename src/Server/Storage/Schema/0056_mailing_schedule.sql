-- When mailings go out by themselves. Owned by the room Mailings.
CREATE TABLE mailing_schedule (
    mailing_id INTEGER PRIMARY KEY REFERENCES mailing(id),
    run_id INTEGER NOT NULL,                -- whose dates count
    rule TEXT NOT NULL,                     -- as ScheduleText reads it
    since INTEGER NOT NULL,                 -- what was due before is not due
    open INTEGER NOT NULL DEFAULT 1,        -- 0: nobody is added any more
    asked INTEGER,                          -- since when it waits to be told what becomes of what was missed
    answer TEXT,                            -- send, skip: what becomes of what was due up to answered
    answered INTEGER,
    problem TEXT NOT NULL DEFAULT ''        -- why it could not go out
);
CREATE TABLE mailing_occasion (             -- mailings that a repeating one has brought forth
    mailing_id INTEGER NOT NULL REFERENCES mailing(id),
    key TEXT NOT NULL,                      -- the same after the run has moved
    child_id INTEGER NOT NULL REFERENCES mailing(id),
    PRIMARY KEY (mailing_id, key)
) WITHOUT ROWID;
CREATE INDEX mailing_occasion_of_child ON mailing_occasion (child_id);
