using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Directory;

/// <summary>All SQL of groups (Storage/Schema/0029_groups.sql).</summary>
static class GroupTable
{
    const string Columns = "SELECT g.id, g.domain_id, g.local, d.name, g.profile, g.created FROM mail_group g JOIN domain d ON d.id = g.domain_id";

    public static List<MailGroup> All(ReadTransaction read)
    {
        var members = new Dictionary<long, List<string>>();
        using (var rows = read.Prepare("SELECT group_id, address FROM group_member ORDER BY group_id, address"))
            while (rows.Step())
            {
                if (!members.TryGetValue(rows.Int64(0), out var list)) members[rows.Int64(0)] = list = [];
                list.Add(rows.String(1));
            }
        var all = new List<MailGroup>();
        using var groups = read.Prepare(Columns);
        while (groups.Step()) all.Add(Group(groups, members.GetValueOrDefault(groups.Int64(0)) ?? []));
        return all;
    }

    public static MailGroup? Find(WriteTransaction write, long id)
    {
        var members = new List<string>();
        using (var rows = write.Prepare("SELECT address FROM group_member WHERE group_id = ? ORDER BY address").Bind(1, id))
            while (rows.Step()) members.Add(rows.String(0));
        using var row = write.Prepare(Columns + " WHERE g.id = ?").Bind(1, id);
        return row.Step() ? Group(row, members) : null;
    }

    static MailGroup Group(Statement row, List<string> members) => new(row.Int64(0), row.Int64(1), new(row.String(2), row.String(3)), members, row.Time(5)) { Profile = GroupProfile.FromJson(row.String(4)) };

    /// <returns>The id.</returns>
    public static long Add(WriteTransaction write, MailGroup group)
    {
        write.Prepare("INSERT INTO mail_group (domain_id, local, profile, created) VALUES (?, ?, ?, ?)")
            .Bind(1, group.DomainId).Bind(2, group.Address.LocalPart).Bind(3, group.Profile.ToJson()).Bind(4, group.Created).Run();
        return write.LastInsertId;
    }

    public static void SetProfile(WriteTransaction write, MailGroup group) => write.Prepare("UPDATE mail_group SET profile = ? WHERE id = ?").Bind(1, group.Profile.ToJson()).Bind(2, group.Id).Run();

    public static void SetAddress(WriteTransaction write, MailGroup group) =>
        write.Prepare("UPDATE mail_group SET domain_id = ?, local = ? WHERE id = ?").Bind(1, group.DomainId).Bind(2, group.Address.LocalPart).Bind(3, group.Id).Run();

    public static void Remove(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM group_member WHERE group_id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM mail_group WHERE id = ?").Bind(1, id).Run();
    }

    public static void AddMember(WriteTransaction write, long id, string address) =>
        write.Prepare("INSERT INTO group_member (group_id, address) VALUES (?, ?) ON CONFLICT DO NOTHING").Bind(1, id).Bind(2, address).Run();

    public static void RemoveMember(WriteTransaction write, long id, string address) =>
        write.Prepare("DELETE FROM group_member WHERE group_id = ? AND address = ?").Bind(1, id).Bind(2, address).Run();
}
