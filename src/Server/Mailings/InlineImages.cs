using System.Text.RegularExpressions;

namespace CbaMail.Mailings;

/// <summary>Which files are shown inside the HTML: those that it names by <c>cid:FILE-NAME</c> (RFC 2392).</summary>
static partial class InlineImages
{
    [GeneratedRegex("""\bcid:([^\s"'<>()]+)""", RegexOptions.IgnoreCase)]
    private static partial Regex Reference();

    /// <summary>The Content-ID of a file that the HTML shows; null for an attachment.</summary>
    public static string? ContentId(string? html, string file)
    {
        var name = Path.GetFileName(file);
        return html is not null && Reference().Matches(html).Any(match => Same(match.Groups[1].Value, name)) ? Uri.EscapeDataString(name) : null;
    }

    /// <summary>An image that the HTML shows and no file brings, or null.</summary>
    public static string? Missing(string? html, IReadOnlyList<NewFile> files) =>
        html is null ? null : Reference().Matches(html).Select(match => match.Groups[1].Value)
            .FirstOrDefault(name => !name.Contains("{{", StringComparison.Ordinal) && !files.Any(file => Same(name, Path.GetFileName(file.Name))));

    static bool Same(string reference, string name) => reference == name || Uri.UnescapeDataString(reference) == name;
}
