using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace CbaMail.Ldap;

/// <summary>How an operation ended (RFC 4511 4.1.9).</summary>
/// <param name="Code">0 is success; the others are in RFC 4511 A.</param>
/// <param name="Text">The server's own words, for a log.</param>
public sealed record LdapResult(int Code, string Text)
{
    public const int Success = 0, TimeLimit = 3, SizeLimit = 4, StrongerRequired = 8, Referral = 10, AdminLimit = 11, ConfidentialityRequired = 13, NoSuchObject = 32, InvalidName = 34, InvalidCredentials = 49, Busy = 51, Unavailable = 52, UnwillingToPerform = 53;

    public bool Ok => Code == Success;

    /// <summary>For people.</summary>
    public override string ToString() => $"{Name} ({Code}){(Text.Length > 0 ? ": " + Text : "")}";

    string Name => Code switch
    {
        Success => "success",
        1 => "operationsError",
        2 => "protocolError",
        TimeLimit => "timeLimitExceeded",
        SizeLimit => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        StrongerRequired => "strongerAuthRequired",
        Referral => "referral",
        AdminLimit => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        ConfidentialityRequired => "confidentialityRequired",
        NoSuchObject => "noSuchObject",
        InvalidName => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        InvalidCredentials => "invalidCredentials",
        50 => "insufficientAccessRights",
        Busy => "busy",
        Unavailable => "unavailable",
        UnwillingToPerform => "unwillingToPerform",
        _ => "error",
    };
}

/// <summary>An entry that a search has found.</summary>
public sealed class LdapEntry(string name, IReadOnlyDictionary<string, IReadOnlyList<byte[]>> attributes)
{
    const string Range = ";range=";

    readonly Dictionary<string, IReadOnlyList<byte[]>> attributes = new(attributes, StringComparer.OrdinalIgnoreCase);

    /// <summary>Its distinguished name.</summary>
    public string Name { get; } = name;

    public IReadOnlyList<byte[]> Values(string attribute) => attributes.TryGetValue(attribute, out var values) ? values : [];

    public IEnumerable<string> Texts(string attribute) => Values(attribute).Select(Encoding.UTF8.GetString);

    /// <summary>An attribute of which the server has given a part ([MS-ADTS] 3.1.1.3.1.3.3: "member;range=0-1499"), and where the rest begins; null: all is there.</summary>
    public (string Attribute, int Next)? Ranged
    {
        get
        {
            foreach (var key in attributes.Keys)
                if (Part(key) is var (attribute, _, last) && last is { } end) return (attribute, end + 1);
            return null;
        }
    }

    /// <summary>Takes the next part of such an attribute from another answer.</summary>
    /// <returns>False where it is not the next one.</returns>
    public bool TryAppend(string attribute, LdapEntry more)
    {
        if (attributes.Keys.FirstOrDefault(key => Part(key)?.Attribute.Equals(attribute, StringComparison.OrdinalIgnoreCase) == true) is not { } held || Part(held) is not var (_, start, last)) return false;
        if (more.attributes.Keys.FirstOrDefault(key => Part(key)?.Attribute.Equals(attribute, StringComparison.OrdinalIgnoreCase) == true) is not { } next || Part(next) is not var (_, from, to) || from != last + 1 || to < from) return false;
        IReadOnlyList<byte[]> all = [.. attributes[held], .. more.attributes[next]];
        attributes.Remove(held);
        attributes[to is null ? attribute : $"{attribute}{Range}{start}-{to}"] = all;
        return true;
    }

    // last is null where the part is the last one
    static (string Attribute, int First, int? Last)? Part(string key)
    {
        var at = key.IndexOf(Range, StringComparison.OrdinalIgnoreCase);
        if (at < 1 || key[(at + Range.Length)..].Split('-') is not [var first, var last] || !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var start)) return null;
        return last == "*" ? (key[..at], start, null) : int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var end) && end < int.MaxValue ? (key[..at], start, end) : null;
    }

    /// <summary>The first value, or null.</summary>
    public string? Text(string attribute) => Values(attribute) is [var first, ..] ? Encoding.UTF8.GetString(first) : null;
}

