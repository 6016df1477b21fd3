using System.Globalization;
using System.Text;
using CbaMail.Mime;

namespace CbaMail.MailAuth.Dkim;

/// <summary>Which field a signature stands in.</summary>
public enum SignatureKind
{
    /// <summary>DKIM-Signature (RFC 6376 3.5).</summary>
    Dkim,
    /// <summary>ARC-Message-Signature (RFC 8617 4.1.2): i= is the instance, v= means nothing.</summary>
    ArcMessage,
    /// <summary>ARC-Seal (RFC 8617 4.1.3): no body, no h=.</summary>
    ArcSeal,
}

/// <summary>A signature as it stands in a header. Where <see cref="Problem"/> is set it cannot be verified, and only its names mean anything.</summary>
public sealed record DkimSignature
{
    // RFC 6376 3.5: t= and x= have 12 digits, l= has 76
    const int TimeDigits = 12;
    const int LengthDigits = 76;

    /// <summary>Why it is no signature that could be verified; null where it is one.</summary>
    public string? Problem { get; private init; }
    /// <summary>The name of its algorithm as it was written.</summary>
    public string AlgorithmName { get; private set; } = "";
    public DkimAlgorithm Algorithm { get; private set; }
    /// <summary>The signing domain (d=) as it was written, "" where there is none.</summary>
    public string Domain { get; private set; } = "";
    /// <summary>The selector (s=) as it was written, "" where there is none.</summary>
    public string Selector { get; private set; } = "";
    /// <summary>The signing domain in lower-case A-labels.</summary>
    public string AsciiDomain { get; private set; } = "";
    /// <summary>Where the key stands in DNS (RFC 6376 3.6.2.1).</summary>
    public string KeyName { get; private set; } = "";
    /// <summary>The agent or user (i=), decoded; "@" and the domain where it was not written.</summary>
    public string Identity { get; private set; } = "";
    /// <summary>The domain of <see cref="Identity"/> in lower-case A-labels.</summary>
    public string IdentityDomain { get; private set; } = "";
    /// <summary>The names of h= in order.</summary>
    public IReadOnlyList<string> Fields { get; private set; } = [];
    public Canonicalization HeaderWay { get; private set; }
    public Canonicalization BodyWay { get; private set; }
    /// <summary>l=: octets of the body that are signed; null for all.</summary>
    public long? Length { get; private set; }
    public long? Time { get; private set; }
    public long? Expires { get; private set; }
    public byte[] BodyHash { get; private set; } = [];
    public byte[] Signature { get; private set; } = [];
    /// <summary>ARC's i=.</summary>
    public int Instance { get; private set; }
    /// <summary>ARC's cv=; "" where there is none.</summary>
    public string ChainStatus { get; private set; } = "";

    /// <summary>Which field of the header it is.</summary>
    internal int FieldIndex { get; private init; }
    internal FieldSpan Span { get; private init; }
    /// <summary>What is left out of the field when it is hashed, from the field's first byte.</summary>
    internal (int From, int To) Blank { get; private set; }
    /// <summary>The first characters of b=, by which one signature is told from another (RFC 6008 3).</summary>
    public string Mark { get; private set; } = "";

    /// <summary>Reads a field.</summary>
    internal static DkimSignature Read(ReadOnlyMemory<byte> message, FieldSpan span, int index, SignatureKind kind)
    {
        var signature = NotRead(message, span, index);
        var tags = TagList.Parse(message[span.ValueStart..span.End], out var problem);
        if (tags is null) return signature with { Problem = "the signature is malformed: " + problem };
        var wrong = signature.Take(tags, span, kind);
        return signature with { Problem = wrong };
    }

    /// <summary>A field beyond the number that is verified, or a malformed one: only its names are read, to be able to speak of it.</summary>
    internal static DkimSignature NotRead(ReadOnlyMemory<byte> message, FieldSpan span, int index)
    {
        var value = message.Span[span.ValueStart..span.End];
        return new() { FieldIndex = index, Span = span, Domain = Named(value, (byte)'d'), Selector = Named(value, (byte)'s'), Problem = TooMany };
    }

