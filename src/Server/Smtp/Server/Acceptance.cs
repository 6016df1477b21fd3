using CbaMail.Delivery;
using CbaMail.Envelope;
using CbaMail.Inbound;
using CbaMail.MailAuth;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Submission;

namespace CbaMail.Smtp.Server;

/// <summary>The end of a transaction: the text is there whole; it is judged, placed durably, and answered.</summary>
static class Acceptance
{
    static readonly Refusal ConversionNeeded = new(554, "5.6.3", "CANNOT", 400, "Binary text cannot be sent on from here; encode it");

    /// <summary>Ends the session's transaction with one reply, or with LMTP one a recipient (RFC 2033 4.2).</summary>
    public static async ValueTask FinishAsync(SmtpSession session)
    {
        using var transaction = session.TakeTransaction();
        var asked = transaction.Arrival.Recipients.ToArray();
        IReadOnlyList<Refusal?> outcome;
        try
        {
            outcome = await PlaceAsync(session, transaction, asked);
        }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
        {
            outcome = All(asked, trouble);
        }
        catch (Exception e)
        {
            SmtpTelemetry.Surprise(session.Parts.Log, e, session.Connection.Id, "delivery of " + transaction.Id);
            outcome = All(asked, Refusal.Unavailable);
        }
        Answer(session, transaction, asked, outcome);
    }

    static async ValueTask<IReadOnlyList<Refusal?>> PlaceAsync(SmtpSession session, SmtpTransaction transaction, ArrivalRecipient[] asked)
    {
        var (sink, arrival) = (transaction.Sink!, transaction.Arrival);
        if (sink.HasBareLineEnd && !transaction.IsBinary) sink.Fail(MessageSink.BareLineEnd);
        if (sink.Refusal is { } unfit) return All(asked, unfit);

        arrival.Message = sink.Content;
        using var spools = new Spools(session.Parts.Spool);
        var copies = Array.Empty<DeliveryRecipient>();
        if (session.Account is { } account && session.IsSubmission)
        {
            var own = sink.Content[^(int)sink.Received..];
            var prepared = session.Parts.Submit.Prepare(account, own.Span);
            if (!prepared.Ok) return All(asked, prepared.Refusal);
            if (!prepared.Value.IsNothing && prepared.Value.Apply(sink.Content[..^(int)sink.Received], own, spools.Open) is { IsEmpty: false } completed) arrival.Message = completed;
            copies = [.. session.Parts.Submit.Copies(account).Select(copy => new DeliveryRecipient(copy.Address, copy.Targets, Notify: "NEVER") { IsCopy = true })];
        }

        // the text is here: what follows is not cut short by the client's going away or the server's stopping
        var verdict = await session.Parts.Pipeline.AskAsync(Moment.Message, arrival, CancellationToken.None);
        if (!verdict.IsAccept) return All(asked, verdict.Refusal!);
        if (arrival.Disposition != Disposition.Accept)
            SmtpTelemetry.Judged(session.Parts.Log, session.Connection.Id, transaction.Id, transaction.Sender, arrival.Remote, string.Join("; ", arrival.Judgements));
        if (arrival.Disposition == Disposition.Discard) return new Refusal?[asked.Length];
        // RFC 3030 3: binary text may go on only to a server that takes BINARYMIME; ours does not ask them
        if (sink.HasBareLineEnd && arrival.Recipients.Exists(r => r.Targets.Any(t => t.Remote is not null))) return All(asked, ConversionNeeded);
        var placed = await session.Parts.Deliver(new DeliveryOrder
        {
            ReversePath = arrival.Sender,
            Recipients = [.. arrival.Recipients.Select(r => new DeliveryRecipient(r.Address, r.Targets, r.Notify, r.OriginalRecipient) { Bounce = r.Bounce }), .. copies],
            Message = arrival.Message,
            Return = transaction.Return,
            EnvelopeId = transaction.EnvelopeId,
            SmtpUtf8 = transaction.SmtpUtf8,
            RequireTls = arrival.RequireTls,
            Junk = arrival.Disposition is Disposition.Junk or Disposition.Quarantine,
            Separate = session.IsLmtp,
            Id = transaction.Id,
            Author = session.Account?.Id,
            Class = session.Account is not null ? MailClasses.Of(arrival.Message.Span, arrival.Recipients.Count) : arrival.Sender is null ? MailClass.Transactional : MailClass.Interactive,
            Priority = transaction.Priority,
            ReleaseAt = transaction.ReleaseAt,
            HoldRequest = transaction.HoldRequest,
            By = transaction.By,
            Door = TrailNotes.Door(session, transaction),
            Verdict = arrival.Disposition == Disposition.Accept ? "" : string.Join("; ", arrival.Judgements),
            Proven = arrival.Proof?.Sender,
            Signatures = arrival.Proof is { Dkim: { Count: > 0 } verdicts } ? [.. verdicts.Where(verdict => verdict.Result == AuthResult.Pass).Select(verdict => verdict.Signature)] : [],
            Origin = session.Account is { } who ? $"{who.Address} at {arrival.Remote}" : $"{arrival.Hello} at {arrival.Remote}",
        }, CancellationToken.None);
        // a copy by policy is no recipient of the client's
        return session.IsLmtp ? Fit(asked, arrival.Recipients, placed) : [.. placed.Take(arrival.Recipients.Count)];
    }

