-- References to a body beyond content.refs, of which there is one where it was stored for one mailbox: who copies a thousand messages and removes them again writes
-- some twenty pages here instead of a thousand wide rows there. No row is none. Owned by the room Mailboxes.
CREATE TABLE content_held (
    content_id INTEGER PRIMARY KEY,
    more INTEGER NOT NULL
);
