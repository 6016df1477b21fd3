using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>What became of a line of a file of members, or would.</summary>
/// <param name="Deed">added, changed, unchanged or left-out.</param>
/// <param name="Problem">Why left out.</param>
public sealed record ListIntakeLine(int Line, string Address, string Deed, Refusal? Problem);

/// <summary>
/// Takes in the members of a list from another program. The same file again changes nothing, and one that was cut short goes on where it stopped:
/// who is on the list already is only given what the file says otherwise.
/// </summary>
public sealed class ListIntake(Store store, ListBook book)
{
    const int Piece = 500;

    /// <param name="role">What all of the file are: member, owner, moderator. Null: what each line says, or members.</param>
    /// <param name="mode">Of those of whom the file does not say it; null: new ones get each post, others stay as they are.</param>
    public async ValueTask<Result<List<ListIntakeLine>>> TakeAsync(MailList list, ReadOnlyMemory<byte> file, string? mode, string? role, CancellationToken cancel)
    {
        if (mode is not null && !ListMember.IsMode(mode)) return ListBook.BadMode;
        if (role is not (null or "member" or "owner" or "moderator")) return Refusal.Invalid.Because("Those of a file are members, owners or moderators of a list: member, owner, moderator").At("role");
        var read = MemberFile.Read(file.Span);
        if (!read.Ok) return read.Refusal;
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var report = new List<ListIntakeLine>(read.Value.Count);
        var wanted = new List<(FiledMember Member, string Key)>();
        var officers = new List<(FiledMember Member, MailAddress Address, bool Owns)>();
        foreach (var member in read.Value)
        {
            Names.TryAddress(member.Address, out var address);
            if (member.Problem is null && (role ?? member.Role) is "owner" or "moderator") { officers.Add((member, address!, (role ?? member.Role) == "owner")); continue; }
            var problem = member.Problem
                ?? (book.Serves(address!) ? Refusal.Invalid.Because($"{member.Address} is a list itself; a list is no member of another")
                : !seen.TryAdd(ListBook.Named(address!), member.Line) ? Refusal.Invalid.Because($"{member.Address} stands already on line {seen[ListBook.Named(address!)]}, which is kept") : null);
            if (problem is null) wanted.Add((member, ListBook.Named(address!)));
            else report.Add(new(member.Line, member.Address, "left-out", problem));
        }
        using (var now = store.Read())
            if (ListTable.Count(now.Prepare, list.Id) + wanted.Count(one => ListTable.FindMember(now.Prepare, list.Id, one.Key) is null) > ListBook.MostMembers)
                return Refusal.TooMany.Because($"A list has at most {ListBook.MostMembers} members");
        if (officers.Count > 0)
        {
            var set = await book.SetAsync(list, old =>
            {
                foreach (var (member, address, owns) in officers)
                    report.Add(new(member.Line, member.Address, (owns ? old.Owners : old.Moderators)?.Contains(address.ToString()) == true ? "unchanged" : "added", null));
                return old with { Owners = With(old.Owners, true), Moderators = With(old.Moderators, false) };
            }, cancel);
            if (!set.Ok) return set.Refusal;
            list = set.Value;
            IReadOnlyList<string>? With(IReadOnlyList<string>? old, bool owns) => officers.Exists(one => one.Owns == owns) ? [.. (old ?? []).Union(officers.Where(one => one.Owns == owns).Select(one => one.Address.ToString()))] : old;
        }
        foreach (var piece in wanted.Chunk(Piece))
        {
            var done = await store.CommitAsync<Result<List<ListIntakeLine>>>(write =>
            {
                if (ListTable.Find(write.Prepare, list.Id) is null) return ListBook.NoList(list.Address.ToString());
                book.MembersChange(write, list);
                return piece.Select(one => new ListIntakeLine(one.Member.Line, one.Member.Address, Put(write, list, one.Key, one.Member.Name, one.Member.Mode ?? mode), null)).ToList();
            }, cancel);
            if (!done.Ok) return done.Refusal;
            report.AddRange(done.Value);
        }
        return report.OrderBy(one => one.Line).ToList();
    }

    string Put(WriteTransaction write, MailList list, string key, string? name, string? mode)
    {
        if (ListTable.FindMember(write.Prepare, list.Id, key) is not { } member)
        {
            ListTable.AddMember(write, list.Id, key, name ?? "", mode ?? "normal", book.Now);
            return "added";
        }
        var next = member with { Name = string.IsNullOrEmpty(name) ? member.Name : name, Mode = mode ?? member.Mode };
        if (next == member) return "unchanged";
        ListTable.SetMember(write, next);
        return "changed";
    }
}
