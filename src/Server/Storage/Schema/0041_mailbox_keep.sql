-- How long a mailbox keeps its messages (Mailboxes/Retention.cs).
ALTER TABLE mailbox ADD COLUMN keep_days INTEGER;   -- 0: for ever; NULL: as the settings say of its special use
