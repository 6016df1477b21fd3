using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;

namespace CbaMail.Directory.Publication;

/// <summary>The policy that is served at <c>https://mta-sts.DOMAIN/.well-known/mta-sts.txt</c> (RFC 8461 3.2).</summary>
public static class MtaStsPolicy
{
    public static string Text(Settings settings) => string.Create(CultureInfo.InvariantCulture,
        $"version: STSv1\r\nmode: {settings.Publish.MtaSts.ToString().ToLowerInvariant()}\r\nmx: {settings.Hostname}\r\nmax_age: {Math.Clamp((long)settings.Publish.MtaStsMaxAge.TotalSeconds, 86_400, 31_557_600)}\r\n");

    /// <summary>Another for each content: senders look at the policy again when it changes (RFC 8461 3.1).</summary>
    public static string Id(Settings settings) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Text(settings))))[..20];
}
