-- Programmes, runs of courses, their meetings and groups, and the people in them. Owned by the room Courses.
CREATE TABLE programme (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,                   -- lower case A-labels
    slug TEXT NOT NULL UNIQUE,              -- the short name used in verbs
    name TEXT NOT NULL,
    created INTEGER NOT NULL                -- ms since 1970, as every time here
);
ALTER TABLE course ADD COLUMN programme_id INTEGER;
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id INTEGER NOT NULL REFERENCES course(id),
    slug TEXT NOT NULL,                     -- 'default': that of every course, never removed
    name TEXT NOT NULL,
    starts TEXT,                            -- dates as ISO 8601 writes them, in the run's zone; NULL: open
    ends TEXT,                              -- the last day
    zone TEXT NOT NULL,                     -- IANA; '' = the server's
    holidays TEXT NOT NULL,                 -- JSON array of dates and of first/last days
    created INTEGER NOT NULL,
    UNIQUE (course_id, slug)
);
CREATE TABLE meeting (                      -- a session of a run
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES run(id),
    title TEXT NOT NULL,
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    place TEXT NOT NULL,
    uid TEXT NOT NULL UNIQUE,               -- RFC 5545 3.8.4.7
    sequence INTEGER NOT NULL,              -- RFC 5545 3.8.7.4
    cancelled INTEGER NOT NULL
);
CREATE INDEX meeting_of_run ON meeting (run_id, starts);
CREATE TABLE run_group (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES run(id),
    key TEXT NOT NULL,                      -- the name as it is compared
    name TEXT NOT NULL,
    UNIQUE (run_id, key)
);
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again: Message-IDs are made of it
    domain TEXT NOT NULL,                   -- whose courses he is in
    address_key TEXT NOT NULL,              -- lower case
    address TEXT NOT NULL,                  -- as written: of an account here, or elsewhere
    name TEXT NOT NULL,
    language TEXT,                          -- ru, en; NULL: not known
    zone TEXT,                              -- IANA; NULL: not known
    attributes TEXT NOT NULL,               -- JSON object: name -> text
    created INTEGER NOT NULL,
    UNIQUE (domain, address_key)
);
CREATE TABLE enrolment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id INTEGER NOT NULL REFERENCES course(id),
    run_id INTEGER NOT NULL REFERENCES run(id),
    person_id INTEGER NOT NULL REFERENCES person(id),
    role TEXT NOT NULL,                     -- student, teacher, assistant, guardian
    valid_from TEXT,                        -- first day, last day; NULL: open
    valid_until TEXT,
    status TEXT NOT NULL,                   -- active, ended
    fields TEXT NOT NULL,                   -- JSON object: column -> text
    line INTEGER NOT NULL,                  -- where it stood in the file that brought it
    created INTEGER NOT NULL,
    UNIQUE (run_id, person_id)
);
CREATE INDEX enrolment_of_course ON enrolment (course_id, id);
CREATE INDEX enrolment_of_person ON enrolment (person_id);
CREATE TABLE enrolment_group (
    enrolment_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    PRIMARY KEY (enrolment_id, group_id)
) WITHOUT ROWID;
CREATE INDEX enrolment_group_of ON enrolment_group (group_id);
CREATE TABLE guardian (                     -- who looks after whom, in a run
    run_id INTEGER NOT NULL,
    guardian_id INTEGER NOT NULL,           -- persons
    ward_id INTEGER NOT NULL,
    PRIMARY KEY (run_id, guardian_id, ward_id)
) WITHOUT ROWID;

-- Participants of courses become persons of the course's domain, in the default run. Whoever was a participant several times has the number of the
-- first; copies that were sent under another keep it in their Message-ID, and former_participant leads from it to the person.
INSERT INTO run (course_id, slug, name, zone, holidays, created) SELECT id, 'default', '', '', '[]', created FROM course;
INSERT INTO person (id, domain, address_key, address, name, attributes, created)
    SELECT min(p.id), c.domain, p.address_key, p.address, '', '{}', min(p.created) FROM participant p JOIN course c ON c.id = p.course_id GROUP BY c.domain, p.address_key;
UPDATE person SET name = coalesce(
    (SELECT p.name FROM participant p JOIN course c ON c.id = p.course_id WHERE c.domain = person.domain AND p.address_key = person.address_key AND p.name <> '' ORDER BY p.id DESC LIMIT 1), '');
-- whoever was taken out of a course still stands in its ledgers
CREATE TABLE left_participant AS
    SELECT l.participant_id AS id, c.domain AS domain, lower(l.address) AS address_key, l.address AS address, l.name AS name, l.at AS created
      FROM ledger l JOIN mailing m ON m.id = l.mailing_id JOIN course c ON c.id = m.course_id
     WHERE NOT EXISTS (SELECT 1 FROM participant p WHERE p.id = l.participant_id) GROUP BY l.participant_id;
INSERT OR IGNORE INTO person (id, domain, address_key, address, name, attributes, created)
    SELECT min(id), domain, address_key, address, name, '{}', min(created) FROM left_participant GROUP BY domain, address_key ORDER BY 1;
CREATE TABLE former_participant (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL
);
INSERT INTO former_participant (id, person_id)
    SELECT p.id, n.id FROM participant p JOIN course c ON c.id = p.course_id JOIN person n ON n.domain = c.domain AND n.address_key = p.address_key WHERE n.id <> p.id;
INSERT OR IGNORE INTO former_participant (id, person_id)
    SELECT l.id, n.id FROM left_participant l JOIN person n ON n.domain = l.domain AND n.address_key = l.address_key WHERE n.id <> l.id;
INSERT INTO enrolment (course_id, run_id, person_id, role, status, fields, line, created)
    SELECT p.course_id, r.id, n.id, 'student', 'active', p.fields, p.line, p.created
      FROM participant p JOIN course c ON c.id = p.course_id JOIN run r ON r.course_id = c.id JOIN person n ON n.domain = c.domain AND n.address_key = p.address_key
     ORDER BY p.course_id, p.id;
ALTER TABLE ledger RENAME COLUMN participant_id TO person_id;
UPDATE ledger SET person_id = (SELECT person_id FROM former_participant f WHERE f.id = ledger.person_id) WHERE person_id IN (SELECT id FROM former_participant);
-- numbers that were given away once are not given again
UPDATE sqlite_sequence SET seq = max(seq, (SELECT seq FROM sqlite_sequence WHERE name = 'participant')) WHERE name = 'person' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'participant');
INSERT INTO sqlite_sequence (name, seq) SELECT 'person', seq FROM sqlite_sequence WHERE name = 'participant' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'person');
DROP TABLE left_participant;
DROP TABLE participant;
