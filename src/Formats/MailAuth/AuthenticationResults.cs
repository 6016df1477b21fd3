using System.Globalization;
using System.Text;
using CbaMail.Text;

namespace CbaMail.MailAuth;

/// <summary>A property of a result: <c>header.d=example.org</c> is type "header", name "d" (RFC 8601 2.2, propspec).</summary>
public sealed record AuthProperty(string Type, string Name, string Value);

/// <summary>What one method came to (RFC 8601 2.2, resinfo).</summary>
/// <param name="Method">Lower case: "spf", "dkim", "arc".</param>
/// <param name="Result">The word as it stood, lower case; methods may have words of their own.</param>
/// <param name="Comment">Said in parentheses behind the result, when written.</param>
/// <param name="Reason">The value of reason=.</param>
/// <param name="Text">When read: all of it, on one line, as it stood with its comments.</param>
public sealed record AuthMethodResult(string Method, string Result, IReadOnlyList<AuthProperty> Properties, string Comment = "", string Reason = "", string Text = "")
{
    public AuthMethodResult(string method, AuthResult result, string comment = "", params IReadOnlyList<AuthProperty> properties)
        : this(method, result.Word(), properties, comment) { }

    /// <summary>The value of a property, or null.</summary>
    public string? Property(string type, string name) =>
        Properties.FirstOrDefault(p => p.Type.Equals(type, StringComparison.OrdinalIgnoreCase) && p.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.Value;
}

/// <summary>An Authentication-Results field (RFC 8601): who judged, and what each method came to.</summary>
/// <param name="AuthservId">The server that judged, as it was written.</param>
public sealed record AuthenticationResults(string AuthservId, int Version, IReadOnlyList<AuthMethodResult> Results)
{
    /// <summary>Longer values are not read: nobody's real results are as long.</summary>
    public const int MaxLength = 64 << 10;
    const int MaxResults = 100;

    /// <summary>Reads the value of a field; null where it names no server. Results that are malformed are left out.</summary>
    public static AuthenticationResults? Parse(ReadOnlySpan<byte> value)
    {
        if (value.Length > MaxLength) return null;
        var text = Encoding.UTF8.GetString(value);
        var first = true;
        var (id, version) = ("", 1);
        var results = new List<AuthMethodResult>();
        foreach (var segment in Segments(text))
        {
            var reader = new AuthReader(segment);
            if (first)
            {
                first = false;
                if (!reader.Value(out id) || id.Length == 0) return null;
                // RFC 8601 2.2: the version is a number behind the name; 1 where nothing is said
                if (reader.Word(out var number) && !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out version)) version = 0;
                if (!reader.AtEnd) return null;
            }
            else if (results.Count < MaxResults && reader.Result(LineFolding.Squeeze(segment)) is { } result) results.Add(result);
        }

        return first ? null : new(id, version, results);
    }

    /// <summary>
    /// Whether a field says to be of the server (RFC 8601 5): whatever the case, in quotes, behind comments, with a version, in A-labels or
    /// U-labels. A field that cannot be read and has the name in it counts as one: others might read it.
    /// </summary>
    public static bool ClaimsToBeOf(ReadOnlySpan<byte> value, string authservId)
    {
        if (Parse(value) is { } read && (SameId(read.AuthservId, authservId) || IsName(read.AuthservId))) return SameId(read.AuthservId, authservId);
        var text = new StringBuilder(value.Length);
        foreach (var c in Encoding.UTF8.GetString(value))
            if (c is not ('\\' or '"') && c > ' ') text.Append(c); // quotes and folding within the name hide it from us, not from everybody
        return text.ToString().Contains(authservId, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A name and nothing else: letters, digits and what stands between them, in which nobody could see another name.</summary>
    static bool IsName(string id)
    {
        foreach (var c in id)
            if (!char.IsLetterOrDigit(c) && c is not ('.' or '-' or '_')) return false;
        return true;
    }

    static bool SameId(string a, string b) => Plain(a).Equals(Plain(b), StringComparison.OrdinalIgnoreCase);

    static string Plain(string id) => Idna.TryToAscii(id.TrimEnd('.'), out var ascii) ? ascii : id;

    /// <summary>The pieces between semicolons that stand in no comment and no quotes.</summary>
    internal static IEnumerable<string> Segments(string text)
    {
        var (start, depth, quoted) = (0, 0, false);
        for (var i = 0; i < text.Length; i++)
            switch (text[i])
            {
                case '\\' when quoted || depth > 0: i++; break;
                case '"' when depth == 0: quoted = !quoted; break;
                case '(' when !quoted: depth++; break;
                case ')' when !quoted && depth > 0: depth--; break;
                case ';' when !quoted && depth == 0:
                    yield return text[start..i];
                    start = i + 1;
                    break;
            }

        yield return text[start..];
    }
}
