using System.Globalization;

namespace CbaMail.MailAuth.Dmarc;

/// <summary>What the owner of a domain asks to be done with mail that fails (RFC 7489 6.3, p and sp).</summary>
public enum DmarcPolicy { None, Quarantine, Reject }

/// <summary>When the owner wants single failures reported (RFC 7489 6.3, fo).</summary>
[Flags]
public enum DmarcFailureOptions
{
    /// <summary>"0": when nothing passed in alignment.</summary>
    AllFailed = 1,
    /// <summary>"1": when anything did not.</summary>
    AnyFailed = 2,
    /// <summary>"d": a signature failed, aligned or not.</summary>
    Dkim = 4,
    /// <summary>"s": SPF failed, aligned or not.</summary>
    Spf = 8,
}

/// <summary>A DMARC record (RFC 7489 6.3). What is wrong in it beyond v, p and sp counts as not written.</summary>
public sealed record DmarcRecord
{
    const string Version = "DMARC1";
    const string UnreadableRecord = "the DMARC record has no readable p= (or a wrong sp=) and asks for no reports";

    /// <summary>As published.</summary>
    public required string Text { get; init; }
    public DmarcPolicy Policy { get; init; }
    /// <summary>sp; null where p is for subdomains too.</summary>
    public DmarcPolicy? SubdomainPolicy { get; init; }
    /// <summary>np of RFC 9091: read so that reports can show it, not acted upon.</summary>
    public DmarcPolicy? NonexistentPolicy { get; init; }
    public bool StrictDkim { get; init; }
    public bool StrictSpf { get; init; }
    /// <summary>pct: 0 to 100.</summary>
    public int Percent { get; init; } = 100;
    /// <summary>fo; to be ignored without ruf.</summary>
    public DmarcFailureOptions FailureOptions { get; init; } = DmarcFailureOptions.AllFailed;
    /// <summary>ri, in seconds.</summary>
    public uint Interval { get; init; } = 86400;
    /// <summary>rf, of which "afrf" is the only known word.</summary>
    public IReadOnlyList<string> FailureFormats { get; init; } = ["afrf"];
    /// <summary>rua. Before a report goes there, <see cref="ReportDestinations"/> must find consent.</summary>
    public IReadOnlyList<DmarcUri> AggregateUris { get; init; } = [];
    /// <summary>ruf.</summary>
    public IReadOnlyList<DmarcUri> FailureUris { get; init; } = [];
    /// <summary>p could not be read and reports are wanted: taken for p=none (RFC 7489 6.6.3 step 6).</summary>
    public bool PolicyIsAssumed { get; init; }

    /// <summary>Whether a TXT record begins with the version: others are none of DMARC's (RFC 7489 6.6.3 step 2).</summary>
    public static bool IsDmarc(string text) => PolicyTags.Read(text, Version) is not null;

    /// <summary>Reads a policy record; null with a sentence where no policy can be taken from it.</summary>
    public static DmarcRecord? Parse(string text, out string problem)
    {
        problem = "";
        if (PolicyTags.Read(text, Version) is not { } tags)
        {
            problem = "the record does not begin with v=DMARC1";
            return null;
        }
        var aggregate = tags.TryGetValue("rua", out var rua) ? DmarcUri.ParseList(rua) : [];
        var policy = Policies(tags.GetValueOrDefault("p"));
        var hasSubdomain = tags.TryGetValue("sp", out var sp);
        var subdomain = Policies(sp);
        var assumed = policy is null || hasSubdomain && subdomain is null;
        if (assumed && aggregate.Count == 0)
        {
            // RFC 7489 6.6.3 step 6.2
            problem = UnreadableRecord;
            return null;
        }
        return new DmarcRecord
        {
            Text = text,
            // RFC 7489 6.6.3 step 6.1
            Policy = assumed ? DmarcPolicy.None : policy!.Value,
            SubdomainPolicy = assumed ? null : subdomain,
            PolicyIsAssumed = assumed,
            NonexistentPolicy = Policies(tags.GetValueOrDefault("np")),
            StrictDkim = IsStrict(tags.GetValueOrDefault("adkim")),
            StrictSpf = IsStrict(tags.GetValueOrDefault("aspf")),
            Percent = int.TryParse(tags.GetValueOrDefault("pct"), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent <= 100 ? percent : 100,
            Interval = uint.TryParse(tags.GetValueOrDefault("ri"), NumberStyles.None, CultureInfo.InvariantCulture, out var interval) ? interval : 86400,
            FailureOptions = Options(tags.GetValueOrDefault("fo")),
            FailureFormats = tags.TryGetValue("rf", out var formats) ? [.. formats.Split(':', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)] : ["afrf"],
            AggregateUris = aggregate,
            FailureUris = tags.TryGetValue("ruf", out var ruf) ? DmarcUri.ParseList(ruf) : [],
        };
    }

    /// <summary>A record of consent at <c>_report._dmarc</c>: v alone is needed (RFC 7489 7.1); null where it is none.</summary>
    internal static (IReadOnlyList<DmarcUri>? Aggregate, IReadOnlyList<DmarcUri>? Failure)? ParseConsent(string text)
    {
        if (PolicyTags.Read(text, Version) is not { } tags) return null;
        return (tags.TryGetValue("rua", out var rua) ? DmarcUri.ParseList(rua) : null, tags.TryGetValue("ruf", out var ruf) ? DmarcUri.ParseList(ruf) : null);
    }

    static DmarcPolicy? Policies(string? word) => word?.ToLowerInvariant() switch
    {
        "none" => DmarcPolicy.None,
        "quarantine" => DmarcPolicy.Quarantine,
        "reject" => DmarcPolicy.Reject,
        _ => null,
    };

    static bool IsStrict(string? word) => word is "s" or "S";

    static DmarcFailureOptions Options(string? words)
    {
        var options = default(DmarcFailureOptions);
        foreach (var word in (words ?? "").Split(':', StringSplitOptions.TrimEntries))
            options |= word.ToLowerInvariant() switch
            {
                "0" => DmarcFailureOptions.AllFailed,
                "1" => DmarcFailureOptions.AnyFailed,
                "d" => DmarcFailureOptions.Dkim,
                "s" => DmarcFailureOptions.Spf,
                _ => default,
            };
        return options == default ? DmarcFailureOptions.AllFailed : options;
    }

    /// <summary>What is done with a message that failed, when only a share of them is to be treated so (RFC 7489 6.6.4).</summary>
    /// <param name="random">Evenly spread over 0 to 99 and the same for each look at the message.</param>
    /// <returns>The policy; for those outside of the share the next weaker one.</returns>
    public DmarcPolicy Sampled(DmarcPolicy policy, int random) =>
        random < Percent ? policy : policy == DmarcPolicy.Reject ? DmarcPolicy.Quarantine : DmarcPolicy.None;
}

/// <summary>The words of DMARC's policies.</summary>
public static class DmarcPolicies
{
    /// <summary>As in records and reports.</summary>
    public static string Word(this DmarcPolicy policy) => policy switch { DmarcPolicy.Reject => "reject", DmarcPolicy.Quarantine => "quarantine", _ => "none" };
}
