using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Inbound;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Smtp.Server;

/// <summary>One client's conversation: reads commands, looks up their row, runs them; see <see cref="SmtpServerRoom"/>.</summary>
sealed class SmtpSession
{
    const int MaxCommand = 2048;
    const int MostUnflushed = 16 * 1024;
    const int GuessesOfABadSession = 5;

    readonly LineReader lines;
    readonly Transcript transcript;
    readonly long began;
    readonly Visit visit;
    int errors, unknownRecipients, failedSignIns, messages, taken;
    bool ended, isNonsense;

    public SmtpSession(SmtpParts parts, Connection connection)
    {
        (Parts, Connection) = (parts, connection);
        lines = new LineReader(connection, MaxCommand);
        transcript = new Transcript(parts.Log, connection.Id);
        visit = new Visit { Remote = connection.Remote, Local = connection.Local, Leaving = connection.Closed, Standing = parts.Edge?.Meet(connection) };
        began = parts.Time.GetTimestamp(); // not the clock: it may be set
    }

    public SmtpParts Parts { get; }
    public Connection Connection { get; }
    public Protocol Protocol => Connection.Listener.Protocol;
    public bool IsLmtp => Protocol == Protocol.Lmtp;
    /// <summary>The last moment that FUTURERELEASE announced (RFC 4865 3), or null.</summary>
    public DateTimeOffset? LastRelease { get; set; }
    public bool IsSubmission => Protocol is Protocol.Submission or Protocol.Submissions;
    public SmtpSettings Limits => Parts.Settings.Smtp;
    public bool IsEvaluation => Parts.Settings.Evaluation;

    /// <summary>What the client called itself, or null before its greeting.</summary>
    public string? Hello { get; private set; }
    /// <summary>It greeted by EHLO or LHLO.</summary>
    public bool IsExtended { get; private set; }
    public Account? Account { get; private set; }
    /// <summary>How the client stands; null where it is no stranger by its port.</summary>
    public Standing? Standing => visit.Standing;
    /// <summary>Recipients that were refused for good.</summary>
    public int UnknownRecipients => unknownRecipients;
    public SmtpTransaction? Transaction { get; private set; }

    public async Task RunAsync()
    {
        try
        {
            await Greeting.SayAsync(this);
            while (!ended)
            {
                await TakeAsync(await lines.ReadAsync(Limits.CommandTimeout));
                if (Connection.Output.CanGetUnflushedBytes && Connection.Output.UnflushedBytes > MostUnflushed)
                    await Connection.Output.FlushAsync(CancellationToken.None);
            }
            await Connection.Output.FlushAsync(CancellationToken.None);
        }
        finally
        {
            Reset();
            if (Standing is { } standing && Misdeed() is { } what) Parts.Edge!.Misbehaved(standing, what);
            await visit.DisposeAsync();
        }
    }

    async ValueTask TakeAsync(LineStatus status)
    {
        switch (status)
        {
            case LineStatus.Line:
                if (Parts.Time.GetElapsedTime(began) > Limits.SessionTimeout) Close("4.4.2", "This connection has lasted too long", "session timeout");
                else await DispatchAsync(lines.Line);
                break;
            case LineStatus.TooLong:
                SyntaxError(500, "5.5.2", "The line is too long");
                break;
            case LineStatus.BareLineEnd:
                SyntaxError(500, "5.5.2", "Lines must end with CRLF; a CR or LF stood alone");
                break;
            case LineStatus.TimedOut:
                Close("4.4.2", "Nothing was heard for too long", "timeout"); // RFC 5321 4.5.3.2.7
                break;
            case LineStatus.Stopping:
                Stop();
                break;
            case LineStatus.Flood:
                Close("4.7.0", "Too much without a line end", "flood");
                break;
            default:
                ended = true;
                break;
        }
    }

