using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Directory;

namespace CbaMail.Sasl;

/// <summary>Whom a certificate is for: the mail addresses of its alternative names, or, where it has none, a common name that is an address (RFC 8550 3).</summary>
static class ClientCertificates
{
    const string AlternativeNames = "2.5.29.17";

    /// <param name="wanted">Whom the client wants to be; empty: the first account that the certificate names.</param>
    public static Account? Owner(X509Certificate2? certificate, string wanted, UserDirectory directory)
    {
        if (certificate is null) return null;
        var owners = Addresses(certificate).Select(directory.Proven).OfType<Account>();
        if (wanted.Length == 0) return owners.FirstOrDefault();
        return directory.Proven(wanted) is { } account && owners.Any(owner => owner.Id == account.Id) ? account : null;
    }

    internal static IReadOnlyList<string> Addresses(X509Certificate2 certificate)
    {
        var found = new List<string>();
        foreach (var extension in certificate.Extensions)
            if (extension.Oid?.Value == AlternativeNames) Read(extension.RawData, found);
        if (found.Count == 0 && certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { } common && common.Contains('@', StringComparison.Ordinal)) found.Add(common);
        return found;
    }

    static void Read(byte[] extension, List<string> found)
    {
        try
        {
            var names = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
            var mail = new Asn1Tag(TagClass.ContextSpecific, 1); // RFC 5280 4.2.1.6: rfc822Name
            while (names.HasData)
            {
                if (names.PeekTag().HasSameClassAndValue(mail)) found.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, mail));
                else names.ReadEncodedValue();
            }
        }
        catch (AsnContentException)
        {
            found.Clear();
        }
    }
}
