-- Mailings whose first copies say whether the rest goes. Owned by the room Mailings.
CREATE TABLE mailing_canary (
    mailing_id INTEGER PRIMARY KEY REFERENCES mailing(id),
    first INTEGER NOT NULL,                 -- copies that go before the others
    wait INTEGER NOT NULL,                  -- minutes after the last of them
    most INTEGER NOT NULL,                  -- percent of them that may be deferred, come back or be complained about
    state TEXT NOT NULL,                    -- waiting, stopped, passed
    sentence TEXT NOT NULL DEFAULT ''
);
