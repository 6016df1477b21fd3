using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>
/// The one form in which names are compared: domains as lower case A-labels (RFC 5890 2.3.2.1), local parts in lower case and NFC
/// (RFC 6532 3.1 asks for NFC; RFC 5321 2.4 leaves case to the receiving host, and people do not tell Anna@ from anna@).
/// </summary>
public static class Names
{
    static readonly IdnMapping Idn = new() { AllowUnassigned = false, UseStd3AsciiRules = true };

    /// <summary>The key of a domain; false where it is no host name.</summary>
    public static bool TryDomain(string text, [NotNullWhen(true)] out string? key)
    {
        key = null;
        var name = text.Trim().TrimEnd('.');
        if (name.Length is 0 or > 255) return false;
        if (!Ascii.IsValid(name))
        {
            try { name = Idn.GetAscii(name); }
            catch (ArgumentException) { return false; } // the framework's only way to say "no"
        }
        // RFC 1035 2.3.4; RFC 1123 2.1
        if (name.Length > 253) return false;
        foreach (var range in name.AsSpan().Split('.'))
        {
            var label = name.AsSpan()[range];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-') return false;
            foreach (var c in label)
                if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) return false;
        }
        key = name.ToLowerInvariant();
        return true;
    }

    /// <summary>An address in its form for comparison; false where it is none.</summary>
    public static bool TryAddress(string? text, [NotNullWhen(true)] out MailAddress? address)
    {
        address = null;
        return MailAddress.TryParse(text.AsSpan().Trim(), out var parsed) && TryAddress(parsed, out address);
    }

    /// <inheritdoc cref="TryAddress(string, out MailAddress?)"/>
    public static bool TryAddress(MailAddress written, [NotNullWhen(true)] out MailAddress? address)
    {
        address = null;
        if (!TryDomain(written.Domain, out var domain)) return false;
        address = new MailAddress(LocalKey(written.LocalPart), domain);
        return true;
    }

    /// <summary>The key of a local part; text that is no valid Unicode stays as it is, and so matches nobody.</summary>
    public static string LocalKey(string local)
    {
        if (Ascii.IsValid(local)) return local.ToLowerInvariant();
        try { return local.Normalize(NormalizationForm.FormC).ToLowerInvariant(); }
        catch (ArgumentException) { return local; } // a lone surrogate
    }

    /// <summary>The domain as people read it.</summary>
    public static string Show(string domain)
    {
        if (!domain.Contains("xn--", StringComparison.Ordinal)) return domain;
        try { return Idn.GetUnicode(domain); }
        catch (ArgumentException) { return domain; }
    }
}
