-- The archives of mailing lists: the messages are in a public folder, here is what their pages are made of. Owned by the room Lists.
ALTER TABLE mail_list ADD COLUMN archive_mailbox INTEGER;               -- the folder that the rows below are of
ALTER TABLE mail_list ADD COLUMN archive_uid INTEGER NOT NULL DEFAULT 0; -- the last message of it that was looked at
CREATE TABLE list_archive (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id INTEGER NOT NULL,
    uid INTEGER NOT NULL,                   -- in the folder
    message_id TEXT NOT NULL,
    thread INTEGER NOT NULL,                -- id of the message that it begins with
    month TEXT NOT NULL,                    -- 2026-07, of its own time
    author TEXT NOT NULL,                   -- name, or the local part
    subject TEXT NOT NULL,
    text TEXT NOT NULL,                     -- its beginning in lower case, to search in
    taken INTEGER NOT NULL
);
CREATE UNIQUE INDEX list_archive_message ON list_archive (list_id, message_id);
CREATE INDEX list_archive_month ON list_archive (list_id, month);
CREATE INDEX list_archive_thread ON list_archive (thread);
