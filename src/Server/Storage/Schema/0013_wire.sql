-- What bodies need that do not go to POP3 octet by octet. Owned by the room Mailboxes; bodies from before this file have no row.
CREATE TABLE content_wire (
    content_id INTEGER PRIMARY KEY,
    line_ends INTEGER NOT NULL,             -- octets that lines without CRLF lack
    surrogate INTEGER                       -- octets that a header in ASCII has more than the one in UTF-8; NULL: it is ASCII
);
