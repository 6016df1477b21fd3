-- Copies that wait for an hour or a day. Owned by the room Mailings.
ALTER TABLE ledger ADD COLUMN not_before INTEGER;   -- of a row in state rendered; NULL: at once
CREATE INDEX ledger_not_before ON ledger (not_before) WHERE not_before IS NOT NULL;
