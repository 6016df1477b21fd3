-- People of runs from other systems: what a run follows, and what things are called there. Owned by the room Courses.
CREATE TABLE roster_source (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id INTEGER NOT NULL REFERENCES course(id),
    run_id INTEGER NOT NULL REFERENCES run(id),
    kind TEXT NOT NULL,                     -- ldap, moodle, lti
    profile TEXT NOT NULL,                  -- JSON, RosterProfile
    secret BLOB,                            -- encrypted: a token; NULL: none
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    tried INTEGER,
    done INTEGER,                           -- the last time that all went well
    failing INTEGER,                        -- since when; NULL: all is well
    problem TEXT NOT NULL DEFAULT '',
    last TEXT,                              -- JSON, RosterCounts
    since TEXT NOT NULL DEFAULT '',         -- where the next difference is asked for
    whole INTEGER                           -- when all of it was read last
);
CREATE INDEX roster_source_of_course ON roster_source (course_id);
CREATE TABLE roster_name (                  -- what courses, runs and people are called in another system
    domain TEXT NOT NULL,
    kind TEXT NOT NULL,                     -- course, class, user
    name TEXT NOT NULL,                     -- there: a sourcedId
    value TEXT NOT NULL,                    -- here: a number, or JSON
    PRIMARY KEY (domain, kind, name)
) WITHOUT ROWID;
CREATE TABLE lti_key (                      -- the key by which this server proves to learning platforms what it is
    id INTEGER PRIMARY KEY,
    kid TEXT NOT NULL,
    public TEXT NOT NULL,                   -- JSON Web Key (RFC 7517)
    secret BLOB NOT NULL,                   -- encrypted
    created INTEGER NOT NULL
);
-- the roster_source that brought somebody; 0: a file, or nobody
ALTER TABLE enrolment ADD COLUMN source INTEGER NOT NULL DEFAULT 0;