/// <summary>Which entries below the base are meant (RFC 4511 4.5.1.2).</summary>
public enum LdapScope { Base, One, Subtree }

/// <summary>A search, and how many entries a page of its answer has.</summary>
/// <param name="PageSize">0: no pages are asked for.</param>
public sealed record LdapSearch(string Base, LdapScope Scope, LdapFilter Filter, IReadOnlyList<string> Attributes, int PageSize = 0, int SizeLimit = 0);

/// <summary>What the server says, one message.</summary>
/// <param name="Id">That of the request; 0 where it says something unasked.</param>
public sealed record LdapAnswer(int Id, LdapAnswerKind Kind, LdapResult? Result, LdapEntry? Entry)
{
    /// <summary>Where the next page begins (RFC 2696 3); empty: that was the last.</summary>
    public byte[] Cookie { get; init; } = [];
}

public enum LdapAnswerKind { Bind, Entry, Reference, SearchDone, Extended, Other }

/// <summary>Messages of LDAP as bytes (RFC 4511 4, 5.1): those that a client writes, and those that it reads.</summary>
public static class LdapMessage
{
    const string StartTlsName = "1.3.6.1.4.1.1466.20037", PagesName = "1.2.840.113556.1.4.319";

    static readonly Asn1Tag BindRequest = new(TagClass.Application, 0, true), UnbindRequest = new(TagClass.Application, 2), SearchRequest = new(TagClass.Application, 3, true), ExtendedRequest = new(TagClass.Application, 23, true),
        Simple = new(TagClass.ContextSpecific, 0), Controls = new(TagClass.ContextSpecific, 0, true), RequestName = new(TagClass.ContextSpecific, 0);

    /// <summary>RFC 4511 4.2: by name and password.</summary>
    public static byte[] Bind(int id, string name, string password) => Whole(id, writer =>
    {
        using var bind = writer.PushSequence(BindRequest);
        writer.WriteInteger(3);
        writer.WriteOctetString(Encoding.UTF8.GetBytes(name));
        writer.WriteOctetString(Encoding.UTF8.GetBytes(password), Simple);
    });

    /// <summary>RFC 4511 4.3.</summary>
    public static byte[] Unbind(int id) => Whole(id, writer => writer.WriteNull(UnbindRequest));

    /// <summary>RFC 4511 4.14.1.</summary>
    public static byte[] StartTls(int id) => Whole(id, writer =>
    {
        using var request = writer.PushSequence(ExtendedRequest);
        writer.WriteOctetString(Encoding.ASCII.GetBytes(StartTlsName), RequestName);
    });

    /// <summary>RFC 4511 4.5.1.</summary>
    /// <param name="cookie">That of the page before; empty for the first.</param>
    /// <param name="seconds">What the server may spend on it.</param>
    public static byte[] Search(int id, LdapSearch search, ReadOnlySpan<byte> cookie, int seconds)
    {
        var from = cookie.ToArray();
        return Whole(id, writer =>
        {
            using var request = writer.PushSequence(SearchRequest);
            writer.WriteOctetString(Encoding.UTF8.GetBytes(search.Base));
            writer.WriteEnumeratedValue(search.Scope);
            writer.WriteEnumeratedValue(Dereferencing.Never);
            writer.WriteInteger(search.SizeLimit);
            writer.WriteInteger(seconds);
            writer.WriteBoolean(false);
            search.Filter.Write(writer);
            using var attributes = writer.PushSequence();
            foreach (var attribute in search.Attributes) writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
        }, search.PageSize == 0 ? null : writer =>
        {
            // RFC 2696 2: realSearchControlValue ::= SEQUENCE { size, cookie }
            var value = new AsnWriter(AsnEncodingRules.BER);
            using (value.PushSequence())
            {
                value.WriteInteger(search.PageSize);
                value.WriteOctetString(from);
            }
            using var controls = writer.PushSequence(Controls);
            using var control = writer.PushSequence();
            writer.WriteOctetString(Encoding.ASCII.GetBytes(PagesName));
            writer.WriteOctetString(value.Encode());
        });
    }

