using System.Text;
using CbaMail.Html;

namespace CbaMail.Mjml;

/// <summary>
/// MJML to HTML that mail programs show alike: columns that stack on narrow screens, tables and VML in conditional comments for Outlook.
/// Fields and blocks of a template (<c>{{…}}</c>) pass through untouched: in text, in attributes, and between components.
/// Nothing is fetched: mj-include is refused, and no font is loaded that the document does not name.
/// </summary>
public static class MjmlCompiler
{
    /// <summary>Characters of a document.</summary>
    public const int MaxLength = 1_000_000;

    /// <summary>Compiles a document; never throws, whatever it says.</summary>
    /// <param name="language">Of the HTML, where the document has no <c>lang</c>.</param>
    public static MjmlResult Compile(string source, string? language = null)
    {
        var errors = new List<MjmlMessage>();
        var warnings = new List<MjmlMessage>();
        if (source.Length > MaxLength) return new(null, [new(1, 1, $"The document has more than {MaxLength} characters")], []);
        var root = MjmlReader.Read(source, errors);
        if (root is not null) new MjmlCheck(errors, warnings).Run(root);
        if (errors.Count > 0 || root is null) return new(null, errors, warnings);

        var head = MjmlHead.Of(root.Child("mj-head"));
        var body = new MjmlBody(head);
        var spoken = root.Attributes.GetValueOrDefault("lang", language ?? "und");
        var direction = root.Attributes.GetValueOrDefault("dir", "auto");
        body.Write(root.Child("mj-body")!, spoken, direction);
        var content = body.Output.ToString();
        if (head.Attributes.Count > 0)
        {
            if (InlineStyles.Attributes(content, head.Attributes) is not { } changed) return TooMany("mj-html-attributes has too many selectors for this document");
            content = changed;
        }
        var html = Document(root, head, body, content, spoken, direction);
        if (head.InlineStyles.Length > 0)
        {
            if (InlineStyles.Apply(html, head.InlineStyles.ToString()) is not { } styled) return TooMany("<mj-style inline=\"inline\"> has too many rules for this document");
            html = styled;
        }
        return new(html, [], warnings);

        MjmlResult TooMany(string sentence) => new(null, [new(1, 1, sentence)], warnings);
    }

    static string Document(MjmlNode root, MjmlHead head, MjmlBody body, string content, string language, string direction)
    {
        var html = new StringBuilder(content.Length + 4096);
        foreach (var raw in root.Children)
            if (raw.IsRaw && raw.Attributes.GetValueOrDefault("position") == "file-start") html.Append(raw.Content).Append('\n');
        html.Append($$"""
            <!doctype html>
            <html lang="{{language}}" dir="{{direction}}" xmlns="http://www.w3.org/1999/xhtml" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
            <head>
            <title>{{head.Title}}</title>
            <!--[if !mso]><!--><meta http-equiv="X-UA-Compatible" content="IE=edge"><!--<![endif]-->
            <meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style type="text/css">
            #outlook a { padding:0; }
            body { margin:0; padding:0; -webkit-text-size-adjust:100%; -ms-text-size-adjust:100%; }
            table, td { border-collapse:collapse; mso-table-lspace:0pt; mso-table-rspace:0pt; }
            img { border:0; height:auto; line-height:100%; outline:none; text-decoration:none; -ms-interpolation-mode:bicubic; }
            p { display:block; margin:13px 0; }
            </style>
            <!--[if mso]><noscript><xml><o:OfficeDocumentSettings><o:AllowPNG/><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml></noscript><![endif]-->
            <!--[if lte mso 11]><style type="text/css">.mj-outlook-group-fix { width:100% !important; }</style><![endif]-->

            """);
        Fonts(html, head, content);
        if (body.Responsive.Count > 0)
        {
            html.Append($"<style type=\"text/css\">\n@media only screen and (min-width:{head.Breakpoint}) {{\n");
            foreach (var (name, rule) in body.Responsive) html.Append($".{name} {{ {rule} }}\n");
            // Thunderbird looks at the medium of the element only
            html.Append($"}}\n</style>\n<style media=\"screen and (min-width:{head.Breakpoint})\">\n");
            foreach (var (name, rule) in body.Responsive) html.Append($".moz-text-html .{name} {{ {rule} }}\n");
            html.Append("</style>\n");
            if (root.Attributes.GetValueOrDefault("owa") == "desktop")
            {
                html.Append("<style type=\"text/css\">\n");
                foreach (var (name, rule) in body.Responsive) html.Append($"[owa] .{name} {{ {rule} }}\n");
                html.Append("</style>\n");
            }
        }
        if (body.Styles.Count > 0) html.Append("<style type=\"text/css\">\n").AppendJoin('\n', body.Styles.Values).Append("\n</style>\n");
        if (head.Styles.Length > 0) html.Append("<style type=\"text/css\">\n").Append(head.Styles).Append("</style>\n");
        return html.Append(head.Raw).Append("</head>\n").Append(content).Append("\n</html>\n").ToString();
    }

    static void Fonts(StringBuilder html, MjmlHead head, string content)
    {
        var used = head.Fonts.Where(font => content.Contains(font.Name, StringComparison.OrdinalIgnoreCase) || head.InlineStyles.ToString().Contains(font.Name, StringComparison.OrdinalIgnoreCase)).ToList();
        if (used.Count == 0) return;
        html.Append("<!--[if !mso]><!-->\n");
        foreach (var (_, href) in used) html.Append($"<link href=\"{href}\" rel=\"stylesheet\" type=\"text/css\">\n");
        html.Append("<style type=\"text/css\">");
        foreach (var (_, href) in used) html.Append($"@import url({href});");
        html.Append("</style>\n<!--<![endif]-->\n");
    }
}