    async ValueTask DispatchAsync(ReadOnlyMemory<byte> line)
    {
        if (!TryText(line.Span, out var text))
        {
            transcript.Received(line.Span);
            SyntaxError(500, "5.5.2", "The line holds characters that no command has");
            return;
        }
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var verb = space < 0 ? text.AsSpan() : text.AsSpan(0, space);
        var row = SmtpCommands.Find(verb, Protocol);
        if (row is null || row.Shown == int.MaxValue) transcript.Received(line.Span); else transcript.ReceivedSecret(line.Span, row.Shown);
        if (row is null)
        {
            Unknown(verb);
            return;
        }
        if (!row.Utf8 && !Ascii.IsValid(text))
        {
            SyntaxError(500, "5.5.2", "The line holds characters that this command does not take");
            return;
        }
        if (Missing(row) is { } missing)
        {
            SyntaxError(missing.Code, missing.Status, missing.Text);
            return;
        }
        try
        {
            // RFC 5321 4.1.1: white space behind a command is tolerated
            await row.Run(this, space < 0 ? "" : text[(space + 1)..].TrimEnd(' '));
        }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
        {
            Reset();
            Reply(trouble);
        }
        catch (OperationCanceledException) when (Connection.Closed.IsCancellationRequested)
        {
            Reset();
            Stop();
        }
        catch (Exception e) when (e is not (IOException or OperationCanceledException))
        {
            SmtpTelemetry.Surprise(Parts.Log, e, Connection.Id, row.Verb);
            Reset();
            Reply(451, "4.3.0", "Something went wrong here; try again later");
        }
    }

    void Unknown(ReadOnlySpan<char> verb)
    {
        var word = verb.ToString();
        if (Hello is null && SmtpCommands.OfBrowsers.Contains(word))
        {
            isNonsense = true;
            Close("4.7.0", "This is a mail server", "a browser");
            return;
        }
        // RFC 5321 4.2.4: 502 for what is known and not offered here, 500 for what nobody knows
        if (SmtpCommands.NotOffered.Contains(word) || (SmtpCommands.IsKnown(word) && !IsLmtp)) SyntaxError(502, "5.5.1", "This command is not offered here");
        else SyntaxError(500, "5.5.1", "This command is not known");
    }

    // RFC 5321 4.1.4
    Reply? Missing(CommandRow row)
    {
        if (row.Needs == Needs.Nothing) return null;
        if (Hello is null) return new(503, "5.5.1", IsLmtp ? "Say LHLO first" : "Say EHLO first");
        if (row.Needs == Needs.Hello) return null;
        if (IsSubmission && Account is null)
            return Parts.SignIn.IsAllowed(Connection) ? new(530, "5.7.0", "Sign in first") : new(530, "5.7.0", "Start TLS and sign in first"); // RFC 4954 6, RFC 3207 4
        return row.Needs == Needs.Transaction && Transaction is null ? new(503, "5.5.1", "Say MAIL first") : null;
    }

    static bool TryText(ReadOnlySpan<byte> line, out string text)
    {
        text = "";
        if (line.IndexOfAnyInRange((byte)0, (byte)31) >= 0 || line.IndexOf((byte)127) >= 0) return false;
        if (!System.Text.Unicode.Utf8.IsValid(line)) return false;
        text = Encoding.UTF8.GetString(line);
        return true;
    }

    // ---- for commands

    public void Reply(int code, string status, string text) => Reply(new Reply(code, status, text));

    public void Reply(in Reply reply)
    {
        if (transcript.IsOn) transcript.Sent(reply.ToString());
        reply.WriteTo(Connection.Output);
        if (reply.Code == 421) End(); // RFC 5321 3.8: whatever says so, a check's refusal too, closes the connection
    }

    public void Reply(Refusal refusal) => Reply(Envelope.Reply.Of(refusal));

    /// <summary>Answers a wrong command; too many end the session.</summary>
    public void SyntaxError(int code, string status, string text)
    {
        Reply(code, status, text);
        if (++errors <= Limits.MostErrors(IsEvaluation)) return;
        isNonsense = true;
        Close("4.7.0", "Too many errors", "too many errors");
    }

    /// <summary>Answers a recipient that was refused; a client that only guesses is sent away.</summary>
    public void RefuseRecipient(in Reply reply)
    {
        Reply(reply);
        if (reply.Code < 500) return; // try again: it is not the name
        if (++unknownRecipients > Limits.MostUnknown(IsEvaluation)) Close("4.7.0", "Too many unknown recipients", "too many unknown recipients");
    }

    public void FailSignIn(in Reply reply)
    {
        Reply(reply);
        if (++failedSignIns >= Limits.FailedSignIns) Close("4.7.0", "Too many failed sign-ins", "too many failed sign-ins");
    }

    /// <summary>Says 421 and ends the session (RFC 5321 3.8).</summary>
    public void Close(string status, string text, string reason)
    {
        if (ended) return;
        Reply(421, status, text);
        SmtpTelemetry.Closed(Parts.Log, Connection.Id, Connection.Remote.Address, reason);
        End();
    }