    /// <summary>
    /// A check may have changed the recipients; LMTP answers for those whom the client named (RFC 2033 4.2). One that was taken away
    /// fares as those that were put in its place.
    /// </summary>
    static IReadOnlyList<Refusal?> Fit(ArrivalRecipient[] asked, List<ArrivalRecipient> placed, IReadOnlyList<Refusal?> outcome)
    {
        if (asked.AsSpan().SequenceEqual(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(placed))) return outcome;
        var others = outcome.Take(placed.Count).Where((_, i) => Array.IndexOf(asked, placed[i]) < 0).FirstOrDefault(refusal => refusal is not null);
        return Array.ConvertAll(asked, recipient => placed.IndexOf(recipient) is >= 0 and var at ? outcome[at] : others);
    }

    static Refusal?[] All(ArrivalRecipient[] asked, Refusal refusal) => Array.ConvertAll(asked, _ => (Refusal?)refusal);

    static void Answer(SmtpSession session, SmtpTransaction transaction, ArrivalRecipient[] asked, IReadOnlyList<Refusal?> outcome)
    {
        var (remote, sender) = (session.Connection.Remote.Address, transaction.Sender);
        var first = outcome.FirstOrDefault(o => o is not null);
        var accepted = outcome.Count(o => o is null);
        if (accepted > 0) session.Took(transaction.Arrival);
        if (accepted > 0) SmtpTelemetry.Accepted(session.Parts.Log, session.Connection.Id, transaction.Id, sender, accepted, transaction.Sink!.Received, remote);
        if (first is not null && accepted == 0) TrailNotes.Refused(session, transaction, asked.Select(recipient => recipient.Address), first);
        if (first is not null) SmtpTelemetry.MessageRefused(session.Parts.Log, session.Connection.Id, transaction.Id, sender, remote, first.ToString());
        if (!session.IsLmtp)
        {
            session.Reply(accepted > 0 ? new Reply(250, "2.0.0", "Accepted: " + transaction.Id) : Reply.Of(first!));
            return;
        }
        for (var i = 0; i < outcome.Count; i++)
        {
            if (outcome[i] is { } refusal) session.Reply(refusal);
            else session.Reply(250, "2.1.5", $"<{asked[i].Address}> delivered: {transaction.Id}");
        }
    }

    /// <summary>Copies of the text with what is changed in it; all are gone with the transaction.</summary>
    sealed class Spools(Spool spool) : IDisposable
    {
        readonly List<SpooledMessage> opened = [];

        public SpooledMessage Open()
        {
            var one = spool.Create();
            opened.Add(one);
            return one;
        }

        public void Dispose()
        {
            foreach (var one in opened) one.Dispose();
        }
    }
}
