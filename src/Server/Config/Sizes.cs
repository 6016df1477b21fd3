using System.Globalization;

namespace CbaMail.Config;

/// <summary>Sizes as people write them: <c>500M</c>, <c>1G</c>, <c>1.5 GB</c>, <c>0</c> or <c>none</c>. K is 1,024 bytes.</summary>
public static class Sizes
{
    const string Units = "KMGT";

    /// <summary>Reads a size in bytes; false for anything negative, fractional below a byte, or too large.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase) || text.Equals("unlimited", StringComparison.OrdinalIgnoreCase)) return true;
        if (text.EndsWith("iB", StringComparison.OrdinalIgnoreCase)) text = text[..^2];
        else if (text.EndsWith("B", StringComparison.OrdinalIgnoreCase)) text = text[..^1];
        var factor = 1m;
        if (text.Length > 0 && Units.IndexOf(char.ToUpperInvariant(text[^1])) is >= 0 and var unit)
        {
            factor = 1L << (10 * (unit + 1));
            text = text[..^1];
        }
        text = text.Trim();
        if (text.Length is 0 or > 20 || !char.IsAsciiDigit(text[0])) return false;
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        if (number > long.MaxValue / factor) return false;
        var product = number * factor;
        if (product != decimal.Truncate(product)) return false;
        bytes = (long)product;
        return true;
    }

    /// <summary>The form that is read back as the same: <c>500M</c>, <c>1500</c>.</summary>
    public static string Exact(long bytes)
    {
        var (value, unit) = (bytes, 0);
        while (value != 0 && value % 1024 == 0 && unit < Units.Length) { value /= 1024; unit++; }
        return value.ToString(CultureInfo.InvariantCulture) + (unit == 0 ? "" : Units[unit - 1]);
    }

    /// <summary>The shortest exact form with at most one decimal place; reads well, and is read back nearly.</summary>
    public static string Show(long bytes)
    {
        if (bytes < 1024) return bytes.ToString(CultureInfo.InvariantCulture);
        var unit = 0;
        var value = (double)bytes;
        while (value >= 1024 && unit < Units.Length) { value /= 1024; unit++; }
        return value.ToString(value < 100 && value != Math.Floor(value) ? "0.#" : "0", CultureInfo.InvariantCulture) + Units[unit - 1];
    }
}
