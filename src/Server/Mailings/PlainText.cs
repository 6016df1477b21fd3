namespace CbaMail.Mailings;

/// <summary>The plain text that goes beside an HTML without a text template of its own.</summary>
static class PlainText
{
    public static string Of(string html) => Mime.HtmlText.ToPlainText(html);
}