    enum Dereferencing { Never }

    static byte[] Whole(int id, Action<AsnWriter> operation, Action<AsnWriter>? controls = null)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            operation(writer);
            controls?.Invoke(writer);
        }
        return writer.Encode();
    }

    /// <summary>The bytes of the message that begins here: its head included.</summary>
    /// <returns>False where it is no message; null where more bytes are needed to say.</returns>
    public static bool? TryMeasure(ReadOnlySpan<byte> start, out long length)
    {
        length = 0;
        if (start.Length < 2) return null;
        if (start[0] != 0x30 || start[1] == 0x80) return false; // RFC 4511 5.1: only definite lengths
        if (start[1] < 0x80) { length = 2 + start[1]; return true; }
        var count = start[1] & 0x7F;
        if (count > 7) return false;
        if (start.Length < 2 + count) return null;
        foreach (var b in start.Slice(2, count)) length = length << 8 | b;
        length += 2 + count;
        return true;
    }

    /// <summary>Reads one whole message; false where it is none.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out LdapAnswer? answer)
    {
        answer = null;
        try
        {
            var message = new AsnReader(bytes, AsnEncodingRules.BER).ReadSequence();
            if (!message.TryReadInt32(out var id) || id < 0) return false;
            var tag = message.PeekTag();
            if (tag.TagClass != TagClass.Application) return false;
            answer = tag.TagValue switch
            {
                1 => new(id, LdapAnswerKind.Bind, Result(message.ReadSequence(tag)), null),
                4 => new(id, LdapAnswerKind.Entry, null, Entry(message.ReadSequence(tag))),
                5 => new(id, LdapAnswerKind.SearchDone, Result(message.ReadSequence(tag)), null),
                19 => new(id, LdapAnswerKind.Reference, null, null), // RFC 4511 4.5.3: elsewhere; nobody goes there
                24 => new(id, LdapAnswerKind.Extended, Result(message.ReadSequence(tag)), null),
                _ => new(id, LdapAnswerKind.Other, null, null),
            };
            if (answer.Kind == LdapAnswerKind.SearchDone && message.HasData) answer = answer with { Cookie = Cookie(message) };
            return true;
        }
        catch (AsnContentException)
        {
            answer = null;
            return false;
        }
    }

    static LdapResult Result(AsnReader reader)
    {
        var code = new BigInteger(reader.ReadEnumeratedBytes().Span, isBigEndian: true);
        reader.ReadOctetString(); // matchedDN
        var text = Encoding.UTF8.GetString(reader.ReadOctetString());
        return new(code > int.MaxValue || code < 0 ? int.MaxValue : (int)code, Printable(text));
    }

    static string Printable(string text) => new([.. text.Take(300).Select(c => char.IsControl(c) ? ' ' : c)]);

    static LdapEntry Entry(AsnReader reader)
    {
        var name = Encoding.UTF8.GetString(reader.ReadOctetString());
        var attributes = new Dictionary<string, IReadOnlyList<byte[]>>(StringComparer.OrdinalIgnoreCase);
        var list = reader.ReadSequence();
        while (list.HasData)
        {
            var attribute = list.ReadSequence();
            var description = Encoding.UTF8.GetString(attribute.ReadOctetString());
            var values = new List<byte[]>();
            var set = attribute.ReadSetOf(skipSortOrderValidation: true);
            while (set.HasData) values.Add(set.ReadOctetString());
            attributes[description] = values;
        }
        return new(name, attributes);
    }

    static byte[] Cookie(AsnReader message)
    {
        var controls = message.ReadSequence(Controls);
        while (controls.HasData)
        {
            var control = controls.ReadSequence();
            if (Encoding.UTF8.GetString(control.ReadOctetString()) != PagesName) continue;
            if (control.HasData && control.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean)) control.ReadBoolean();
            if (!control.HasData) continue;
            var value = new AsnReader(control.ReadOctetString(), AsnEncodingRules.BER).ReadSequence();
            value.ReadInteger();
            return value.ReadOctetString();
        }
        return [];
    }
}
