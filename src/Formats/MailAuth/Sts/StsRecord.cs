namespace CbaMail.MailAuth.Sts;

/// <summary>The TXT record at <c>_mta-sts.</c> that says there is a policy (RFC 8461 3.1).</summary>
public static class StsRecord
{
    const int MaxId = 32;

    /// <summary>The id of a domain's policy, or null where its records announce none: there is none, more than one, or it is malformed.</summary>
    public static string? Id(IEnumerable<string> records)
    {
        // RFC 8461 3.1: others' records may stand there; two of ours are none
        var ours = records.Where(record => record.StartsWith("v=STSv1", StringComparison.Ordinal) && record.AsSpan(7).TrimStart(" \t") is [] or [';', ..]).Take(2).ToList();
        if (ours.Count != 1) return null;
        string? id = null;
        foreach (var field in ours[0].Split(';').Skip(1))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !field.AsSpan(0, equals).Trim(" \t").SequenceEqual("id")) continue;
            id ??= field[(equals + 1)..].Trim(' ', '\t');
        }
        return id is { Length: > 0 and <= MaxId } && id.All(char.IsAsciiLetterOrDigit) ? id : null;
    }
}
