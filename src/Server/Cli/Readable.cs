using System.Globalization;
using CbaMail.Directory;

namespace CbaMail.Cli;

/// <summary>Domains and addresses as people write them: школа.рф instead of xn--80atdl2c.xn--p1ai. In JSON they stay as DNS has them.</summary>
static class Readable
{
    public static string Domain(string domain) => Names.Show(domain);

    public static string Address(string address) =>
        address.LastIndexOf('@') is >= 0 and var at && address.IndexOf("xn--", at, StringComparison.Ordinal) >= 0 ? address[..(at + 1)] + Names.Show(address[(at + 1)..]) : address;
}

/// <summary>A number with its noun.</summary>
static class Counted
{
    public static string Of(long number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");
}
