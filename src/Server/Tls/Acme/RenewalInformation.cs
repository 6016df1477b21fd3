using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace CbaMail.Tls.Acme;

/// <summary>When the authority wants a certificate to be renewed (RFC 9773): earlier than usual where it has to revoke it.</summary>
static class RenewalInformation
{
    /// <summary>The identifier of a certificate (RFC 9773 4.1); null where it does not name its issuer's key.</summary>
    public static string? IdOf(X509Certificate2 certificate)
    {
        var issuer = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier;
        return issuer is null ? null : Base64Url.EncodeToString(issuer.Value.Span) + "." + Base64Url.EncodeToString(certificate.SerialNumberBytes.Span);
    }

    /// <summary>The window that it suggests; null where it does not say.</summary>
    public static async Task<(DateTimeOffset Start, DateTimeOffset End)?> AskAsync(AcmeClient client, string id, CancellationToken cancel)
    {
        if ((await client.DirectoryAsync(cancel)).String("renewalInfo") is not { } url) return null;
        var answer = await client.GetAsync(url.TrimEnd('/') + "/" + id, cancel); // RFC 9773 4.1
        if (answer?.Body.Object("suggestedWindow") is not { } window) return null;
        return Time(window.String("start")) is { } start && Time(window.String("end")) is { } end && start < end ? (start, end) : null; // RFC 9773 4.2
    }

    static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
