namespace CbaMail.Html;

/// <summary>Tags of a Handlebars template (<c>{{…}}</c>) as those see them who only have to leave them alone.</summary>
public static class TemplateTag
{
    // a tag that spans half of a document is a mistake, which the template's own parser names
    const int Longest = 4096;

    /// <summary>Behind the tag that begins at <paramref name="at"/>; <paramref name="at"/> itself where there is none.</summary>
    public static int End(ReadOnlySpan<char> text, int at)
    {
        var rest = text[at..];
        if (!rest.StartsWith("{{")) return at;
        if (rest.Length > Longest) rest = rest[..Longest];
        var (skip, close) = rest.StartsWith("{{!--") ? (5, "--}}") : rest.StartsWith("{{{") ? (3, "}}}") : (2, "}}");
        var found = rest[skip..].IndexOf(close);
        return found < 0 ? at : at + skip + found + close.Length;
    }
}