    /// <summary>A check has refused the client itself.</summary>
    public void Refuse(in Verdict verdict)
    {
        SmtpTelemetry.ClientRefused(Parts.Log, Connection.Id, Connection.Remote.Address, verdict.Check, verdict.Refusal!.ToString());
        Reply(verdict.Refusal!);
    }

    /// <summary>The client has to greet again.</summary>
    public void ForgetGreeting() => Hello = null;

    /// <summary>Whether the client has sent on behind a command that had to be the last one (RFC 2920 3.1); then the session has ended.</summary>
    public bool SpokeOn(string verb)
    {
        if (!(Parts.Edge?.IsStrict(Standing) ?? false) || Account is not null || !Connection.HasBufferedInput()) return false;
        Parts.Edge.SpokeOn(Standing!, verb);
        Reply(554, "5.5.0", $"You sent on before {verb} was answered");
        End();
        return true;
    }

    /// <summary>A message was taken.</summary>
    public void Took(Arrival arrival)
    {
        taken++;
        Parts.Edge?.Took(arrival);
    }

    // what a session did that came only to harm
    string? Misdeed() =>
        Account is not null ? null
        : isNonsense ? "what is no SMTP"
        : taken == 0 && unknownRecipients >= GuessesOfABadSession ? "guessed recipients"
        : null;

    public void Stop() => Close("4.3.2", "The server is being stopped; try again later", "server stops"); // RFC 5321 3.8

    /// <summary>Ends the session after what has been said.</summary>
    public void End() => ended = true;

    public bool HasEnded => ended;

    public void Greeted(string hello, bool extended)
    {
        Reset();
        (Hello, IsExtended) = (hello, extended);
    }

    /// <summary>Everything learnt in clear text is forgotten (RFC 3207 4.2).</summary>
    public void StartedTls()
    {
        Reset();
        (Hello, IsExtended, Account, visit.Mechanism) = (null, false, null, null);
        SmtpTelemetry.State(Parts.Log, Connection.Id, "TLS has begun");
    }

    public void SignedIn(Account account, string mechanism) => (Account, visit.Mechanism) = (account, mechanism);

    /// <summary>Ends the transaction (RFC 5321 4.1.1.5).</summary>
    public void Reset()
    {
        Transaction?.Dispose();
        Transaction = null;
    }

    /// <summary>Begins one; null when the connection has had its number of them.</summary>
    public SmtpTransaction? Begin()
    {
        if (++messages > Limits.MostMessages(IsEvaluation))
        {
            Close("4.7.0", "Too many messages on one connection; open another", "too many messages"); // RFC 9422 4.1
            return null;
        }
        var id = SmtpTransaction.MakeId(Connection.Id, messages);
        return new SmtpTransaction(id, NewArrival(id));
    }

    /// <summary>What is known of the client, for a message or for a question about the client itself.</summary>
    public Arrival NewArrival(string id)
    {
        visit.Tls = Connection.Tls;
        return new Arrival
        {
            Session = Connection.Id,
            Id = id,
            Visit = visit,
            Remote = Connection.Remote.Address,
            Protocol = Protocol,
            IsSecure = Connection.IsSecure,
            Hello = Hello ?? "",
            SignedIn = Account,
        };
    }

    public void Started(SmtpTransaction transaction) => Transaction = transaction;

    /// <summary>Keeps the transaction from being disposed by <see cref="Reset"/>: whoever takes it ends it.</summary>
    public SmtpTransaction TakeTransaction()
    {
        var transaction = Transaction!;
        Transaction = null;
        return transaction;
    }

    /// <summary>The limits as EHLO tells them (RFC 9422 4).</summary>
    public string AnnouncedLimits => string.Create(CultureInfo.InvariantCulture,
        $"LIMITS RCPTMAX={Limits.MostRecipients(IsEvaluation)} MAILMAX={Limits.MostMessages(IsEvaluation)}");

    /// <summary>The text begins: a sink with our Received field in it.</summary>
    public MessageSink OpenSink(SmtpTransaction transaction)
    {
        var sink = new MessageSink(Parts.Spool.Create(), Limits.MessageSize);
        sink.Begin(ReceivedField.Make(this, transaction));
        return transaction.Sink = sink;
    }
}
