using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Inbound.Authentication;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Spf;
using CbaMail.Mime;
using CbaMail.Reports;
using CbaMail.Storage;

namespace CbaMail.Inbound.Checks;

/// <summary>
/// What a stranger's message proves of its sender, written on top of it as Authentication-Results (RFC 8601), in the place of fields
/// that pretend to be ours; and what the owner of the From domain wants done with what proves nothing (RFC 7489 6.6).
/// </summary>
public sealed class AuthenticationCheck(Settings settings, Authenticator authenticator, UserDirectory directory, Spool spool, Func<bool> canAsk, AggregateCounts? counts = null, ReportIntake? intake = null) : Check
{
    readonly AuthenticationSettings rules = settings.Authentication;
    readonly string authservId = settings.Authentication.AuthservId is { Length: > 0 } id ? id : settings.Hostname;

    // RFC 7489 10.3
    static readonly Refusal Disowned = new(550, "5.7.1", "NOPERM", 403, "");
    // RFC 7372 3.2
    static readonly Refusal NotASender = new(550, "5.7.23", "NOPERM", 403, "");

    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        if (!Asks(arrival))
        {
            // RFC 8601 5: also where nothing is judged here nobody else may have judged in our name
            if (arrival.Protocol != Protocol.Lmtp && Forged(arrival)) Write(arrival, null);
            return null;
        }
        var proof = arrival.Proof = await authenticator.ProveAsync(arrival, cancel);
        proof.Applied = Applied(arrival, proof);
        // reports about reports would go to and fro every day for ever
        if (counts is { IsOn: true } && proof.Dmarc is { } dmarc && !(intake is not null && arrival.Recipients.TrueForAll(recipient => intake.IsServed(recipient.Address))))
            counts.Add(new DmarcSighting(arrival.Remote, arrival.Sender?.DomainKey ?? "", dmarc, proof.Spf, proof.Dkim, proof.Asked, proof.Applied, proof.SparedBy));
        var refusal = Act(arrival, proof);
        if (refusal is null) Write(arrival, proof);
        return refusal;
    }

    /// <summary>Whether the mail is a stranger's, and there is anybody to ask.</summary>
    internal bool Asks(Arrival arrival) => arrival.Protocol == Protocol.Smtp && arrival.SignedIn is null && rules.Verify && canAsk();

    internal Task<SpfResult> StartSpf(Arrival arrival) => authenticator.SpfAsync(arrival);

    /// <summary>The policy after what is configured here, for the recipients that want it mildest.</summary>
    DmarcPolicy Applied(Arrival arrival, SenderProof proof)
    {
        if (proof.Asked == DmarcPolicy.None || proof.SparedBy is not null || rules.Dmarc == DmarcMode.Ignore || IsOwnBounce(arrival)) return DmarcPolicy.None;
        var policy = proof.Asked == DmarcPolicy.Reject && rules.Dmarc == DmarcMode.Junk ? DmarcPolicy.Quarantine : proof.Asked;
        foreach (var recipient in arrival.Recipients)
        {
            var wish = directory.PoliciesFor(recipient.Address).Domain.Dmarc;
            if (wish == DmarcAction.Ignore) return DmarcPolicy.None;
            if (wish == DmarcAction.Junk && policy == DmarcPolicy.Reject) policy = DmarcPolicy.Quarantine;
        }
        return policy;
    }

    // RFC 7489 6.6.1: readers differ in which author they show
    static readonly Refusal ManyAuthors = new(550, "5.7.1", "NOPERM", 403, "The message has several From fields, or more authors than can be asked for; it must have one From field (RFC 5322 3.6)");

    /// <summary>
    /// Postfix and others leave their notices unsigned and their own name without SPF, so that those of a domain with p=reject fail. One that
    /// comes to a sealed return address (of a mailing, of forwarded mail) proves by it that it speaks of what left here, and nobody would send it again.
    /// </summary>
    static bool IsOwnBounce(Arrival arrival) => arrival.Sender is null && arrival.Recipients.All(recipient => recipient.Bounce is not null || SenderRewriting.IsRewritten(recipient.Address.LocalPart))
        && BounceReader.Read(arrival.Message.Span, fromNobody: true).Form is BounceForm.Report or BounceForm.Words;

    Refusal? Act(Arrival arrival, SenderProof proof)
    {
        if (proof.Author.Kind is AuthorDomainKind.SeveralFields or AuthorDomainKind.TooManyDomains && rules.Dmarc != DmarcMode.Ignore) return ManyAuthors;
        var from = proof.Dmarc?.Discovery.FromDomain;
        switch (proof.Applied)
        {
            case DmarcPolicy.Reject:
                return Disowned.Because($"{from} asks to refuse mail in its name that neither SPF nor DKIM proves (DMARC)");
            case DmarcPolicy.Quarantine:
                arrival.Judge(Disposition.Junk, Name, $"{from} disowns it by DMARC");
                return null;
        }
        // a forwarder breaks SPF, so where the owner has spoken by DMARC his word stands
        if (proof.Spf.Result != AuthResult.Fail || proof.Dmarc is { Result: AuthResult.Pass } or { Policy: not null } || proof.Dkim.Any(verdict => verdict.Result == AuthResult.Pass)) return null;
        if (rules.SpfFail == FailedSender.Refuse)
        {
            var why = proof.Spf.Explanation is { Length: > 0 } said ? $"; {proof.Spf.Domain} explains: {said}" : "";
            return NotASender.Because($"{arrival.Remote} may not send mail of {proof.Spf.Domain} (SPF){why}");
        }
        if (rules.SpfFail == FailedSender.Junk) arrival.Judge(Disposition.Junk, Name, $"{proof.Spf.Domain} disowns it by SPF");
        return null;
    }

    bool Forged(Arrival arrival) => AuthenticationResultsField.Forged(arrival.Message.Span, authservId).Count > 0;

    /// <summary>
    /// RFC 8601 5: first those away that bear our name, then our own on top. Where the header breaks off without an empty line one is put there:
    /// what was no field for us is none for whoever reads the message later.
    /// </summary>
    void Write(Arrival arrival, SenderProof? proof)
    {
        var message = arrival.Message.Span;
        var text = spool.Create();
        try
        {
            if (proof is not null) text.Append(Encoding.UTF8.GetBytes(ProofField.Write(authservId, arrival, proof)));
            var done = 0;
            foreach (var forged in AuthenticationResultsField.Forged(message, authservId))
            {
                text.Append(message[done..forged.Start]);
                done = forged.End;
            }
            var reader = new HeaderReader(message, 0, top: true);
            while (reader.Next(out _)) { }
            if (!reader.EndedCleanly)
            {
                text.Append(message[done..reader.Position]);
                text.Append("\r\n"u8);
                done = reader.Position;
            }
            text.Append(message[done..]);
            arrival.Replace(text);
        }
        catch
        {
            text.Dispose();
            throw;
        }
    }
}
