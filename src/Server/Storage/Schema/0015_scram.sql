-- What SCRAM (RFC 5802) proves passwords by. Owned by the room Directory.
ALTER TABLE account ADD COLUMN scram BLOB;  -- secret: Directory/ScramSecret.cs, of the password that account.password is the hash of; or NULL
INSERT INTO server_key (name, value) VALUES ('scram', randomblob(32)); -- salts of names that are nobody's
