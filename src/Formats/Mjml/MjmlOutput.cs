using System.Text;

namespace CbaMail.Mjml;

/// <summary>HTML as it is written: tags, and the comments in which Outlook alone sees something.</summary>
sealed class MjmlOutput
{
    const string OutlookStart = "<!--[if mso | IE]>";
    const string OutlookEnd = "<![endif]-->";

    readonly StringBuilder text = new();
    int outlookEnded = -1;

    public int Length => text.Length;

    public MjmlOutput Write(string? markup)
    {
        text.Append(markup);
        return this;
    }

    /// <summary>An opening tag; attributes without a value are left out.</summary>
    public MjmlOutput Tag(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        text.Append('<').Append(name);
        foreach (var (key, value) in attributes)
        {
            if (value is null) continue;
            text.Append(' ').Append(key).Append("=\"").Append(Quoted(value)).Append('"');
        }
        text.Append('>');
        return this;
    }

    public MjmlOutput End(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) text.Append("</").Append(name).Append('>');
        return this;
    }

    /// <summary>A table that lays out and says nothing: screen readers pass over it.</summary>
    public MjmlOutput Layout(params ReadOnlySpan<(string Name, string? Value)> attributes) =>
        Tag("table", [.. attributes, ("border", "0"), ("cellpadding", "0"), ("cellspacing", "0"), ("role", "presentation")]);

    /// <summary>For Outlook alone, up to <see cref="OutlookDone"/>; one that follows upon another goes on with it.</summary>
    public MjmlOutput Outlook()
    {
        if (outlookEnded == text.Length) text.Length -= OutlookEnd.Length;
        else text.Append(OutlookStart);
        return this;
    }

    public MjmlOutput OutlookDone()
    {
        text.Append(OutlookEnd);
        outlookEnded = text.Length;
        return this;
    }

    /// <summary>For everybody but Outlook.</summary>
    public MjmlOutput Others() => Write("<!--[if !mso | IE]><!-->");

    public MjmlOutput OthersDone() => Write("<!--<![endif]-->");


    /// <summary>Declarations as a style attribute has them; those without a value are left out. Null where none is left.</summary>
    public static string? Css(params ReadOnlySpan<(string Name, string? Value)> declarations)
    {
        var css = new StringBuilder();
        foreach (var (name, value) in declarations)
            if (!string.IsNullOrEmpty(value)) css.Append(name).Append(':').Append(value).Append(';');
        return css.Length > 0 ? css.ToString() : null;
    }

    // a field of a template has quotes of its own
    static string Quoted(string value) => value.Contains('"') && !value.Contains("{{", StringComparison.Ordinal) ? value.Replace("\"", "&quot;", StringComparison.Ordinal) : value;

    public override string ToString() => text.ToString();
}
