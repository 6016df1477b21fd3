using System.Text;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Lists;

/// <summary>Somebody whom a file of another list program names.</summary>
/// <param name="Name">Null: the file does not say.</param>
/// <param name="Mode">Null: the file does not say.</param>
/// <param name="Problem">Why he is left out.</param>
/// <param name="Role">owner, moderator; null: a member.</param>
sealed record FiledMember(int Line, string Address, string? Name, string? Mode, Refusal? Problem, string? Role = null);

/// <summary>
/// The members of a list as another program writes them: a table with a column of addresses (listmonk, Postorius, the REST interface of Mailman 3),
/// or a line each (mlmmj, <c>mailman members</c>), <c>anna@example.org</c> or <c>Anna &lt;anna@example.org&gt;</c>.
/// </summary>
static class MemberFile
{
    const int LongestLine = 2000;
    static readonly string[] AddressNames = ["address", "email", "e-mail", "mail", "адрес", "почта"];
    static readonly string[] NameNames = ["name", "display name", "display_name", "имя", "фио"];
    static readonly string[] ModeNames = ["mode", "delivery mode", "delivery_mode"];
    // of listmonk, of its subscriptions, and of Mailman
    static readonly string[] StatusNames = ["status", "subscription_status", "delivery_status", "role"];

    public static Result<List<FiledMember>> Read(ReadOnlySpan<byte> file)
    {
        var text = Encoding.UTF8.GetString(file).TrimStart('\uFEFF');
        return FirstLine(text).Contains('@', StringComparison.Ordinal) ? Lines(text) : Table(file);
    }

    static string FirstLine(string text)
    {
        using var lines = new StringReader(text);
        while (lines.ReadLine() is { } line)
            if (line.Trim().Length > 0) return line;
        return "";
    }

    static List<FiledMember> Lines(string text)
    {
        var members = new List<FiledMember>();
        using var lines = new StringReader(text);
        for (var number = 1; lines.ReadLine() is { } line; number++)
        {
            var written = line.Trim();
            if (written.Length == 0) continue;
            if (written.Length > LongestLine) { members.Add(new(number, written[..100], null, null, Refusal.Invalid.Because("The line is too long to be a member"))); continue; }
            var open = written.LastIndexOf('<');
            members.Add(open >= 0 && written[^1] == '>' ? Member(number, written[(open + 1)..^1], written[..open].Trim().Trim('"'), null, null) : Member(number, written, null, null, null));
        }
        return members;
    }

    static Result<List<FiledMember>> Table(ReadOnlySpan<byte> file)
    {
        var table = CsvTable.Parse(file, out var refusal);
        if (table is null) return Refusal.Invalid.Because(refusal!);
        var address = Column(table, AddressNames);
        if (address < 0) return Refusal.Invalid.Because("The first line must name the columns, \"address\" or \"email\" among them");
        var (name, mode) = (Column(table, NameNames), Column(table, ModeNames));
        var statuses = StatusNames.Select(one => Column(table, [one])).Where(column => column >= 0).ToList();
        var members = table.Rows.Select(row =>
        {
            string? mention = null, role = null;
            Refusal? problem = null;
            foreach (var column in statuses)
                switch (Word(row.Fields[column]))
                {
                    case "owner" or "moderator": role = Word(row.Fields[column]); break;
                    case "" or "enabled" or "active" or "confirmed" or "member": break;
                    // Mailman 3: he is on the list, and gets nothing
                    case "by_user" or "by_bounces" or "by_moderator": mention = "nomail"; break;
                    case var word: problem = Refusal.Invalid.Because($"He got no mail there: {Shown(word)}"); break;
                }
            return Member(row.Line, row.Fields[address].Trim(), name < 0 ? null : row.Fields[name], mention ?? (mode < 0 ? null : row.Fields[mode]), problem) with { Role = role };
        });
        return members.Concat(table.Errors.Select(error => new FiledMember(error.Line, "", null, null, Refusal.Invalid.Because(error.Message)))).OrderBy(one => one.Line).ToList();
    }

    static FiledMember Member(int line, string address, string? name, string? mode, Refusal? problem)
    {
        var known = (mode is null ? null : Word(mode)) switch
        {
            null or "" => null,
            "normal" or "regular" => "normal",
            "digest" or "mime_digests" => "digest",
            "digest-plain" or "plaintext_digests" or "summary_digests" => "digest-plain",
            "nomail" => "nomail",
            _ => "?",
        };
        if (known == "?") problem ??= Refusal.Invalid.Because($"\"{Shown(mode!)}\" is no mode of a member; there are {string.Join(", ", ListMember.Modes)}");
        if (!Names.TryAddress(address, out _)) problem ??= Refusal.BadAddress.Because($"\"{Shown(address)}\" is not a valid address");
        return new(line, Shown(address), name is null ? null : Shown(name), known, problem);
    }

    // Mailman writes DeliveryMode.regular too
    static string Word(string text) => text[(text.LastIndexOf('.') + 1)..].Trim().ToLowerInvariant();

    static int Column(CsvTable table, string[] names)
    {
        for (var i = 0; i < table.Header.Count; i++)
            if (names.Contains(table.Header[i].Trim(), StringComparer.OrdinalIgnoreCase)) return i;
        return -1;
    }

    // control characters as spaces: names go into header fields
    static string Shown(string text) => string.Concat((text.Length > 200 ? text[..200] : text).Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)).Trim();
}
