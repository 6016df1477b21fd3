-- Mailings that follow each other, person by person. Owned by the room Mailings.
CREATE TABLE sequence (
    id INTEGER PRIMARY KEY,
    course_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,                -- whose people come in, and by whose clock hours are meant
    name TEXT NOT NULL,
    rule TEXT NOT NULL,                     -- the audience that comes in; '' : everybody of the run
    state TEXT NOT NULL,                    -- active, paused, ended
    created INTEGER NOT NULL,
    problem TEXT NOT NULL DEFAULT ''        -- why somebody waits
);
CREATE INDEX sequence_of_course ON sequence (course_id);
CREATE TABLE sequence_step (
    sequence_id INTEGER NOT NULL REFERENCES sequence(id),
    place INTEGER NOT NULL,                 -- from 1
    mailing_id INTEGER NOT NULL UNIQUE REFERENCES mailing(id),
    text TEXT NOT NULL,                     -- as SequenceStep reads it
    skipped INTEGER NOT NULL DEFAULT 0,     -- nobody gets it any more
    PRIMARY KEY (sequence_id, place)
) WITHOUT ROWID;
CREATE TABLE sequence_member (
    sequence_id INTEGER NOT NULL REFERENCES sequence(id),
    person_id INTEGER NOT NULL,
    place INTEGER NOT NULL,                 -- the step that is next for him
    since INTEGER NOT NULL,                 -- what its delay counts from
    state TEXT NOT NULL,                    -- active, paused, done, left
    PRIMARY KEY (sequence_id, person_id)
) WITHOUT ROWID;
