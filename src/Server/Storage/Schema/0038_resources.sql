-- Rooms and equipment that answer invitations by themselves. Owned by the room Resources.
CREATE TABLE resource (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain_id INTEGER NOT NULL REFERENCES domain(id),
    local TEXT NOT NULL,                    -- lower case
    profile TEXT NOT NULL,                  -- JSON, ResourceProfile
    created INTEGER NOT NULL,               -- ms since 1970, as every time here
    UNIQUE (domain_id, local)
);
CREATE TABLE booking (                      -- one event, or one instance of it that was asked for by itself
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    resource_id INTEGER NOT NULL,
    uid TEXT NOT NULL,
    instance INTEGER NOT NULL,              -- RECURRENCE-ID, or -1 for the event itself
    sequence INTEGER NOT NULL,              -- of the last that was said about it, as is the stamp
    stamp INTEGER NOT NULL,
    organizer TEXT NOT NULL,                -- address, lower case
    summary TEXT NOT NULL,
    state TEXT NOT NULL,                    -- accepted, tentative, declined, cancelled
    request BLOB,                           -- what later answers are written from, while it is held and not over
    made INTEGER NOT NULL,
    UNIQUE (resource_id, uid, instance)
);
CREATE TABLE booking_time (                 -- what accepted and tentative ones take
    booking_id INTEGER NOT NULL,
    original INTEGER NOT NULL,              -- what RECURRENCE-ID would name
    resource_id INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    PRIMARY KEY (booking_id, original)
) WITHOUT ROWID;
CREATE INDEX booking_time_range ON booking_time (resource_id, "end", start);
