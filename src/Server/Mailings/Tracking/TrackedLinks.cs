using System.Net;
using System.Text;
using CbaMail.Html;
using CbaMail.Queue;

namespace CbaMail.Mailings.Tracking;

/// <summary>
/// The picture and the links of a copy that tell that it was opened and where its reader went. Each is sealed with the row of the ledger and, for
/// a link, with where it leads: nobody can make one that leads elsewhere. The same copy always has the same.
/// </summary>
public sealed class TrackedLinks(string root, BounceAddresses seals)
{
    /// <summary>What the paths of pictures and of links begin with.</summary>
    public const string PicturePath = "/o/", LinkPath = "/c/";

    const string PictureEnd = ".gif";
    const int LongestTarget = 4000;

    public string Picture(long ledgerId, DateTimeOffset made) => $"{root}{PicturePath}{seals.LinkToken(BounceKind.Picture, ledgerId, made)}{PictureEnd}";

    public string Link(long ledgerId, DateTimeOffset made, string target, BounceKind kind = BounceKind.Followed) =>
        $"{root}{LinkPath}{seals.LinkToken(kind, ledgerId, made, target)}?u={Uri.EscapeDataString(target)}";

    /// <summary>The row of the ledger that a picture is of; null where it is forged.</summary>
    public long? ReadPicture(string name) =>
        name.EndsWith(PictureEnd, StringComparison.Ordinal) && seals.ReadLink(name[..^PictureEnd.Length]) is { Kind: BounceKind.Picture } ticket ? ticket.Id : null;

    /// <summary>What a link is of; null where it, or where it leads, is forged.</summary>
    public BounceTicket? ReadLink(string token, string target) =>
        target.Length <= LongestTarget && seals.ReadLink(token, target) is { Kind: BounceKind.Followed or BounceKind.Unseen } ticket ? ticket : null;

    /// <summary>A copy's HTML with what its mailing asks for.</summary>
    public string In(string html, Mailing mailing, long ledgerId)
    {
        var made = mailing.Started ?? mailing.Created;
        if (mailing.Clicks) html = WithLinks(html, ledgerId, made);
        return mailing.Pixel ? BeforeEnd(html, $"<img src=\"{Picture(ledgerId, made)}\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0\">") : html;
    }

    string WithLinks(string html, long ledgerId, DateTimeOffset made)
    {
        var text = new StringBuilder(html.Length + 2048);
        var at = 0;
        foreach (var element in HtmlTree.Read(html))
        {
            if (element.Name is not ("a" or "area")) continue;
            foreach (var attribute in element.Attributes)
            {
                if (attribute.Name != "href" || Target(attribute.Value) is not { } target) continue;
                text.Append(html, at, attribute.Start - at).Append("href=\"").Append(WebUtility.HtmlEncode(Link(ledgerId, made, target))).Append('"');
                at = attribute.End;
                break;
            }
        }
        if (at == 0) return html;
        // whoever follows what nobody sees or is read aloud is a program
        var unseen = $"<a href=\"{WebUtility.HtmlEncode(Link(ledgerId, made, root + "/", BounceKind.Unseen))}\" style=\"display:none\" aria-hidden=\"true\" tabindex=\"-1\"></a>";
        return BeforeEnd(text.Append(html, at, html.Length - at).ToString(), unseen);
    }

    /// <summary>Where a link leads, if it is one to follow: the ways out of the mailing stay as they are.</summary>
    string? Target(string href)
    {
        var target = WebUtility.HtmlDecode(href).Trim();
        return target.Length <= LongestTarget && Uri.TryCreate(target, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            && !target.Any(char.IsControl) && !target.StartsWith(root + MailingLinks.Path, StringComparison.Ordinal) ? target : null;
    }

    static string BeforeEnd(string html, string piece)
    {
        var end = html.LastIndexOf("</body>", StringComparison.OrdinalIgnoreCase);
        return end < 0 ? html + piece : html.Insert(end, piece);
    }
}
