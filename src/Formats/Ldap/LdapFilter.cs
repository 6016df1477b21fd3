using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Text;

namespace CbaMail.Ldap;

/// <summary>A search filter: read as people write it (RFC 4515), kept as it goes over the wire (RFC 4511 4.5.1.7).</summary>
public sealed class LdapFilter
{
    /// <summary>In bytes of text; longer ones are refused.</summary>
    public const int Longest = 16 * 1024;
    const int Deepest = 32;

    static readonly Asn1Tag And = Context(0, true), Or = Context(1, true), Not = Context(2, true), Equal = Context(3, true), Parts = Context(4, true),
        AtLeast = Context(5, true), AtMost = Context(6, true), Present = Context(7, false), Like = Context(8, true), Extensible = Context(9, true);

    readonly byte[] encoded;

    LdapFilter(string text, byte[] encoded) => (Text, this.encoded) = (text, encoded);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    internal void Write(AsnWriter writer) => writer.WriteEncodedValue(encoded);

    public override string ToString() => Text;

    /// <summary>Reads a filter in its parentheses.</summary>
    /// <param name="problem">What is wrong and where, in a sentence; "" where nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out LdapFilter? filter, out string problem)
    {
        filter = null;
        problem = "";
        if (Encoding.UTF8.GetByteCount(text) > Longest) { problem = $"a filter has at most {Longest} bytes"; return false; }
        var writer = new AsnWriter(AsnEncodingRules.BER);
        var reader = new Reader(text.Trim(), writer);
        if (!reader.Whole()) { problem = $"{reader.Problem} at character {reader.At + 1}"; return false; }
        filter = new LdapFilter(text.Trim(), writer.Encode());
        return true;
    }

    /// <summary>A value as it stands in a filter: whatever it holds, it stays a value (RFC 4515 3).</summary>
    public static string Escape(string value)
    {
        var safe = new StringBuilder(value.Length + 8);
        foreach (var c in value)
            if (c is '*' or '(' or ')' or '\\' or < ' ' or '\x7f') safe.Append('\\').Append(((int)c).ToString("x2", null));
            else safe.Append(c);
        return safe.ToString();
    }

    /// <summary>The same for bytes that are no text, as in objectGUID.</summary>
    public static string Escape(ReadOnlySpan<byte> value)
    {
        var safe = new StringBuilder(value.Length * 3);
        foreach (var b in value) safe.Append('\\').Append(b.ToString("x2", null));
        return safe.ToString();
    }

    static Asn1Tag Context(int number, bool constructed) => new(TagClass.ContextSpecific, number, constructed);

