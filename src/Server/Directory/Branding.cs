using System.Globalization;
using System.Text.Json.Serialization;
using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>How pages and letters show themselves to people of a domain. What is null is as it is without.</summary>
/// <param name="Name">In place of the server's.</param>
/// <param name="Color">Of what is pressed, <c>#rrggbb</c>: white is readable on it.</param>
/// <param name="Accent">Of links and lines, likewise.</param>
/// <param name="Support">Where help is to be had: a mail address, or a URL with https.</param>
/// <param name="SupportText">What stands in its place for people.</param>
public sealed record Branding(string? Name = null, string? Color = null, string? Accent = null, string? Support = null, string? SupportText = null)
{
    public const int LargestLogo = 64 << 10;
    const int LongestName = 100, LongestSupport = 300;

    /// <summary>Changes with the logo, which is in a table of its own; null: there is none.</summary>
    public string? Logo { get; init; }

    /// <summary>What is wrong with it, or null.</summary>
    public Refusal? Wrong()
    {
        if (Name is not null && !IsLine(Name, LongestName)) return Line("name", LongestName);
        if (SupportText is not null && !IsLine(SupportText, LongestSupport)) return Line("supportText", LongestSupport);
        if (Support is not null && (!IsLine(Support, LongestSupport) || SupportLink is null)) return Refusal.Invalid.Because("support is an address as in help@example.org, or begins with https://").At("support");
        return WrongColor(Color, "color") ?? WrongColor(Accent, "accent");
    }

    /// <summary>The URL of <see cref="Support"/>.</summary>
    [JsonIgnore]
    public string? SupportLink =>
        Support is null ? null
        : Uri.TryCreate(Support, UriKind.Absolute, out var url) && url is { Scheme: "https", UserInfo: "" } ? url.AbsoluteUri
        : !Support.Contains(':', StringComparison.Ordinal) && MailAddress.TryParse(Support, out var address) ? $"mailto:{Uri.EscapeDataString(address.LocalPart)}@{address.Domain}" : null;

    /// <summary>The media type of a logo by what its bytes are, and not by what is said of them: pages of ours show it. Null: none of ours.</summary>
    public static string? TypeOf(ReadOnlySpan<byte> logo) =>
        logo.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]) ? "image/png"
        : logo.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) ? "image/jpeg"
        : logo.Length > 12 && logo.StartsWith("RIFF"u8) && logo[8..].StartsWith("WEBP"u8) ? "image/webp" : null;

    static bool IsLine(string text, int longest) => text.Length <= longest && !string.IsNullOrWhiteSpace(text) && !text.Any(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    static Refusal Line(string field, int longest) => Refusal.Invalid.Because($"{field} is one line of 1 to {longest} characters").At(field);

    static Refusal? WrongColor(string? text, string field) =>
        text is null ? null
        : !Directory.Color.TryParse(text, out var color) ? Refusal.Invalid.Because($"{field} is a colour as in #0b5cad").At(field)
        : color.Contrast(Directory.Color.White) is var contrast && contrast < Directory.Color.Readable
            ? Refusal.Invalid.Because($"White text on {text} cannot be read: the contrast is {Math.Floor(contrast * 10) / 10:0.0} to 1, and takes {Directory.Color.Readable:0.0}; choose a darker colour").At(field) : null;
}
