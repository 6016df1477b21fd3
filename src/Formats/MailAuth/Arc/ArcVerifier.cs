using CbaMail.MailAuth.Dkim;

namespace CbaMail.MailAuth.Arc;

/// <summary>Validates the chain of a forwarded message (RFC 8617 5.2).</summary>
public sealed class ArcVerifier(DkimKeys keys)
{
    /// <param name="message">With its body appended whole.</param>
    /// <param name="now">When the message arrived.</param>
    public async ValueTask<ArcVerdict> VerifyAsync(SignedMessage message, DateTimeOffset now, CancellationToken cancel)
    {
        var chain = new ArcChain(message);
        if (chain.IsEmpty) return new(AuthResult.None, "", []);
        ArcVerdict Fail(string reason, IReadOnlyList<ArcSet> sets) => new(AuthResult.Fail, reason, sets) { Highest = chain.Highest, IsClosed = chain.IsClosed };

        // RFC 8617 5.2 step 2
        if (chain.IsClosed) return Fail("the last forwarder found the chain broken", []);
        if (chain.Problem is { } problem) return Fail(problem, []);
        var sets = chain.Sets();
        using var check = new SignatureCheck(message, keys, now, cancel);
        check.Ask(sets[^1].Message);
        foreach (var set in sets) check.Ask(set.Seal);

        // step 4
        var newest = await check.VerdictAsync(sets[^1].Message);
        if (newest.Result != AuthResult.Pass) return Fail($"ARC-Message-Signature of instance {sets.Count}: {newest.Reason}", sets);

        // step 6
        for (var i = sets.Count; i >= 1; i--)
        {
            var seal = await check.VerdictAsync(sets[i - 1].Seal, hash => AppendSets(hash, check, message, sets, i));
            if (seal.Result != AuthResult.Pass) return Fail($"ARC-Seal of instance {i}: {seal.Reason}", sets);
        }

        // step 5, which decides nothing
        var oldest = sets.Count;
        while (oldest > 1 && (await check.VerdictAsync(sets[oldest - 2].Message)).Result == AuthResult.Pass) oldest--;
        return new(AuthResult.Pass, "", sets, oldest == 1 ? 0 : oldest) { Highest = sets.Count, Text = message.Text };
    }

    /// <summary>RFC 8617 5.1.1: results, message signature and seal of each set, from the first to this one, whose seal has no b=.</summary>
    static void AppendSets(HeaderHash hash, SignatureCheck check, SignedMessage message, IReadOnlyList<ArcSet> sets, int upTo)
    {
        for (var i = 0; i < upTo; i++)
        {
            foreach (var field in new[] { sets[i].ResultsField, sets[i].Message.Span, sets[i].Seal.Span })
            {
                if (i == upTo - 1 && field == sets[i].Seal.Span) check.AppendOwn(hash, sets[i].Seal);
                else hash.Append(message.Field(field).Span, field.NameLength, field.ValueStart - field.Start, Canonicalization.Relaxed);
            }
        }
    }
}