    static string Named(ReadOnlySpan<byte> list, byte name)
    {
        foreach (var range in list.Split((byte)';'))
        {
            var tag = list[range].Trim(" \t\r\n"u8);
            if (tag.Length < 2 || tag[0] != name) continue;
            var value = tag[1..].TrimStart(" \t\r\n"u8);
            if (value.Length > 1 && value[0] == '=' && value.Length <= 256) return Encoding.UTF8.GetString(value[1..].Trim(" \t\r\n"u8));
        }

        return "";
    }

    internal const string TooMany = "there are too many signatures";

    /// <summary>Takes the values over; the reason where they are no signature (RFC 6376 6.1.1: anything unexpected is a fault).</summary>
    string? Take(TagList tags, FieldSpan span, SignatureKind kind)
    {
        Domain = tags.Text("d") ?? "";
        Selector = tags.Text("s") ?? "";
        AlgorithmName = tags.Text("a") ?? "";
        if (kind == SignatureKind.Dkim)
        {
            // RFC 6376 3.5: v= is required and has one value
            if (tags.Text("v") is not { } version) return "v= is missing";
            if (version != "1") return "v= is not 1";
        }
        else if (TakeInstance(tags) is { } instance) return instance;

        return TakeNames(tags) ?? TakeAlgorithm(tags, span) ?? TakeTimes(tags, kind)
            ?? (kind == SignatureKind.ArcSeal ? TakeSeal(tags) : TakeContent(tags, kind))
            ?? (kind == SignatureKind.Dkim ? TakeIdentity(tags) : null);
    }

    // RFC 8617 4.2.1: 1 to 50
    string? TakeInstance(TagList tags)
    {
        if (!tags.TryGet("i", out var text)) return "i= is missing";
        if (!TagList.TryNumber(text, 2, out var number) || number is < 1 or > 50) return "i= is no number from 1 to 50";
        Instance = (int)number;
        return null;
    }

    string? TakeNames(TagList tags)
    {
        if (tags.Find("d") is null) return "d= is missing";
        if (tags.Find("s") is null) return "s= is missing";
        if (!DomainNames.TryAscii(Domain, 2, out var domain)) return "d= is no domain name";
        if (!DomainNames.TryAscii(Selector, 1, out var selector)) return "s= is no selector";
        AsciiDomain = domain;
        // RFC 6376 3.6.2.1
        KeyName = $"{selector}._domainkey.{domain}";
        return KeyName.Length <= 253 ? null : "the name of the key is longer than DNS allows";
    }

    string? TakeAlgorithm(TagList tags, FieldSpan span)
    {
        if (tags.Find("a") is null) return "a= is missing";
        // RFC 8301 3.1: rsa-sha1 has permanently failed, whatever the signature says
        if (AlgorithmName == "rsa-sha1") return "rsa-sha1 is no longer accepted";
        if (!DkimAlgorithms.TryParse(AlgorithmName, out var algorithm)) return "a= names no algorithm that is known";
        Algorithm = algorithm;
        if (tags.Find("b") is not { } b) return "b= is missing";
        tags.TryGet("b", out var text);
        if (!TagList.TryBase64(text, out var signature) || signature.Length == 0) return "b= is not base64";
        Signature = signature;
        Blank = (span.ValueStart - span.Start + b.RawStart, span.ValueStart - span.Start + b.RawEnd);
        Mark = Encoding.ASCII.GetString(text)[..Math.Min(8, text.Length)].TrimEnd();
        return null;
    }

    string? TakeTimes(TagList tags, SignatureKind kind)
    {
        if (tags.TryGet("t", out var t))
        {
            if (!TagList.TryNumber(t, TimeDigits, out var time)) return "t= is no time";
            Time = time;
        }

        // RFC 8617 4.1.3: a seal does not expire
        if (kind != SignatureKind.ArcSeal && tags.TryGet("x", out var x))
        {
            if (!TagList.TryNumber(x, TimeDigits, out var expires)) return "x= is no time";
            Expires = expires;
            // RFC 6376 3.5: "greater than the value of the t= tag"
            if (Time >= expires) return "x= is not after t=";
        }

        return null;
    }

