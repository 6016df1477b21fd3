using CbaMail.Envelope;
using CbaMail.Milter;

namespace CbaMail.Inbound.Milters;

/// <summary>
/// What one milter is told of one client, from its first mail to its going. The connection is opened when it is first needed; what the milter
/// says of the client holds for the visit, what it says of a message to the next MAIL.
/// </summary>
sealed class MilterConversation(Milter milter, MilterMacros macros, ContentShop content) : IAsyncDisposable
{
    static readonly Refusal Ended = new(421, "4.7.0", "UNAVAILABLE", 503, "Service unavailable - closing the connection");

    MilterConnection? connection;
    (string Hello, string? Tls)? told;
    bool isTrusted;         // the milter wants to hear no more of this client
    Refusal? banned;        // or lets it do nothing
    bool inMessage;         // MAIL has been told
    bool isDone;            // it wants to hear no more of this message
    bool hasFailed;         // it cannot be asked about this message
    bool mayHaveGone;       // its connection is of before this message

    /// <summary>Tells the milter, and hears what it thinks of it.</summary>
    /// <param name="refused">At the recipient's moment: why the server has refused it.</param>
    public async ValueTask<Refusal?> AskAsync(Moment moment, Arrival arrival, Refusal? refused, CancellationToken cancel)
    {
        if (moment is Moment.Connect or Moment.Hello && !milter.Settings.FromConnect) return null;
        if (moment == Moment.Sender)
        {
            (isDone, hasFailed) = (false, false);
            await GiveUpMessageAsync(cancel);
            // it went away while the client was idle: that is no failure
            if (connection is { IsStillOpen: false }) Drop();
            mayHaveGone = connection is not null;
        }
        if (banned is not null) return banned;
        if (isTrusted || isDone) return null;
        if (hasFailed) return Failure(arrival, moment);
        try
        {
            Refusal? refusal;
            try
            {
                refusal = await TellAsync(moment, arrival, refused, cancel);
            }
            catch (MilterTrouble trouble) when (moment == Moment.Sender && mayHaveGone && trouble.IsGone)
            {
                Drop(); // the end came just now
                mayHaveGone = false;
                refusal = await TellAsync(moment, arrival, refused, cancel);
            }
            if (connection is not null) milter.Succeeded();
            return refusal;
        }
        catch (MilterTrouble trouble)
        {
            Drop();
            hasFailed = true;
            if (!trouble.IsOld)
            {
                MilterTelemetry.Failed(milter.Log, arrival.Session, milter.Name, trouble.Message);
                milter.Failed(trouble.Message);
            }
            return Failure(arrival, moment);
        }
    }

    Refusal? Failure(Arrival arrival, Moment moment) => FilterPause.Outcome(milter.Settings.OnFailure, milter.Name, moment, arrival);

    async ValueTask<Refusal?> TellAsync(Moment moment, Arrival arrival, Refusal? refused, CancellationToken cancel)
    {
        if (connection is null)
        {
            if (moment > Moment.Sender) throw new MilterTrouble("it was lost in mid-message");
            connection = await milter.OpenAsync(cancel);
            told = null;
            if (await ConnectAsync(arrival, cancel) is { } unwelcome || isTrusted) return banned;
        }
        if (moment is Moment.Hello or Moment.Sender && arrival.Hello.Length > 0 && told != (arrival.Hello, arrival.Visit.Tls?.Protocol))
        {
            told = (arrival.Hello, arrival.Visit.Tls?.Protocol);
            Say(MilterStage.Hello, arrival);
            if (await TellAsync(MilterCommand.Hello, arrival, cancel, arrival.Hello) is { } refusal || isTrusted) return banned;
        }
        switch (moment)
        {
            case Moment.Sender:
                inMessage = true;
                Say(MilterStage.Mail, arrival);
                return await TellAsync(MilterCommand.Mail, arrival, cancel, [MailPath.Write(arrival.Sender), .. arrival.Parameters.Select(p => p.Value is null ? p.Key : $"{p.Key}={p.Value}")]);
            case Moment.Recipient:
                return await RecipientAsync(arrival, refused, cancel);
            case Moment.Data:
                Say(MilterStage.Data, arrival);
                return await TellAsync(MilterCommand.Data, arrival, cancel);
            case Moment.Message:
                return await MessageAsync(arrival, cancel);
            default:
                return null;
        }
    }

    async ValueTask<Refusal?> ConnectAsync(Arrival arrival, CancellationToken cancel)
    {
        Say(MilterStage.Connect, arrival);
        var (family, text) = MilterWriter.Address(arrival.Remote);
        if (connection!.Terms.Has(MilterCommand.Connect))
            connection.Writer.Connect(arrival.Visit.RemoteName ?? $"[{text}]", family, arrival.Visit.Remote?.Port ?? 0, text);
        return await HearAsync(MilterCommand.Connect, arrival, cancel);
    }

    async ValueTask<Refusal?> RecipientAsync(Arrival arrival, Refusal? refused, CancellationToken cancel)
    {
        // only those who asked for it see recipients that the server has refused, and what they say of them changes nothing
        if (refused is not null && !connection!.Terms.Steps.HasFlag(MilterSteps.RefusedRecipients)) return null;
        var recipient = arrival.Asked!;
        Say(MilterStage.Recipient, arrival, recipient, refused);
        var words = new List<string>(3) { MailPath.Write(recipient.Address) };
        if (recipient.Notify is { } notify) words.Add("NOTIFY=" + notify);
        if (recipient.OriginalRecipient is { } original) words.Add("ORCPT=" + original);
        var refusal = await TellAsync(MilterCommand.Recipient, arrival, cancel, [.. words]);
        return refused is null ? refusal : null;
    }

