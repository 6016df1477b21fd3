-- Mailings that go again to some of those of another one. Owned by the room Mailings.
ALTER TABLE mailing ADD COLUMN parent_id INTEGER;
CREATE INDEX mailing_parent ON mailing (parent_id) WHERE parent_id IS NOT NULL;
