using CbaMail.Config;

namespace CbaMail.Imap;

/// <summary>The languages of what people read (RFC 5255 3), and how one is chosen.</summary>
internal static class ImapLanguage
{
    /// <summary>Until a client asks for another one (RFC 5255 3.1): English in ASCII (RFC 2277 4.5).</summary>
    const string Default = "i-default";

    public static readonly string[] Tags = ["en", "ru", Default];

    /// <summary>Of these ranges the first that is spoken here; as it is called, and what it is.</summary>
    /// <param name="preferred">What the administrator prefers: the range "default" (RFC 5255 3.2).</param>
    public static (string Tag, MailLanguage Language)? Choose(IEnumerable<string> ranges, MailLanguage preferred)
    {
        foreach (var range in ranges)
        {
            if (range == "*" || range.Equals("default", StringComparison.OrdinalIgnoreCase)) return Named(preferred);
            // RFC 4647 3.4: ru-RU is met by ru, i-default is a name of its own
            for (var rest = range; rest.Length > 0; rest = rest.LastIndexOf('-') is var dash and > 0 ? rest[..dash] : "")
                foreach (var tag in Tags)
                    if (tag.Equals(rest, StringComparison.OrdinalIgnoreCase)) return (tag, tag == "ru" ? MailLanguage.Ru : MailLanguage.En);
        }
        return null;
    }

    static (string, MailLanguage) Named(MailLanguage language) => (language == MailLanguage.Ru ? "ru" : "en", language);
}
