using System.Buffers;
using System.Buffers.Text;
using System.Text;
using CbaMail.Mailboxes;

namespace CbaMail.Imap;

/// <summary>
/// Grammar tokens (RFC 9051 9) over one whole command: its lines and literals as they came, without the last CRLF.
/// It remembers its first failure and where, and yields empty values from then on: a command asks <see cref="Failed"/> once, at the end.
/// Never throws on input.
/// </summary>
internal ref struct ImapReader(ReadOnlySpan<byte> text)
{
    /// <summary>Nested parentheses that any command may use.</summary>
    public const int MaxDepth = 32;

    // RFC 9051 9, atom-specials: ( ) { SP CTL % * " \ ]
    static readonly SearchValues<byte> AtomEnd = SearchValues.Create([.. Controls(), .. "(){ %*\"\\]"u8]);
    // astring-char adds "]"; list-char adds "%" "*" "]"
    static readonly SearchValues<byte> AstringEnd = SearchValues.Create([.. Controls(), .. "(){ %*\"\\"u8]);
    static readonly SearchValues<byte> ListEnd = SearchValues.Create([.. Controls(), .. "(){ \"\\"u8]);
    static readonly SearchValues<byte> WordEnd = SearchValues.Create([.. Controls(), .. "(){ %*\"\\[]<>"u8]);

    readonly ReadOnlySpan<byte> text = text;
    int position;
    int depth;

    /// <summary>Mailbox names are UTF-8, never modified UTF-7 (RFC 9051 5.1).</summary>
    public bool Utf8 { get; init; }

    /// <summary>Messages cannot be named by sequence number (RFC 9586 3.1).</summary>
    public bool UidOnly { get; init; }

    /// <summary>The last mailbox name as it was sent, where it is not kept so: a form of INBOX, or Unicode not in NFC (RFC 9051 6.3.9.7).</summary>
    public string? OldName { get; private set; }

    /// <summary>The response code that goes with the failure, or null.</summary>
    public string? Code { get; private set; }

    /// <summary>What was expected where the first failure was, or null.</summary>
    public string? Error { get; private set; }

    public readonly bool Failed => Error is not null;
    public readonly int Position => position;
    /// <summary>What has not been read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => text[position..];
    public readonly bool AtEnd => position >= text.Length;
    /// <summary>The next byte, or 0 at the end.</summary>
    public readonly byte Next => position < text.Length && Error is null ? text[position] : (byte)0;

    static byte[] Controls() => [.. Enumerable.Range(0, 32).Select(i => (byte)i), 127];

    /// <summary>Remembers the failure unless there was one before.</summary>
    public void Fail(string expected) => Error ??= AtEnd ? $"the command ends too early: expected {expected}" : $"expected {expected} at {position}";

    /// <summary>A failure that is not about the next byte.</summary>
    public void Refuse(string sentence, string? code = null)
    {
        if (Failed) return;
        (Error, Code) = (sentence, code);
    }

    public bool Take(byte b)
    {
        if (Next != b || AtEnd) return false;
        position++;
        return true;
    }

    public void Expect(byte b)
    {
        if (!Take(b)) Fail($"\"{(char)b}\"");
    }

    public void Space()
    {
        if (!Take((byte)' ')) Fail("a space");
    }

    /// <summary>Opens a parenthesis, within the allowed depth.</summary>
    public void Open()
    {
        Expect((byte)'(');
        if (++depth > MaxDepth) Refuse("Too many nested parentheses");
    }

    public bool TakeOpen()
    {
        if (Next != '(') return false;
        Open();
        return !Failed;
    }

    public void Close()
    {
        Expect((byte)')');
        depth--;
    }

    public bool TakeClose()
    {
        if (!Take((byte)')')) return false;
        depth--;
        return true;
    }

    /// <summary>Nothing may follow, except spaces that some clients leave behind.</summary>
    public void End()
    {
        while (Take((byte)' ')) { }
        if (!AtEnd) Fail("the end of the command");
    }

    ReadOnlySpan<byte> Until(SearchValues<byte> end, string expected)
    {
        if (Failed) return default;
        var rest = text[position..];
        var length = rest.IndexOfAny(end);
        if (length < 0) length = rest.Length;
        if (length == 0) Fail(expected);
        position += length;
        return rest[..length];
    }

    /// <summary>An atom; 8-bit bytes are taken as part of it and judged by whoever uses it.</summary>
    public string Atom() => Decode(Until(AtomEnd, "an atom"));

    /// <summary>An atom in capitals, for keywords of the grammar.</summary>
    public string Keyword() => Upper(Until(AtomEnd, "a keyword"));

    /// <summary>A keyword that may be followed by a bracket: items of FETCH.</summary>
    public string Word() => Upper(Until(WordEnd, "a keyword"));

    static string Upper(ReadOnlySpan<byte> bytes) => bytes.Length > 64 ? "?" : Encoding.Latin1.GetString(bytes).ToUpperInvariant();

    /// <summary>UTF-8, or Latin-1 where it is not: a text that old clients send raw is better found than refused.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes) =>
        System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);

    /// <summary>An astring's bytes: atom with "]" allowed, quoted string or literal.</summary>
    public ReadOnlySpan<byte> AstringBytes() =>
        Next is (byte)'"' or (byte)'{' or (byte)'~' && IsString ? StringBytes() : Until(AstringEnd, "a string");

    public string Astring() => Decode(AstringBytes());

    /// <summary>Whether a quoted string or a literal comes next.</summary>
    public readonly bool IsString => Next is (byte)'"' or (byte)'{' || (Next == '~' && position + 1 < text.Length && text[position + 1] == '{');

    /// <summary>A quoted string or a literal.</summary>
    public ReadOnlySpan<byte> StringBytes()
    {
        if (Next == '"') return Quoted();
        if (IsString) return Literal();
        Fail("a string");
        return default;
    }

    /// <summary>A string or NIL, which is null.</summary>
    public string? Nstring()
    {
        if (IsString) return Decode(StringBytes());
        if (Keyword() != "NIL") Fail("a string or NIL");
        return null;
    }

    ReadOnlySpan<byte> Quoted()
    {
        position++;
        var start = position;
        var escaped = false;
        while (position < text.Length)
        {
            var b = text[position];
            if (b == '"')
            {
                var inner = text[start..position++];
                // RFC 6855 3
                if (Utf8 && !System.Text.Unicode.Utf8.IsValid(inner)) Refuse("A quoted string is not UTF-8");
                return escaped ? Unescape(inner) : inner;
            }
            if (b == '\\') { escaped = true; position++; }
            else if (b is 0 or (byte)'\r' or (byte)'\n') break; // RFC 9051 9, QUOTED-CHAR
            position++;
        }
        position = Math.Min(position, text.Length);
        Fail("a closing quote");
        return default;
    }

    static byte[] Unescape(ReadOnlySpan<byte> quoted)
    {
        var result = new byte[quoted.Length];
        var length = 0;
        for (var i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] == '\\' && i + 1 < quoted.Length) i++;
            result[length++] = quoted[i];
        }
        return result[..length];
    }

    // RFC 9051 4.3, RFC 7888 4: {n} and {n+}, "~" before a binary one (RFC 3516)
    ReadOnlySpan<byte> Literal()
    {
        Take((byte)'~');
        Expect((byte)'{');
        var length = Number64();
        Take((byte)'+');
        Expect((byte)'}');
        if (!Take((byte)'\r') || !Take((byte)'\n') || length > text.Length - position)
        {
            Fail("a literal");
            return default;
        }
        var bytes = text.Slice(position, (int)length);
        position += (int)length;
        return bytes;
    }

    /// <summary>The literal announced at the very end of the text, whose bytes have not been read (the message of APPEND).</summary>
    public PendingLiteral? LastLiteral()
    {
        if (Failed || !PendingLiteral.TryParse(text[position..], out var literal) || position + literal.SpecLength != text.Length)
        {
            Fail("a literal");
            return null;
        }
        position = text.Length;
        return literal;
    }

    /// <summary>A mailbox name, decoded; INBOX in capitals (RFC 9051 5.1, RFC 3501 5.1.3).</summary>
    public string Mailbox()
    {
        var sent = MailboxName.DecodePattern(AstringBytes(), Utf8);
        var name = MailboxName.Canonical(sent);
        OldName = name == sent ? null : sent;
        return name;
    }

    /// <summary>A pattern of LIST, decoded.</summary>
    public string ListMailbox() =>
        MailboxName.DecodePattern(IsString ? StringBytes() : Until(ListEnd, "a mailbox pattern"), Utf8);

    public long Number64()
    {
        if (Failed) return 0;
        if (!Utf8Parser.TryParse(text[position..], out long value, out var used) || value < 0 || !char.IsAsciiDigit((char)text[position]))
        {
            Fail("a number");
            return 0;
        }
        position += used;
        return value;
    }

    public uint Number()
    {
        var value = Number64();
        if (value <= uint.MaxValue) return (uint)value;
        Fail("a number of 32 bits");
        return 0;
    }

    public uint NonZero()
    {
        var value = Number();
        if (value == 0) Fail("a number above zero");
        return value;
    }

    /// <summary>RFC 9051 9, sequence-set.</summary>
    public SequenceSet Set()
    {
        if (Take((byte)'$')) return new SequenceSet([]) { IsSaved = true };
        var ranges = new List<(uint, uint)>();
        do
        {
            var from = SetNumber();
            ranges.Add((from, Take((byte)':') ? SetNumber() : from));
        }
        while (Take((byte)','));
        return new SequenceSet(ranges);
    }

    uint SetNumber() => Take((byte)'*') ? SequenceSet.Star : NonZero();

    /// <summary>Whether a sequence set comes next.</summary>
    public readonly bool IsSet => char.IsAsciiDigit((char)Next) || Next is (byte)'*' or (byte)'$';

    /// <summary>RFC 9051 9, date: 1-Feb-1994, quoted or not.</summary>
    public DateOnly Date()
    {
        var bytes = Next == '"' ? StringBytes() : Until(AtomEnd, "a date");
        if (!Failed && ImapDate.TryParseDate(bytes, out var date)) return date;
        Fail("a date like 1-Feb-1994");
        return default;
    }

    /// <summary>RFC 9051 9, date-time: "17-Jul-1996 02:44:25 -0700", quoted.</summary>
    public DateTimeOffset DateTime()
    {
        var bytes = Quoted();
        if (!Failed && ImapDate.TryParse(bytes, out var time)) return time;
        Fail("a date like \"17-Jul-1996 02:44:25 -0700\"");
        return default;
    }

    /// <summary>A flag list in parentheses, or (STORE) without.</summary>
    /// <param name="recentIgnored">\Recent is passed over: APPEND of old clients sends back what FETCH told them.</param>
    public (MessageFlags Flags, List<string> Keywords) Flags(bool bareAllowed = false, bool recentIgnored = false)
    {
        var flags = MessageFlags.None;
        var keywords = new List<string>();
        var parentheses = !bareAllowed || Next == '(';
        if (parentheses) Open();
        if (parentheses && TakeClose()) return (flags, keywords);
        do Flag(ref flags, keywords, recentIgnored);
        while (!Failed && Take((byte)' '));
        if (parentheses) Close();
        return (flags, keywords);
    }

    // RFC 9051 2.3.2, 9: flag
    void Flag(ref MessageFlags flags, List<string> keywords, bool recentIgnored)
    {
        if (Take((byte)'\\'))
        {
            var name = Keyword();
            var flag = ImapFlags.System(name);
            if (flag == MessageFlags.None && !(recentIgnored && name == "RECENT") && !Failed) Refuse($"\\{name} cannot be set");
            flags |= flag;
            return;
        }
        var keyword = Atom();
        if (Failed) return;
        if (keyword.Length > ImapFlags.MaxKeywordLength || !Ascii.IsValid(keyword)) Refuse("A keyword is at most 64 characters of ASCII");
        else if (!keywords.Contains(keyword, StringComparer.OrdinalIgnoreCase)) keywords.Add(keyword);
    }
}
