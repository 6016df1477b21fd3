using CbaMail.MailAuth.Dmarc;

namespace CbaMail.Queue;

/// <summary>
/// Who runs a domain's mail servers, by the name of the best one: hundreds of domains are hosted by the same few, who count what we
/// send to all of them together.
/// </summary>
public static class MxOperator
{
    // one operator under several names
    static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["googlemail.com"] = "google.com",
        ["mx.microsoft"] = "outlook.com",
        ["yahoodns.net"] = "yahoo.com",
        ["hotmail.com"] = "outlook.com",
        ["yandex.ru"] = "yandex.net",
    };

    /// <param name="exchange">A host name in lower case.</param>
    public static string Of(string exchange)
    {
        var name = PublicSuffixList.InUse.OrganizationalDomain(exchange.TrimEnd('.'));
        return Others.GetValueOrDefault(name, name);
    }
}
