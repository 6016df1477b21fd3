using System.Text;
using CbaMail.Text;

namespace CbaMail.Backup;

/// <summary>
/// What a row's ENVELOPE (RFC 9051 7.5.2) tells of a message whose body is lost. The form is our own, but it may be damaged too: what
/// cannot be read is left out.
/// </summary>
sealed class StoredEnvelope
{
    const int MaxDepth = 4;

    /// <summary>As the message had them, decoded.</summary>
    public string Date { get; private init; } = "";
    public string Subject { get; private init; } = "";
    public string MessageId { get; private init; } = "";
    public string InReplyTo { get; private init; } = "";
    public IReadOnlyList<(string Name, string Address)> From { get; private init; } = [];
    public IReadOnlyList<(string Name, string Address)> To { get; private init; } = [];
    public IReadOnlyList<(string Name, string Address)> Cc { get; private init; } = [];

    public static StoredEnvelope Parse(ReadOnlySpan<byte> envelope)
    {
        var at = 0;
        if (Value(envelope, ref at, 0) is not List<object?> { Count: 10 } list) return new StoredEnvelope();
        return new StoredEnvelope
        {
            Date = Words(list[0]),
            Subject = Words(list[1]),
            From = Addresses(list[2]),
            To = Addresses(list[5]),
            Cc = Addresses(list[6]),
            InReplyTo = Words(list[8]),
            MessageId = Words(list[9]).Trim().Trim('<', '>'),
        };
    }

    static string Words(object? value) => value is string text ? OneLine(EncodedWord.Decode(text)) : "";

    static string OneLine(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);

    static List<(string, string)> Addresses(object? value)
    {
        var found = new List<(string, string)>();
        if (value is not List<object?> list) return found;
        foreach (var item in list)
            if (item is List<object?> { Count: 4 } parts && parts[2] is string local && parts[3] is string domain && local.Length > 0)
                found.Add((Words(parts[0]), domain.Length > 0 ? OneLine($"{local}@{domain}") : OneLine(local)));
        return found;
    }

    // null for NIL and for what is no value
    static object? Value(ReadOnlySpan<byte> bytes, ref int at, int depth)
    {
        while (at < bytes.Length && bytes[at] == ' ') at++;
        if (at >= bytes.Length) return null;
        switch (bytes[at])
        {
            case (byte)'(' when depth < MaxDepth:
                var list = new List<object?>();
                for (at++; at < bytes.Length && bytes[at] != ')';)
                {
                    var before = at;
                    list.Add(Value(bytes, ref at, depth + 1));
                    if (at == before) return null;
                    while (at < bytes.Length && bytes[at] == ' ') at++;
                }
                at++;
                return list;
            case (byte)'"':
                return Quoted(bytes, ref at);
            case (byte)'{':
                return Literal(bytes, ref at);
            default:
                while (at < bytes.Length && bytes[at] is not ((byte)' ' or (byte)')' or (byte)'(')) at++;
                return null;
        }
    }

    static string Quoted(ReadOnlySpan<byte> bytes, ref int at)
    {
        var text = new List<byte>();
        for (at++; at < bytes.Length && bytes[at] != '"'; at++)
        {
            if (bytes[at] == '\\' && at + 1 < bytes.Length) at++;
            text.Add(bytes[at]);
        }
        at++;
        return Encoding.UTF8.GetString([.. text]);
    }

    static string? Literal(ReadOnlySpan<byte> bytes, ref int at)
    {
        var end = bytes[at..].IndexOf((byte)'\n');
        if (end < 0 || !System.Buffers.Text.Utf8Parser.TryParse(bytes[(at + 1)..], out int length, out _) || length < 0 || length > bytes.Length - at - end - 1) return null;
        var start = at + end + 1;
        at = start + length;
        return Encoding.UTF8.GetString(bytes.Slice(start, length));
    }
}
