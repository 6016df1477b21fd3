using System.Text;
using CbaMail.MailAuth.Dkim;
using CbaMail.Mime;

namespace CbaMail.MailAuth.Arc;

/// <summary>The ARC fields of a header, put together to sets (RFC 8617 5.2 steps 1 to 3).</summary>
sealed class ArcChain
{
    /// <summary>RFC 8617 4.2.1.</summary>
    public const int MostSets = 50;

    readonly (int Results, FieldSpan ResultsField, AuthenticationResults? Parsed, DkimSignature? Message, DkimSignature? Seal)[] sets = new (int, FieldSpan, AuthenticationResults?, DkimSignature?, DkimSignature?)[MostSets + 1];
    int fields;

    public ArcChain(SignedMessage message)
    {
        foreach (var signature in message.ArcSignatures) Place(signature, seal: false);
        for (var i = 0; i < message.Fields.Count; i++)
        {
            var field = message.Fields[i];
            var name = message.Field(field).Span[..field.NameLength];
            if (fields > 3 * MostSets + 3) break;
            if (Ascii.EqualsIgnoreCase(name, "arc-seal"u8)) Place(DkimSignature.Read(message.Text, field, i, SignatureKind.ArcSeal), seal: true);
            else if (Ascii.EqualsIgnoreCase(name, "arc-authentication-results"u8)) PlaceResults(message.Value(field).Span, field);
        }

        if (fields > 0 && Problem is null && Check() is { } problem) Problem = problem;
    }

    /// <summary>Whether there is any ARC field.</summary>
    public bool IsEmpty => fields == 0;
    /// <summary>Why the fields are no chain; null where their form is right.</summary>
    public string? Problem { get; private set; }
    /// <summary>The highest instance.</summary>
    public int Highest { get; private set; }
    /// <summary>The newest seal says "fail".</summary>
    public bool IsClosed => Highest > 0 && sets[Highest].Seal?.ChainStatus == "fail";

    /// <summary>The sets of a chain without a problem.</summary>
    public IReadOnlyList<ArcSet> Sets() =>
        [.. Enumerable.Range(1, Highest).Select(i => new ArcSet(i, sets[i].Parsed, sets[i].Message!, sets[i].Seal!) { ResultsField = sets[i].ResultsField })];

    void Place(DkimSignature signature, bool seal)
    {
        fields++;
        if (signature.Problem is { } problem) Problem ??= $"{(seal ? "ARC-Seal" : "ARC-Message-Signature")}: {problem}";
        var at = signature.Instance;
        if (at == 0) return;
        Highest = Math.Max(Highest, at);
        if ((seal ? sets[at].Seal : sets[at].Message) is not null) Problem ??= $"instance {at} has two of a field";
        if (seal) sets[at].Seal = signature;
        else sets[at].Message = signature;
    }

    void PlaceResults(ReadOnlySpan<byte> value, FieldSpan field)
    {
        fields++;
        // RFC 8617 4.1.1: i= and a semicolon stand before everything else
        var end = value.IndexOf((byte)';');
        var reader = new AuthReader(end < 0 ? "" : Encoding.UTF8.GetString(value[..end]));
        if (!reader.Instance(out var at) || at is < 1 or > MostSets)
        {
            Problem ??= "ARC-Authentication-Results: i= does not stand first, or is no number from 1 to 50";
            return;
        }

        Highest = Math.Max(Highest, at);
        if (sets[at].Results++ > 0) Problem ??= $"instance {at} has two of a field";
        sets[at].ResultsField = field;
        sets[at].Parsed = AuthenticationResults.Parse(value[(end + 1)..]);
    }

    string? Check()
    {
        for (var i = 1; i <= Highest; i++)
        {
            if (sets[i].Results == 0 || sets[i].Message is null || sets[i].Seal is not { } seal) return $"instance {i} is not complete";
            // RFC 8617 5.2 step 3 C
            if (seal.ChainStatus != (i == 1 ? "none" : "pass")) return $"instance {i} was sealed with cv={seal.ChainStatus}";
        }

        return null;
    }
}
