using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Admission;

/// <summary>Addresses elsewhere by which people get back in.</summary>
static class Recovery
{
    /// <summary>The address in the form that is kept: domain in A-labels and small letters; the local part is the other server's affair.</summary>
    /// <param name="own">The account's own, which is of no use when one cannot get at it.</param>
    public static Result<string> Normal(string text, MailAddress own)
    {
        text = text.Trim();
        if (text.Length > 254 || !MailAddress.TryParse(text, out var address) || !Names.TryDomain(address.Domain, out var domain)) return Refusal.BadAddress.Because($"\"{Shown(text)}\" is not a valid address");
        address = address with { Domain = domain };
        return Names.TryAddress(address, out var local) && local.Key == own.Key ? Refusal.Invalid.Because("The address for recovery must be another than the account's own") : address.ToString();
    }

    static string Shown(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
