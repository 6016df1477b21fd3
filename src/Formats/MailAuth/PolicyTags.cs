namespace CbaMail.MailAuth;

/// <summary>
/// The <c>tag=value</c> lists of DMARC and TLS-RPT records in DNS. Unlike <c>TagList</c> of signatures it lets single
/// tags be wrong: receivers are to use the rest (RFC 7489 6.3).
/// </summary>
static class PolicyTags
{
    /// <summary>More is no record of ours.</summary>
    const int MaxTags = 64;

    /// <summary>Reads a record that begins with the version, for example "DMARC1" in exactly these letters; null where it does not.</summary>
    /// <returns>The tags behind the version in order, names in lower case; a tag that stands twice counts as it stood first.</returns>
    public static Dictionary<string, string>? Read(string text, string version)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        var first = true;
        foreach (var range in text.AsSpan().Split(';'))
        {
            var tag = text.AsSpan(range);
            var equals = tag.IndexOf('=');
            if (first)
            {
                // RFC 7489 6.4, RFC 8460 3: nothing before "v", white space around the equals sign; the value is exact
                if (equals < 0 || !tag[..equals].TrimEnd(" \t").Equals("v", StringComparison.OrdinalIgnoreCase) || !tag[(equals + 1)..].Trim(" \t").SequenceEqual(version)) return null;
                first = false;
                continue;
            }
            if (equals <= 0 || tags.Count == MaxTags) continue;
            var name = tag[..equals].Trim(" \t\r\n").ToString().ToLowerInvariant();
            tags.TryAdd(name, tag[(equals + 1)..].Trim(" \t\r\n").ToString());
        }
        return tags;
    }
}
