using System.Buffers.Text;
using CbaMail.Config;

namespace CbaMail.Tls.Acme;

/// <summary>When and how: no deeds.</summary>
static class AcmeRules
{
    /// <summary>What cannot work in the settings; null where nothing.</summary>
    public static string? Problem(Settings settings)
    {
        var acme = settings.Tls.Acme;
        if (!Uri.TryCreate(acme.Directory, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps) return $"directory is an https address, not \"{acme.Directory}\"";
        if (acme.Names.FirstOrDefault(name => name.Contains('*')) is { } wild) return $"\"{wild}\": an authority gives wildcards only to who proves control over the DNS zone (dns-01), which this server does not do; name each host";
        if (acme.Names.FirstOrDefault(name => Uri.CheckHostName(name) != UriHostNameType.Dns || !name.Contains('.')) is { } odd) return $"\"{odd}\" is not a host name; write it as in mail.example.org";
        if (!settings.Hostname.Contains('.')) return $"no authority gives a certificate for \"{settings.Hostname}\": set hostname to the full name of this server, as in mail.example.org";
        if (acme.Email is { } email && !email.Contains('@')) return $"\"{email}\" is no e-mail address";
        if ((acme.EabKeyId is null) != (acme.EabKey is null)) return "eab-key-id and eab-key belong together";
        if (acme.EabKey is { } key && !Base64Url.IsValid(key.TrimEnd('='))) return "eab-key is not base64url; copy it as the authority shows it";
        if (acme.RenewAfter is < 0.1 or > 0.95) return "renew-after is a part of a certificate's life, from 0.1 to 0.95";
        return Types(settings, 0).Count > 0 ? null : "the authority checks names over HTTP (port 80) or HTTPS (port 443), and this server listens at neither that tls.acme.challenge allows";
    }

    /// <summary>The ways to be checked, the one to try first at the beginning; after a failure the other.</summary>
    public static IReadOnlyList<string> Types(Settings settings, int attempts)
    {
        var types = new List<string>();
        if (settings.Tls.Acme.Challenge != AcmeChallenge.TlsAlpn01 && settings.Listeners.Any(one => one.Protocol == Protocol.Http)) types.Add(AcmeOrder.Http01);
        if (settings.Tls.Acme.Challenge != AcmeChallenge.Http01 && settings.Listeners.Any(one => one.Protocol == Protocol.Https)) types.Add(AcmeOrder.TlsAlpn01);
        if (attempts % 2 == 1) types.Reverse();
        return types;
    }

    /// <summary>Two thirds of a life, and up to a thirtieth of it earlier: not all servers at the same moment after an authority's bad day.</summary>
    public static DateTimeOffset RenewAt(AcmeEntry entry, double after, double jitter) =>
        entry is { Begins: { } begins, Ends: { } ends } ? begins + ((ends - begins) * (after - (jitter / 30))) : DateTimeOffset.MinValue;

    /// <summary>Doubles with each failure, up to a day; a fifth more or less.</summary>
    public static TimeSpan Pause(TimeSpan first, int attempts, double jitter, TimeSpan longest)
    {
        var pause = first * Math.Pow(2, Math.Min(attempts, 20));
        return (pause < longest ? pause : longest) * (0.8 + (0.4 * jitter));
    }
}
