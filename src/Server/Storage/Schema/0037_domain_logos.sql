-- Pictures that pages and cards of a domain are shown with. Owned by the room Directory; what else a branding has is in domain.profile.
CREATE TABLE domain_logo (
    domain_id INTEGER PRIMARY KEY,
    picture BLOB NOT NULL                   -- PNG, JPEG or WebP, 64 KB at most
);
