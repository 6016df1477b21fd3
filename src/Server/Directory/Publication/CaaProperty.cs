using System.Text;
using CbaMail.Config;

namespace CbaMail.Directory.Publication;

/// <summary>A property of CAA (RFC 8659 4.1): who may give certificates, to whom, and how the name is proven.</summary>
/// <param name="Tag">Lower case; empty for what cannot be read.</param>
sealed record CaaProperty(bool Critical, string Tag, string Value)
{
    // RFC 8659 4.2, 4.3, 4.4, and those that were registered later
    static readonly string[] Known = ["issue", "issuewild", "iodef", "issuemail", "contactemail", "contactphone"];

    public static CaaProperty Read(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2 || data.Length < 2 + data[1]) return new(false, "", "");
        return new((data[0] & 0x80) != 0, Encoding.ASCII.GetString(data.Slice(2, data[1])).ToLowerInvariant(), Encoding.ASCII.GetString(data[(2 + data[1])..]));
    }

    /// <summary>Why the authority may not give a certificate to us, in both languages; null where it may.</summary>
    public static (string English, string Russian)? Refusal(IReadOnlyList<CaaProperty> all, string issuer, string? account, AcmeChallenge challenge)
    {
        if (all.FirstOrDefault(one => one.Critical && !Known.Contains(one.Tag)) is { } strange) // RFC 8659 4.1
            return ($"the property \"{strange.Tag}\" is marked as critical and not known", $"свойство \"{strange.Tag}\" помечено как обязательное, но неизвестно");
        var issues = all.Where(one => one.Tag == "issue").ToList();
        if (issues.Count == 0) return null;
        var named = issues.Where(one => one.Value.Split(';')[0].Trim().Equals(issuer, StringComparison.OrdinalIgnoreCase)).ToList();
        if (named.Count == 0) return ($"they name {string.Join(", ", issues.Select(one => one.Value.Split(';')[0].Trim() is { Length: > 0 } who ? who : "nobody"))}", $"в них указано: {string.Join(", ", issues.Select(one => one.Value.Split(';')[0].Trim() is { Length: > 0 } who ? who : "никто"))}");
        var fits = named.Where(one => one.Parameter("accounturi") is not { } uri || account is null || uri == account).ToList(); // RFC 8657 3
        if (fits.Count == 0) return ("they name another account: accounturi=" + named[0].Parameter("accounturi"), "в них указана другая учётная запись: accounturi=" + named[0].Parameter("accounturi"));
        if (fits.TrueForAll(one => one.Parameter("validationmethods") is { } methods && !methods.Split(',').Any(method => IsOurs(method.Trim(), challenge)))) // RFC 8657 4
            return ("they allow other ways of proof: validationmethods=" + fits[0].Parameter("validationmethods"), "в них разрешены другие способы проверки: validationmethods=" + fits[0].Parameter("validationmethods"));
        return null;
    }

    static bool IsOurs(string method, AcmeChallenge challenge) => method switch
    {
        "http-01" => challenge is AcmeChallenge.Any or AcmeChallenge.Http01,
        "tls-alpn-01" => challenge is AcmeChallenge.Any or AcmeChallenge.TlsAlpn01,
        _ => false,
    };

    string? Parameter(string name) => Value.Split(';').Skip(1).Select(part => part.Trim()).Where(part => part.StartsWith(name + "=", StringComparison.OrdinalIgnoreCase)).Select(part => part[(name.Length + 1)..].Trim()).FirstOrDefault();
}
