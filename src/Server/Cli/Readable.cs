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

/// <summary>What an answer warns of, a line each below the rest.</summary>
static class Warned
{
    /// <summary>Beside what is printed, for people: scripts read standard output.</summary>
    public static void Tell(Invocation invocation, System.Text.Json.JsonElement answer, string sentence) => invocation.Error.WriteLine(CbaMail.Text.PlainText.Lines(sentence + By(answer)));

    public static string By(System.Text.Json.JsonElement answer) => string.Concat(answer.Items("warnings").Select(one => "\nNote: " + one.GetString()));
}

/// <summary>A number with its noun.</summary>
static class Counted
{
    public static string Of(long number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");
}
