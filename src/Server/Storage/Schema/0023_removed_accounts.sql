-- Accounts that were removed and can be brought back for a while, and what domains allow. Owned by the room Directory.
ALTER TABLE account ADD COLUMN removed INTEGER;                     -- when, or NULL; account.local is then "local" LF "id", so that the address is free
ALTER TABLE domain ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';   -- Directory/DomainProfile.cs
