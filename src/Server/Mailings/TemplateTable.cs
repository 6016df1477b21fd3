using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>The SQL of templates (Storage/Schema/0036_mailing_templates.sql).</summary>
static class TemplateTable
{
    const string Columns = "SELECT id, domain, name, language, subject, html, text, created, changed, mjml FROM mailing_template";

    /// <summary>In the order of domains and names.</summary>
    public static List<MailingTemplate> List(ReadTransaction read)
    {
        using var row = read.Prepare(Columns + " ORDER BY domain, name, language");
        var found = new List<MailingTemplate>();
        while (row.Step()) found.Add(Read(row));
        return found;
    }

    public static MailingTemplate? Find(ReadTransaction read, long id)
    {
        using var row = read.Prepare(Columns + " WHERE id = ?").Bind(1, id);
        return row.Step() ? Read(row) : null;
    }

    /// <summary>Whether another one has the name.</summary>
    public static bool IsTaken(WriteTransaction write, MailingTemplate one)
    {
        using var row = write.Prepare("SELECT 1 FROM mailing_template WHERE domain = ? AND name = ? AND language = ? AND id <> ?").Bind(1, one.Domain).Bind(2, one.Name).Bind(3, one.Language).Bind(4, one.Id);
        return row.Step();
    }

    public static long Add(WriteTransaction write, MailingTemplate one)
    {
        Bound(write.Prepare("INSERT INTO mailing_template (domain, name, language, subject, html, text, changed, mjml, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"), one).Bind(9, one.Created).Run();
        return write.LastInsertId;
    }

    public static bool Update(WriteTransaction write, MailingTemplate one)
    {
        Bound(write.Prepare("UPDATE mailing_template SET domain = ?, name = ?, language = ?, subject = ?, html = ?, text = ?, changed = ?, mjml = ? WHERE id = ?"), one).Bind(9, one.Id).Run();
        return write.Changes > 0;
    }

    public static bool Remove(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM mailing_template WHERE id = ?").Bind(1, id).Run();
        return write.Changes > 0;
    }

    static Statement Bound(Statement row, MailingTemplate one) =>
        row.Bind(1, one.Domain).Bind(2, one.Name).Bind(3, one.Language).Bind(4, one.Subject).Bind(5, one.Html).Bind(6, one.Text).Bind(7, one.Changed).Bind(8, one.Mjml);

    static MailingTemplate Read(Statement row) =>
        new(row.Int64(0), row.String(1), row.String(2), row.String(3), row.String(4), row.Text(5), row.Text(6), row.Time(7), row.Time(8), row.Text(9));
}
