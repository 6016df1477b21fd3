using System.Text;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Searching;

/// <summary>Searches that have a name (RFC 5466): annotations of the server, which SETMETADATA writes and the key FILTER names.</summary>
internal sealed class Filters(ImapSession session)
{
    const string Values = "filters/values/";

    List<Annotation>? all; // read once a command

    /// <summary>The search of that name: one's own, else the one that everybody has (RFC 5466 3.1); null where there is none.</summary>
    public byte[]? Find(string name) => Of("private", name) ?? Of("shared", name);

    byte[]? Of(string kind, string name)
    {
        all ??= Read();
        return Annotations.Normalize($"/{kind}/{Values}{name}") is { } entry ? all.Find(one => one.Entry == entry).Value : null;
    }

    List<Annotation> Read()
    {
        using var reader = session.Mail.Read();
        return reader.Annotations(0, session.Account.Id);
    }

    /// <summary>Why entries of the server cannot be set, or null: a filter is a whole search under the name of one (RFC 5466 3.2, 4).</summary>
    public static Outcome? Refusing(ImapSession session, IReadOnlyList<(string Entry, byte[]? Value)> values)
    {
        foreach (var (entry, value) in values)
        {
            var rest = entry.AsSpan(entry.IndexOf('/', 1) + 1);
            if (!rest.StartsWith(Values, StringComparison.Ordinal)) continue;
            if (!IsName(rest[Values.Length..])) return Outcome.No("This cannot be the name of a filter", "CANNOT");
            if (value is null) continue;
            if (SearchProgram.Fault(session, value) is { } fault) return Outcome.No($"The filter is not a search: {fault}", "CANNOT");
        }
        return null;
    }

    // RFC 5466 4: filter-name
    static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Contains('/')) return false;
        var reader = new ImapReader(Encoding.ASCII.GetBytes(name.ToString()));
        reader.Atom();
        return reader is { Failed: false, AtEnd: true };
    }
}
