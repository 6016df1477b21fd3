namespace CbaMail.Cli;

/// <summary>All SQL that listmonk's database is asked.</summary>
static class ListmonkTable
{
    /// <summary>A JSON object a line. One statement: one moment of the database. The quote is a character that JSON never has.</summary>
    public const string Query = """
        COPY (
          SELECT json_build_object('kind', 'list', 'id', id, 'name', name, 'optin', optin) FROM lists
          UNION ALL SELECT json_build_object('kind', 'template', 'id', id, 'name', name, 'type', type, 'subject', subject, 'body', body) FROM templates
          UNION ALL SELECT json_build_object('kind', 'campaign', 'id', id, 'name', name, 'subject', subject, 'body', body, 'content', content_type, 'template', template_id) FROM campaigns
          UNION ALL SELECT json_build_object('kind', 'person', 'email', s.email, 'name', s.name, 'status', s.status, 'attribs', s.attribs,
            'lists', (SELECT json_agg(json_build_object('id', l.list_id, 'status', l.status)) FROM subscriber_lists l WHERE l.subscriber_id = s.id)) FROM subscribers s
        ) TO STDOUT (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
        """;
}