    /// <summary>Writes while it reads; remembers the first thing that is wrong.</summary>
    ref struct Reader(string text, AsnWriter writer)
    {
        public int At;
        public string? Problem;

        readonly char Here => At < text.Length ? text[At] : '\0';

        bool Fail(string problem)
        {
            Problem ??= problem;
            return false;
        }

        public bool Whole() => Filter(0) && (At == text.Length || Fail("the filter ends here, and something follows"));

        // RFC 4515 3: filter = LPAREN filtercomp RPAREN
        bool Filter(int depth)
        {
            if (depth > Deepest) return Fail($"filters lie at most {Deepest} deep in each other");
            if (Here != '(') return Fail("expected \"(\"");
            At++;
            var done = Here switch
            {
                '&' => List(And, depth),
                '|' => List(Or, depth),
                '!' => Negation(depth),
                _ => Item(),
            };
            if (!done) return false;
            if (Here != ')') return Fail("expected \")\"");
            At++;
            return true;
        }

        bool List(Asn1Tag tag, int depth)
        {
            At++;
            using var set = writer.PushSetOf(tag);
            if (Here != '(') return Fail("expected \"(\"");
            while (Here == '(')
                if (!Filter(depth + 1)) return false;
            return true;
        }

        bool Negation(int depth)
        {
            At++;
            using var one = writer.PushSequence(Not); // a filter under an explicit tag
            return Filter(depth + 1);
        }

        bool Item()
        {
            var begin = At;
            while (Here is not ('\0' or '=' or '<' or '>' or '~' or ':' or '(' or ')' or '*' or '\\' or ' ')) At++;
            var attribute = text[begin..At];
            if (Here == ':') return Extended(attribute);
            if (!IsDescription(attribute)) return Fail("expected the name of an attribute");
            Asn1Tag? kind = (Here, At + 1 < text.Length ? text[At + 1] : '\0') switch
            {
                ('=', _) => Equal,
                ('>', '=') => AtLeast,
                ('<', '=') => AtMost,
                ('~', '=') => Like,
                _ => null,
            };
            if (kind is not { } tag) return Fail("expected =, >=, <= or ~=");
            At += tag == Equal ? 1 : 2;
            var pieces = new List<byte[]>();
            do
            {
                if (pieces.Count > 0) At++; // the asterisk
                if (!Value(out var piece)) return false;
                pieces.Add(piece);
            }
            while (Here == '*' && tag == Equal);
            if (pieces.Count == 1) return Assertion(tag, attribute, pieces[0]);
            if (pieces.Count == 2 && pieces[0].Length + pieces[1].Length == 0)
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute), Present);
                return true;
            }
            return Substrings(attribute, pieces);
        }

        readonly bool Assertion(Asn1Tag tag, string attribute, byte[] value)
        {
            using var sequence = writer.PushSequence(tag);
            writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
            writer.WriteOctetString(value);
            return true;
        }

        bool Substrings(string attribute, List<byte[]> pieces)
        {
            using var sequence = writer.PushSequence(Parts);
            writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
            using var list = writer.PushSequence();
            for (var i = 0; i < pieces.Count; i++)
            {
                if (pieces[i].Length == 0 && i > 0 && i < pieces.Count - 1) return Fail("two asterisks stand side by side"); // RFC 4515 3: any = *(assertionvalue ASTERISK)
                if (pieces[i].Length > 0) writer.WriteOctetString(pieces[i], Context(i == 0 ? 0 : i == pieces.Count - 1 ? 2 : 1, false));
            }
            return true;
        }

        // RFC 4515 3: attr [":dn"] [":" matchingrule] ":=" value, as in userAccountControl:1.2.840.113556.1.4.803:=2
        bool Extended(string attribute)
        {
            if (attribute.Length > 0 && !IsDescription(attribute)) return Fail("expected the name of an attribute");
            var (names, rule) = (false, "");
            while (Here == ':' && At + 1 < text.Length && text[At + 1] != '=')
            {
                var begin = ++At;
                while (Here is not ('\0' or ':' or '=' or '(' or ')')) At++;
                var word = text[begin..At];
                if (word.Equals("dn", StringComparison.OrdinalIgnoreCase) && !names && rule.Length == 0) names = true;
                else if (rule.Length == 0 && IsDescription(word)) rule = word;
                else return Fail("expected the name of a matching rule");
            }
            if (Here != ':' || At + 1 >= text.Length || text[At + 1] != '=' || (attribute.Length == 0 && rule.Length == 0)) return Fail("expected \":=\"");
            At += 2;
            if (!Value(out var value)) return false;
            using var sequence = writer.PushSequence(Extensible);
            if (rule.Length > 0) writer.WriteOctetString(Encoding.UTF8.GetBytes(rule), Context(1, false));
            if (attribute.Length > 0) writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute), Context(2, false));
            writer.WriteOctetString(value, Context(3, false));
            if (names) writer.WriteBoolean(true, Context(4, false));
            return true;
        }

        // RFC 4515 3: \ and two hexadecimal digits are a byte; ( ) * \ and NUL stand in no other way
        bool Value(out byte[] value)
        {
            var bytes = new List<byte>();
            value = [];
            while (Here is not ('\0' or '(' or ')' or '*'))
            {
                if (Here == '\\')
                {
                    if (At + 2 >= text.Length || !char.IsAsciiHexDigit(text[At + 1]) || !char.IsAsciiHexDigit(text[At + 2])) return Fail("expected two hexadecimal digits behind the backslash");
                    bytes.Add(Convert.FromHexString(text.AsSpan(At + 1, 2))[0]);
                    At += 3;
                    continue;
                }
                var length = char.IsHighSurrogate(Here) && At + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(At, length)));
                At += length;
            }
            value = [.. bytes];
            return true;
        }

        // RFC 4512: a name or an OID, and options behind semicolons
        static bool IsDescription(string text) => text.Length is > 0 and <= 128 && char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ';' or '_');
    }
}
