using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailboxes;

/// <summary>SQL of access control lists (RFC 4314).</summary>
static class AclTable
{
    const string OfSql = "SELECT identifier, rights FROM mailbox_acl WHERE mailbox_id = ? ORDER BY identifier";

    static List<AclEntry> Entries(Statement row)
    {
        using (row)
        {
            var entries = new List<AclEntry>();
            while (row.Step()) entries.Add(new(row.String(0), (Rights)row.Int32(1)));
            return entries;
        }
    }

    public static List<AclEntry> Of(ReadTransaction read, long mailboxId) => Entries(read.Prepare(OfSql).Bind(1, mailboxId));
    public static List<AclEntry> Of(WriteTransaction write, long mailboxId) => Entries(write.Prepare(OfSql).Bind(1, mailboxId));

    /// <summary>Mailboxes whose list names the identifier.</summary>
    public static List<long> Naming(ReadTransaction read, string identifier)
    {
        using var row = read.Prepare("SELECT mailbox_id FROM mailbox_acl WHERE identifier = ?").Bind(1, identifier);
        var ids = new List<long>();
        while (row.Step()) ids.Add(row.Int64(0));
        return ids;
    }

    public static void Put(WriteTransaction write, long mailboxId, string identifier, Rights rights)
    {
        write.Prepare("INSERT INTO mailbox_acl (mailbox_id, identifier, rights) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET rights = excluded.rights")
            .Bind(1, mailboxId).Bind(2, identifier).Bind(3, (long)rights).Run();
        Mark(write, mailboxId);
    }

    public static void Remove(WriteTransaction write, long mailboxId, string identifier)
    {
        write.Prepare("DELETE FROM mailbox_acl WHERE mailbox_id = ? AND identifier = ?").Bind(1, mailboxId).Bind(2, identifier).Run();
        Mark(write, mailboxId);
    }

    /// <summary>A new mailbox begins with the list of the one above (RFC 4314 4, CREATE).</summary>
    public static void Inherit(WriteTransaction write, long fromId, long mailboxId)
    {
        write.Prepare("INSERT INTO mailbox_acl (mailbox_id, identifier, rights) SELECT ?, identifier, rights FROM mailbox_acl WHERE mailbox_id = ?").Bind(1, mailboxId).Bind(2, fromId).Run();
        Mark(write, mailboxId);
    }

    /// <summary>The list goes with its mailbox (RFC 4314 4, DELETE).</summary>
    public static void RemoveAll(WriteTransaction write, long mailboxId) =>
        write.Prepare("DELETE FROM mailbox_acl WHERE mailbox_id = ?").Bind(1, mailboxId).Run();

    /// <summary>Nobody who gets the name of an account later is to have its rights.</summary>
    public static void Forget(WriteTransaction write, string identifier)
    {
        foreach (var name in (string[])[identifier, "-" + identifier])
        {
            var ids = new List<long>();
            using (var row = write.Prepare("SELECT mailbox_id FROM mailbox_acl WHERE identifier = ?").Bind(1, name))
                while (row.Step()) ids.Add(row.Int64(0));
            foreach (var id in ids) Remove(write, id, name);
        }
    }

    /// <summary>Whoever had the identifier is called otherwise, and keeps his rights.</summary>
    public static void Rename(WriteTransaction write, string identifier, string name)
    {
        foreach (var sign in (string[])["", "-"])
            write.Prepare("UPDATE OR REPLACE mailbox_acl SET identifier = ? WHERE identifier = ?").Bind(1, sign + name).Bind(2, sign + identifier).Run();
    }

    static void Mark(WriteTransaction write, long mailboxId) =>
        write.Prepare("UPDATE mailbox SET shared = EXISTS (SELECT 1 FROM mailbox_acl WHERE mailbox_id = mailbox.id) WHERE id = ?").Bind(1, mailboxId).Run();
}
