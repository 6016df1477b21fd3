using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>All SQL of templates (Storage/Schema/0031_kept_messages_and_templates.sql).</summary>
static class AccountTemplateTable
{
    public static List<AccountTemplate> All(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT body FROM account_template");
        var all = new List<AccountTemplate>();
        while (row.Step())
            if (AccountTemplate.FromJson(row.String(0)) is { } template) all.Add(template);
        return all;
    }

    public static AccountTemplate? Find(WriteTransaction write, string name)
    {
        using var row = write.Prepare("SELECT body FROM account_template WHERE name = ?").Bind(1, name);
        return row.Step() ? AccountTemplate.FromJson(row.String(0)) : null;
    }

    public static void Set(WriteTransaction write, AccountTemplate template) =>
        write.Prepare("INSERT INTO account_template (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body").Bind(1, template.Name).Bind(2, template.ToJson()).Run();

    public static bool Remove(WriteTransaction write, string name) => write.Prepare("DELETE FROM account_template WHERE name = ?").Bind(1, name).Run() == 1;
}