    // RFC 8617 4.1.3: h= in a seal is a failure; the chain status has three values
    string? TakeSeal(TagList tags)
    {
        if (tags.Find("h") is not null) return "a seal has no h=";
        ChainStatus = tags.Text("cv") ?? "";
        HeaderWay = Canonicalization.Relaxed;
        return ChainStatus is "none" or "pass" or "fail" ? null : "cv= is neither none nor pass nor fail";
    }

    string? TakeContent(TagList tags, SignatureKind kind)
    {
        if (!tags.TryGet("bh", out var hash)) return "bh= is missing";
        if (!TagList.TryBase64(hash, out var bodyHash) || bodyHash.Length == 0) return "bh= is not base64";
        BodyHash = bodyHash;
        // RFC 6376 3.5: simple/simple where nothing is said, simple for the body where one word is said
        if (tags.Text("c") is { } ways)
        {
            var slash = ways.IndexOf('/', StringComparison.Ordinal);
            var (header, body) = slash < 0 ? (ways, "simple") : (ways[..slash], ways[(slash + 1)..]);
            if (!Way(header, out var headerWay) || !Way(body, out var bodyWay)) return "c= names no canonicalization that is known";
            (HeaderWay, BodyWay) = (headerWay, bodyWay);
        }
        // what the public suite of ARC has it mean there, and its implementations with it
        else if (kind == SignatureKind.ArcMessage) (HeaderWay, BodyWay) = (Canonicalization.Relaxed, Canonicalization.Relaxed);

        if (tags.TryGet("l", out var l))
        {
            if (!TagList.TryNumber(l, LengthDigits, out var length)) return "l= is no number";
            Length = length;
        }

        // RFC 6376 3.5: what is not "dns/txt" is ignored, and must not be all there is
        if (tags.Words("q") is { } methods && !methods.Contains("dns/txt", StringComparer.OrdinalIgnoreCase)) return "q= names no query that is known";
        return TakeFields(tags, kind);
    }

    string? TakeFields(TagList tags, SignatureKind kind)
    {
        if (tags.Words("h") is not { } names) return "h= is missing";
        foreach (var name in names)
            if (name.Any(c => c is <= ' ' or >= '\x7f' or ';' or ':')) return "h= has something that is no field name";
        if (kind == SignatureKind.ArcMessage)
        {
            // RFC 8617 4.1.2: a seal cannot be covered by what it seals. That h= may be empty and need not name From is how the
            // public suite of ARC has it; the seals bind the chain all the same
            if (names.Contains("arc-seal", StringComparer.OrdinalIgnoreCase)) return "h= names ARC-Seal";
            Fields = [.. names.Where(n => n.Length > 0)];
            return null;
        }

        if (names.Any(n => n.Length == 0)) return "h= has an empty name";
        Fields = names;
        // RFC 6376 5.4 and 6.1.1
        return names.Contains("from", StringComparer.OrdinalIgnoreCase) ? null : "From is not signed";
    }

    static bool Way(string word, out Canonicalization way)
    {
        way = word == "relaxed" ? Canonicalization.Relaxed : Canonicalization.Simple;
        return word is "simple" or "relaxed";
    }

    // RFC 6376 3.5: the domain of i= is d= or lies below it
    string? TakeIdentity(TagList tags)
    {
        if (!tags.TryGet("i", out var text))
        {
            (Identity, IdentityDomain) = ("@" + Domain, AsciiDomain);
            return null;
        }

        if (!TryDecode(text, out var identity)) return "i= is malformed";
        var at = identity.LastIndexOf('@');
        if (at < 0 || !DomainNames.TryAscii(identity[(at + 1)..], 2, out var domain)) return "i= is no address";
        (Identity, IdentityDomain) = (identity, domain);
        return DomainNames.IsWithin(domain, AsciiDomain) ? null : "the domain of i= is not within d=";
    }

    /// <summary>dkim-quoted-printable (RFC 6376 2.11): white space counts for nothing, an equals sign and two upper-case hexadecimal digits are a byte.</summary>
    static bool TryDecode(ReadOnlySpan<byte> text, out string decoded)
    {
        decoded = "";
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') continue;
            if (text[i] != '=')
            {
                bytes.Add(text[i]);
                continue;
            }

            if (i + 2 >= text.Length || !byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return false;
            bytes.Add(value);
            i += 2;
        }

        decoded = Encoding.UTF8.GetString(bytes.ToArray());
        return true;
    }
}
