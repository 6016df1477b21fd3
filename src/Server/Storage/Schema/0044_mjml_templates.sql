-- MJML that the HTML of a template is compiled from: kept to go on writing in it. Owned by the room Mailings.
ALTER TABLE mailing_template ADD COLUMN mjml TEXT;