    async ValueTask<Refusal?> MessageAsync(Arrival arrival, CancellationToken cancel)
    {
        var changes = new MilterChanges(milter, connection!.Terms, arrival, content);
        var final = await new MilterText(connection, milter.Settings).SendAsync(
            changes.Edits, macros.Of(MilterStage.EndOfHeader, connection.Terms, arrival), macros.Of(MilterStage.EndOfBody, connection.Terms, arrival), changes, cancel);
        inMessage = final.Command != MilterCommand.EndOfBody; // what ends earlier must be given up, or the milter waits for the rest
        var verdict = Decide(final.Command, final.Reply, arrival);
        if (verdict is null && arrival.Disposition != Disposition.Discard) changes.Apply();
        isDone = true;
        return verdict;
    }

    void Say(MilterStage stage, Arrival arrival, ArrivalRecipient? recipient = null, Refusal? refused = null)
    {
        var command = stage switch
        {
            MilterStage.Connect => MilterCommand.Connect,
            MilterStage.Hello => MilterCommand.Hello,
            MilterStage.Mail => MilterCommand.Mail,
            MilterStage.Recipient => MilterCommand.Recipient,
            _ => MilterCommand.Data,
        };
        // also before a step that the milter does without: it may want to know the macros
        if (stage != MilterStage.Data || connection!.Terms.Has(MilterCommand.Data)) connection!.Writer.Macros(command, macros.Of(stage, connection.Terms, arrival, recipient, refused));
    }

    ValueTask<Refusal?> TellAsync(MilterCommand command, Arrival arrival, CancellationToken cancel, params string[] words)
    {
        if (connection!.Terms.Has(command)) connection.Writer.Texts(command, words);
        return HearAsync(command, arrival, cancel);
    }

    async ValueTask<Refusal?> HearAsync(MilterCommand command, Arrival arrival, CancellationToken cancel)
    {
        var terms = connection!.Terms;
        if (!terms.Has(command) || !terms.IsAnswered(command)) return null;
        await connection.FlushAsync(milter.Settings.CommandTimeout, cancel);
        while (true)
        {
            var reply = await connection.ReadAsync(milter.Settings.CommandTimeout, cancel);
            if (reply.Answer is MilterAnswer.Progress or MilterAnswer.SetMacros) continue;
            if (reply.Answer == MilterAnswer.Quarantine && terms.Actions.HasFlag(MilterActions.Quarantine))
            {
                arrival.Judge(Disposition.Quarantine, milter.Name, reply.Text);
                continue;
            }
            if (!reply.IsFinal) throw new MilterTrouble($"it wants to change the message before it has seen it ({reply.Answer})");
            return Decide(command, reply, arrival);
        }
    }

    /// <summary>What an answer means depends on what was asked: of the client, of a recipient, or of the message.</summary>
    Refusal? Decide(MilterCommand command, MilterReply reply, Arrival arrival)
    {
        var ofClient = command is MilterCommand.Connect or MilterCommand.Hello;
        switch (reply.Answer)
        {
            case MilterAnswer.Accept:
                if (ofClient) isTrusted = true; else isDone = true;
                return null;
            case MilterAnswer.Discard:
                if (ofClient) throw new MilterTrouble("it wants to discard what has not come yet");
                arrival.Judge(Disposition.Discard, milter.Name, "discarded");
                isDone = true;
                return null;
            case MilterAnswer.Reject:
                return Refuse(FilterPause.Rejected, ofClient);
            case MilterAnswer.TemporaryFailure:
                return Refuse(FilterPause.Deferred, ofClient);
            case MilterAnswer.ReplyCode:
                var words = reply.Reply;
                return Refuse(new Refusal(words.Code, words.Status, words.Code < 500 ? "UNAVAILABLE" : "NOPERM", words.Code < 500 ? 503 : 403, words.Text), ofClient);
            case MilterAnswer.Shutdown:
                return Refuse(Ended, ofClient: true);
            case MilterAnswer.ConnectionFailed:
                throw new MilterTrouble("it says that it cannot go on");
            default:
                return null;
        }
    }

    Refusal Refuse(Refusal refusal, bool ofClient)
    {
        if (ofClient) banned = refusal;
        return refusal;
    }

    async ValueTask GiveUpMessageAsync(CancellationToken cancel)
    {
        if (!inMessage || connection is null) return;
        inMessage = false;
        connection.Writer.Write(MilterCommand.Abort);
        try { await connection.FlushAsync(milter.Settings.CommandTimeout, cancel); }
        catch (MilterTrouble)
        {
            Drop(); // the next step opens another
        }
    }

    void Drop()
    {
        connection?.Dispose();
        (connection, told, inMessage) = (null, null, false);
    }

    public async ValueTask DisposeAsync()
    {
        await GiveUpMessageAsync(CancellationToken.None);
        if (connection is { } last) await milter.CloseAsync(last);
        connection = null;
    }
}
