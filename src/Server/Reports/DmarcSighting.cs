using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.MailAuth.Spf;

namespace CbaMail.Reports;

/// <summary>A message of another server whose From domain has a policy, and what became of it.</summary>
/// <param name="EnvelopeFrom">Domain of the reverse-path; empty where that was empty.</param>
/// <param name="Asked">What the policy asked for after the draw of pct.</param>
/// <param name="Applied">What was done.</param>
/// <param name="SparedBy">A sealer of ARC that is believed, or null.</param>
public sealed record DmarcSighting(
    IPAddress Source, string EnvelopeFrom, DmarcResult Dmarc, SpfResult Spf, IReadOnlyList<DkimVerdict> Dkim, DmarcPolicy Asked, DmarcPolicy Applied, string? SparedBy = null);

/// <summary>What messages have in common that make one record of a report; kept as JSON.</summary>
sealed record Traits(string Source, DmarcPolicy Done, bool DkimAligned, bool SpfAligned, string From, string Envelope)
{
    // a message may bear many signatures, and whoever writes it chooses their names
    const int MaxSignatures = 8;
    const int MaxName = 255;

    public sealed record Signature(string Domain, string Selector, AuthResult Result);

    public IReadOnlyList<Signature> Dkim { get; init; } = [];
    public string SpfDomain { get; init; } = "";
    public AuthResult Spf { get; init; }
    public bool Helo { get; init; }
    public string? Reason { get; init; }
    public string? Comment { get; init; }

    static readonly JsonSerializerOptions Json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(DmarcSighting sighting)
    {
        var (reason, comment) = Override(sighting);
        var source = sighting.Source.IsIPv4MappedToIPv6 ? sighting.Source.MapToIPv4() : sighting.Source;
        return JsonSerializer.Serialize(new Traits(source.ToString(), sighting.Applied, sighting.Dmarc.DkimAligned, sighting.Dmarc.SpfAligned, Name(sighting.Dmarc.Discovery.FromDomain), Name(sighting.EnvelopeFrom))
        {
            // those that passed first: where there are too many they tell most
            Dkim = [.. sighting.Dkim.Select(verdict => new Signature(Name(verdict.Domain), Name(verdict.Selector), verdict.Result)).Distinct()
                .OrderBy(signature => signature.Result == AuthResult.Pass ? 0 : 1).ThenBy(signature => signature.Domain, StringComparer.Ordinal).Take(MaxSignatures)],
            SpfDomain = Name(sighting.Spf.Domain),
            Spf = sighting.Spf.Result,
            Helo = sighting.Spf.Identity == SpfIdentity.Helo,
            Reason = reason,
            Comment = comment,
        }, Json);
    }

    // RFC 7489 appendix C, PolicyOverrideType
    static (string? Reason, string? Comment) Override(DmarcSighting sighting)
    {
        if (sighting.Dmarc.Result != AuthResult.Fail) return sighting.Dmarc.Result == AuthResult.TempError ? ("other", "DNS did not answer") : (null, null);
        if (sighting.SparedBy is { } sealer) return ("trusted_forwarder", "arc=pass of " + Name(sealer));
        if (sighting.Applied < sighting.Asked) return ("local_policy", null);
        return sighting.Asked < (sighting.Dmarc.Policy ?? DmarcPolicy.None) ? ("sampled_out", null) : (null, null);
    }

    static string Name(string name) => (name.Length > MaxName ? name[..MaxName] : name).ToLowerInvariant();

    /// <summary>The record of a report; null where the text is none of ours.</summary>
    public static AggregateRow? Row(string text, long count)
    {
        if (JsonSerializer.Deserialize<Traits>(text, Json) is not { } traits) return null;
        return new AggregateRow(IPAddress.TryParse(traits.Source, out var source) ? source : null, count, traits.Done, traits.DkimAligned, traits.SpfAligned, traits.From)
        {
            Reasons = traits.Reason is { } reason ? [new OverrideReason(reason, traits.Comment)] : [],
            EnvelopeFrom = traits.Envelope ?? "",
            Dkim = [.. (traits.Dkim ?? []).Select(signature => new ReportedDkim(signature.Domain, signature.Selector, signature.Result))],
            // RFC 7489 appendix C: one result of SPF is always there
            Spf = [new ReportedSpf(traits.SpfDomain ?? "", traits.Spf, traits.Helo)],
        };
    }
}
