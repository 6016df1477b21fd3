using System.Buffers;
using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>
/// A header for programs that know ASCII alone, made of one with raw UTF-8 in it (RFC 6532): words become encoded-words (RFC 2047), domains A-labels,
/// and an address whose local part cannot be written stands in the name of one that nobody has (RFC 6856 2.1, RFC 6532 3.6).
/// Fields of ASCII, and those in other charsets, which are no UTF-8, stay octet by octet.
/// </summary>
public static class HeaderSurrogate
{
    /// <summary>Longer headers stay as they are.</summary>
    public const int Longest = 256 * 1024;

    const int LineLength = 76;
    const string Nobody = "invalid@internationalized-address.invalid";

    static readonly HashSet<string> AddressFields = new(StringComparer.OrdinalIgnoreCase)
    {
        "From", "To", "Cc", "Bcc", "Sender", "Reply-To", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Sender", "Resent-Reply-To",
        "Return-Path", "Delivered-To", "Disposition-Notification-To",
    };

    /// <summary>Octets of the header, with the empty line behind it; 0 where it is longer than <see cref="Longest"/>.</summary>
    public static int LengthOf(ReadOnlySpan<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var end = message[at..].IndexOf((byte)'\n');
            if (end < 0) at = message.Length;
            else
            {
                var isEmpty = end == 0 || (end == 1 && message[at] == '\r');
                at += end + 1;
                if (isEmpty) return at <= Longest ? at : 0;
            }
            if (at > Longest) return 0;
        }
        return message.Length;
    }

    /// <summary>How many octets more a message has with a surrogate header, line ends put right; null where it needs none.</summary>
    public static int? Growth(ReadOnlySpan<byte> message)
    {
        var header = message[..LengthOf(message)];
        return Make(header) is { } made ? made.Length + LineEnds.Missing(made) - header.Length - LineEnds.Missing(header) : null;
    }

    /// <summary>The header, made of whole fields, with its surrogates; null where nothing has to change.</summary>
    public static byte[]? Make(ReadOnlySpan<byte> header)
    {
        if (System.Text.Ascii.IsValid(header)) return null;
        var output = new ArrayBufferWriter<byte>(header.Length + 256);
        var changed = false;
        while (!header.IsEmpty)
        {
            var field = header[..FieldLength(header)];
            header = header[field.Length..];
            if (!System.Text.Ascii.IsValid(field) && Field(field) is { } ascii)
            {
                changed = true;
                output.Write(Encoding.ASCII.GetBytes(ascii));
            }
            else output.Write(field);
        }
        return changed ? output.WrittenSpan.ToArray() : null;
    }

    // a line and those that continue it (RFC 5322 2.2.3)
    static int FieldLength(ReadOnlySpan<byte> header)
    {
        var at = 0;
        while (at < header.Length)
        {
            var end = header[at..].IndexOf((byte)'\n');
            if (end < 0) return header.Length;
            at += end + 1;
            if (at >= header.Length || header[at] is not ((byte)' ' or (byte)'\t')) break;
        }
        return at;
    }

    static string? Field(ReadOnlySpan<byte> field)
    {
        var colon = field.IndexOf((byte)':');
        if (colon <= 0 || field[..colon].ContainsAnyExceptInRange((byte)'!', (byte)'~') || !System.Text.Unicode.Utf8.IsValid(field)) return null;
        var name = Encoding.ASCII.GetString(field[..colon]);
        var text = LineFolding.UnfoldText(field[(colon + 1)..]);
        var value = AddressFields.Contains(name) ? Addresses(text) : name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase) ? Quoted(text) : Words(text);
        if (name.Equals("Return-Path", StringComparison.OrdinalIgnoreCase)) value = PathOf(value);
        return Fold(name + ":", new string([.. value.Select(c => c is >= ' ' and <= '~' or '\t' ? c : '?')]));
    }

    static string Addresses(string text)
    {
        var list = AddressList.Parse(text);
        if (list.Groups.Count == 0) return Words(text);
        return string.Join(", ", list.Groups.Select(group =>
            group.Name is null ? string.Join(", ", group.Members.Select(Address)) : $"{EncodedWord.EncodeIfNeeded(group.Name)}: {string.Join(", ", group.Members.Select(Address))};"));
    }

    // RFC 5322 3.6.7: angle brackets and nothing beside
    static string PathOf(string value) => value.EndsWith('>') ? value[value.LastIndexOf('<')..] : $"<{value}>";

    static string Address(HeaderAddress address)
    {
        var domain = Idna.TryToAscii(address.Domain, out var ascii) ? ascii : address.Domain;
        if (System.Text.Ascii.IsValid(address.LocalPart) && System.Text.Ascii.IsValid(domain))
            return AddressList.Format(address.Name, new HeaderAddress("", address.LocalPart, domain).Address);
        // whose it is can be read, and an answer goes nowhere instead of to somebody else
        return $"{EncodedWord.Encode(address.Name.Length == 0 ? address.Address : $"{address.Name} {address.Address}")} <{Nobody}>";
    }

    // neighbours that need it are one text: white space between encoded-words is not shown (RFC 2047 6.2)
    static string Words(string text)
    {
        var words = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var output = new List<string>();
        for (var i = 0; i < words.Length; i++)
        {
            if (System.Text.Ascii.IsValid(words[i]))
            {
                output.Add(words[i]);
                continue;
            }
            var from = i;
            while (i + 1 < words.Length && !System.Text.Ascii.IsValid(words[i + 1])) i++;
            var run = string.Join(' ', words[from..(i + 1)]);
            if (from > 0 && words[from - 1].StartsWith("=?", StringComparison.Ordinal)) run = " " + run;
            if (i + 1 < words.Length && words[i + 1].StartsWith("=?", StringComparison.Ordinal)) run += " ";
            output.Add(EncodedWord.Encode(run));
        }
        return string.Join(' ', output);
    }

    // parameters: what stands in quotes is encoded within them, as many programs write it and all read it
    static string Quoted(string text)
    {
        if (!text.Contains('"')) return Words(text);
        var pieces = text.Split('"');
        for (var i = 1; i < pieces.Length; i += 2)
            if (!System.Text.Ascii.IsValid(pieces[i])) pieces[i] = EncodedWord.Encode(pieces[i]);
        return string.Join('"', pieces);
    }

    static string Fold(string name, string value)
    {
        var output = new StringBuilder(name);
        var length = name.Length;
        foreach (var word in value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (length + 1 + word.Length > LineLength && length > name.Length)
            {
                output.Append("\r\n");
                length = 0;
            }
            output.Append(' ').Append(word);
            length += word.Length + 1;
        }
        return output.Append("\r\n").ToString();
    }
}
