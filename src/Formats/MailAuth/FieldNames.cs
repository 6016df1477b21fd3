using System.Text;
using CbaMail.Mime;

namespace CbaMail.MailAuth;

/// <summary>
/// Finds fields by name from the bottom up (RFC 6376 5.4.2) at a price that does not grow with the number of fields: headers of a
/// megabyte are allowed, and signatures that name as many fields.
/// </summary>
sealed class FieldNames
{
    readonly Dictionary<string, int> ids = new(StringComparer.OrdinalIgnoreCase);
    readonly List<int> last = [];
    readonly int[] above;

    public FieldNames(ReadOnlySpan<byte> text, IReadOnlyList<FieldSpan> fields)
    {
        above = new int[fields.Count];
        var lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> shortName = stackalloc char[128];
        for (var i = 0; i < fields.Count; i++)
        {
            var bytes = text.Slice(fields[i].Start, fields[i].NameLength);
            var name = bytes.Length <= shortName.Length ? shortName[..bytes.Length] : new char[bytes.Length];
            Encoding.Latin1.GetChars(bytes, name);
            if (lookup.TryGetValue(name, out var id))
            {
                above[i] = last[id];
                last[id] = i;
            }
            else
            {
                above[i] = -1;
                lookup[name] = last.Count;
                last.Add(i);
            }
        }
    }

    /// <summary>How many fields of the name there are.</summary>
    public int Count(string name)
    {
        var count = 0;
        for (var i = ids.TryGetValue(name, out var id) ? last[id] : -1; i >= 0; i = above[i]) count++;
        return count;
    }

    /// <summary>The fields that a list of names means, in its order: each name takes the lowest field that is not yet taken; a name without one takes none.</summary>
    /// <param name="except">A field that is not there: the signature's own.</param>
    public IEnumerable<int> Pick(IEnumerable<string> names, int except = -1)
    {
        var cursor = new Dictionary<int, int>();
        foreach (var name in names)
        {
            if (!ids.TryGetValue(name, out var id)) continue;
            var at = cursor.TryGetValue(id, out var kept) ? kept : last[id];
            if (at == except && at >= 0) at = above[at];
            cursor[id] = at < 0 ? at : above[at];
            if (at >= 0) yield return at;
        }
    }
}
