using System.Text;
using CbaMail.Mime;

namespace CbaMail.MailAuth;

/// <summary>Writes Authentication-Results fields, and takes away those that pretend to be ours.</summary>
public static class AuthenticationResultsField
{
    const int Width = 78; // RFC 5322 2.1.1

    /// <summary>The field with its line end, a line a result (RFC 8601 2.2); "none" where there is none.</summary>
    public static string Write(string authservId, IReadOnlyList<AuthMethodResult> results) => Write("Authentication-Results", "", authservId, results);

    /// <summary>As <see cref="Write(string, IReadOnlyList{AuthMethodResult})"/>, for ARC with the instance before the name.</summary>
    /// <param name="prefix">What stands between the colon and the name: "i=1; ".</param>
    internal static string Write(string name, string prefix, string authservId, IReadOnlyList<AuthMethodResult> results)
    {
        var text = new StringBuilder($"{name}: {prefix}{Value(authservId)}");
        var column = text.Length;
        if (results.Count == 0) text.Append("; none");
        foreach (var result in results)
        {
            text.Append(";\r\n\t");
            column = 1;
            // what was read is written as it stood: our own words of an earlier moment
            if (result.Text.Length > 0) Words(text, ref column, Pieces(result.Text));
            else Words(text, ref column, Words(result));
        }

        return text.Append("\r\n").ToString();
    }

    static IEnumerable<string> Words(AuthMethodResult result)
    {
        yield return $"{Token(result.Method)}={Token(result.Result)}";
        if (result.Comment.Length > 0)
            foreach (var word in Pieces(Comment(result.Comment))) yield return word;
        if (result.Reason.Length > 0) yield return $"reason={Quoted(result.Reason)}";
        foreach (var property in result.Properties) yield return $"{Token(property.Type)}.{Token(property.Name)}={Value(property.Value)}";
    }

    static void Words(StringBuilder text, ref int column, IEnumerable<string> words)
    {
        var first = true;
        foreach (var word in words)
        {
            if (!first && column + 1 + word.Length > Width - 1)
            {
                text.Append("\r\n\t ");
                column = 2;
            }
            else if (!first)
            {
                text.Append(' ');
                column++;
            }

            text.Append(word);
            column += word.Length;
            first = false;
        }
    }

    static string[] Pieces(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    static string Comment(string text) =>
        "(" + string.Concat(Clean(text).Select(c => c is '(' or ')' or '\\' ? "\\" + c : c.ToString())) + ")";

    static string Token(string word) => string.Concat(word.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));

    /// <summary>RFC 8601 2.2: a value or an address as it is where it may stand so, else in quotes.</summary>
    static string Value(string value) =>
        value.Length > 0 && value.All(c => c > ' ' && c != '\x7f' && c is not ('(' or ')' or '<' or '>' or ',' or ';' or ':' or '\\' or '"' or '/' or '[' or ']' or '?' or '='))
            ? value : Quoted(value);

    static string Quoted(string value) => "\"" + string.Concat(Clean(value).Select(c => c is '"' or '\\' ? "\\" + c : c.ToString())) + "\"";

    static string Clean(string value) => string.Concat(value.Select(c => char.IsControl(c) ? ' ' : c));

    /// <summary>
    /// The Authentication-Results fields of an arriving header that say to be of one of our names: a stranger wrote them, and people and
    /// filters would believe them (RFC 8601 5); and those of a version that nobody knows, whose name may stand elsewhere. ARC-Authentication-Results are part of a chain and stay.
    /// </summary>
    public static IReadOnlyList<FieldSpan> Forged(ReadOnlySpan<byte> header, params IReadOnlyList<string> authservIds)
    {
        List<FieldSpan>? found = null;
        var reader = new HeaderReader(header, 0, top: true);
        while (reader.Next(out var field))
        {
            if (!Ascii.EqualsIgnoreCase(header.Slice(field.Start, field.NameLength), "authentication-results"u8)) continue;
            var value = header[field.ValueStart..field.End];
            var forged = AuthenticationResults.Parse(value) is { Version: not 1 };
            foreach (var id in authservIds) forged |= AuthenticationResults.ClaimsToBeOf(value, id);
            if (forged) (found ??= []).Add(field);
        }

        return found ?? (IReadOnlyList<FieldSpan>)[];
    }

    /// <summary>A header, or a message, without the fields that <see cref="Forged"/> finds; the same memory where there are none.</summary>
    public static ReadOnlyMemory<byte> WithoutForged(ReadOnlyMemory<byte> message, params IReadOnlyList<string> authservIds)
    {
        var forged = Forged(message.Span, authservIds);
        if (forged.Count == 0) return message;
        var output = new byte[message.Length - forged.Sum(f => f.End - f.Start)];
        var (from, to) = (0, 0);
        foreach (var field in forged)
        {
            message.Span[from..field.Start].CopyTo(output.AsSpan(to));
            to += field.Start - from;
            from = field.End;
        }

        message.Span[from..].CopyTo(output.AsSpan(to));
        return output;
    }
}
