using System.Globalization;
using System.Text;

namespace CbaMail.Text;

/// <summary>Domain names between their Unicode and their ASCII form (RFC 5890 2.3.2.1: U-label and A-label).</summary>
public static class Idna
{
    static readonly IdnMapping Mapping = new() { AllowUnassigned = true, UseStd3AsciiRules = false };

    /// <summary>The domain with every label in ASCII; false where a label cannot be written so. ASCII domains stay as they are.</summary>
    public static bool TryToAscii(string domain, out string ascii)
    {
        ascii = domain;
        if (Ascii.IsValid(domain) || domain.StartsWith('[')) return Ascii.IsValid(domain);
        try
        {
            // RFC 3490 3.1: ideographic full stops separate labels too
            ascii = Mapping.GetAscii(domain.Replace('。', '.').TrimEnd('.')).ToLowerInvariant();
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>The domain with every label in Unicode where that is possible, else as it is.</summary>
    public static string ToUnicode(string domain)
    {
        if (!domain.Contains("xn--", StringComparison.OrdinalIgnoreCase)) return domain;
        try
        {
            return Mapping.GetUnicode(domain);
        }
        catch (ArgumentException)
        {
            return domain;
        }
    }
}
