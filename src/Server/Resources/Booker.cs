using System.Text;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.MailAuth.Dkim;
using CbaMail.Mime;

namespace CbaMail.Resources;

/// <summary>Who sends an invitation, as far as it is proven.</summary>
/// <param name="SignedIn">The account, or null.</param>
/// <param name="From">Of a stranger: the one address in From, where its domain is proven (DMARC, or SPF or a signature aligned with it); or null.</param>
/// <param name="Service">The calendar service that sent it in the organizer's name, and signed it; or null.</param>
public readonly record struct Booker(Account? SignedIn, MailAddress? From, MailAddress? Service)
{
    /// <param name="provenDomain">The From domain that is proven, or null.</param>
    /// <param name="signatures">Those that are right.</param>
    /// <param name="services">Addresses of calendar services that know their people (resources.calendar-services).</param>
    public static Booker Of(ReadOnlySpan<byte> message, Account? signedIn, string? provenDomain, IReadOnlyList<DkimSignature> signatures, IReadOnlyList<string> services)
    {
        if (signedIn is not null) return new(signedIn, null, null);
        var (from, sender) = (Only(message, "From"u8), Only(message, "Sender"u8));
        var named = sender ?? from;
        // what a signature does not cover anybody may have added
        var service = named is not null && services.Any(one => one.Equals(named.ToString(), StringComparison.OrdinalIgnoreCase))
            && signatures.Any(signature => signature.AsciiDomain == named.DomainKey && signature.Fields.Contains(sender is null ? "From" : "Sender", StringComparer.OrdinalIgnoreCase)) ? named : null;
        return new(null, provenDomain is not null && from?.DomainKey == provenDomain ? from : null, service);
    }

    /// <summary>The one address of the one field of a name; null where there are none or several.</summary>
    static MailAddress? Only(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name)
    {
        string? found = null;
        var reader = new HeaderReader(message, 0, top: true);
        while (reader.Next(out var field))
        {
            if (!Ascii.EqualsIgnoreCase(message.Slice(field.Start, field.NameLength), name)) continue;
            if (found is not null || AddressList.Parse(message[field.ValueStart..field.End]).Mailboxes.Take(2).ToList() is not [var mailbox]) return null;
            found = mailbox.Address;
        }
        return found is not null && MailAddress.TryParse(found, out var address) ? address : null;
    }

    /// <summary>
    /// Whose rights count where the booker asks in the name of an organizer; null where he may not. Who signs in is bound by what he may write as; a
    /// stranger is the organizer himself, or a service says who it is: then nobody gains by a name, for the service's rights count, or those of From.
    /// </summary>
    public MailAddress? Asks(MailAddress organizer, UserDirectory directory)
    {
        if (SignedIn is { } account) return directory.MaySendAs(account, organizer) || directory.MaySendOnBehalf(account, organizer) ? organizer : null;
        if (From?.Key == organizer.Key) return organizer;
        return Service is not null && !directory.IsLocal(organizer) ? From ?? Service : null;
    }
}
