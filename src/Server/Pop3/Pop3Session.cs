using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Storage;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Pop3;

/// <summary>One POP3 session: its state, the loop that reads commands, and the one catch. What a command does stands in its own file.</summary>
internal sealed class Pop3Session
{
    readonly Pop3Context context;
    readonly LineReader lines;
    readonly Transcript transcript;
    IDisposable? hold;
    int badCommands, failedSignIns;

    public Pop3Session(Connection connection, Pop3Context context)
    {
        (Connection, this.context) = (connection, context);
        Writer = new Pop3Writer(connection, context.Time, Settings.WriteTimeout);
        lines = new LineReader(connection, Settings.MaxLine, FlushAsync);
        transcript = new Transcript(context.Log, connection.Id);
    }

    public Connection Connection { get; }
    public Pop3Writer Writer { get; }
    public Pop3Context Context => context;
    public Pop3Settings Settings => context.Settings.Pop3;
    public MailStore Mail => context.Mail;
    public ILogger Log => context.Log;
    public CancellationToken Cancel => Connection.Closed;

    public Pop3State State { get; private set; } = Pop3State.Authorization;
    /// <summary>Who has signed in; commands of TRANSACTION may rely on it.</summary>
    public Account Account { get; private set; } = null!;
    /// <summary>What INBOX held then.</summary>
    public Maildrop Maildrop { get; private set; } = null!;
    /// <summary>What USER named, until PASS.</summary>
    public string? UserName { get; set; }
    /// <summary>UTF8 was said (RFC 6856 2.1).</summary>
    public bool IsUtf8 { get; set; }
    /// <summary>The language of sentences (RFC 6856 3.2).</summary>
    public MailLanguage Language { get; set; }

    /// <summary>Outside the evaluation profile a password is never taken in clear text (contract.md).</summary>
    public bool MaySignIn => context.SignIn.IsAllowed(Connection);

    public ValueTask FlushAsync() => Writer.FlushAsync(CancellationToken.None);

    public async Task RunAsync()
    {
        Pop3Telemetry.Sessions.Add(1);
        Pop3Telemetry.Opened(Log, Connection.Id, Connection.Remote);
        var reason = "said goodbye";
        try
        {
            // RFC 1939 4, 7: no timestamp, so no APOP
            Say(Answer.Ok(Phrase.Plain($"{context.Settings.Hostname} CBA Mail at your service")));
            while (State != Pop3State.Ended)
            {
                if (Writer.IsFull) await FlushAsync();
                if (await NextAsync() is { } end) { reason = end; break; }
            }
            await FlushAsync(); // also when the server stops: the farewell is to arrive
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException || Cancel.IsCancellationRequested)
        {
            reason = "the peer went away: " + e.Message;
        }
        finally
        {
            Release();
            Pop3Telemetry.Sessions.Add(-1);
            Pop3Telemetry.Ended(Log, Connection.Id, reason);
        }
    }

    /// <summary>Reads and runs one command.</summary>
    /// <returns>Why the session ends, or null.</returns>
    async ValueTask<string?> NextAsync()
    {
        var status = await lines.ReadAsync(State == Pop3State.Authorization ? Settings.LoginTimeout : Settings.IdleTimeout);
        switch (status)
        {
            case LineStatus.Line: break;
            case LineStatus.TooLong: return Conclude("?", Answer.Bad(Phrases.TooLong));
            case LineStatus.BareLineEnd: return Conclude("?", Answer.Bad(Phrases.BadLineEnd));
            default: return Farewell(status);
        }
        var line = Pop3Line.Parse(lines.Line.Span);
        var row = Pop3Commands.Find(line.Verb);
        if (row is { Secret: true }) transcript.ReceivedSecret(lines.Line.Span, row.Name.Length);
        else transcript.Received(lines.Line.Span);
        Pop3Telemetry.Commands.Add(1, new KeyValuePair<string, object?>("command", row?.Name ?? "?"));
        return Conclude(row?.Name ?? "?", Refusal(row, line) is { } refusal ? refusal : await StartAsync(row!, line.Argument));
    }

    Answer? Refusal(Pop3Command? row, in Pop3Line line)
    {
        if (row is null) return Answer.Bad(Phrases.NoCommand);
        if (line.Problem is { } problem) return Answer.Bad(problem);
        if (!row.Verbatim && !System.Text.Ascii.IsValid(line.Argument)) return Answer.Bad(Phrases.BadCharacters);
        if ((row.States & State) == 0) return Answer.Bad(State == Pop3State.Authorization ? Phrases.SignInFirst : Phrases.SignedInAlready);
        return null;
    }

    async ValueTask<Answer> StartAsync(Pop3Command row, string argument)
    {
        try
        {
            return await row.Run(this, argument);
        }
        catch (Exception e) when (!Writer.InAnswer && StoreTrouble.Of(e) is { } trouble)
        {
            return Answer.No(Phrase.Plain(trouble.Sentence), "SYS/TEMP"); // the store has told the log
        }
        catch (Exception e) when (e is not OperationCanceledException && !Cancel.IsCancellationRequested && e is not (ConnectionAbortedException or ConnectionResetException))
        {
            Pop3Telemetry.Surprise(Log, e, Connection.Id, row.Name);
            if (!Writer.InAnswer) return Answer.No(Phrases.Surprise, "SYS/TEMP");
            Connection.Abort(); // an answer that has begun cannot be taken back, and must not look whole
            End();
            return Answer.Said;
        }
    }

    /// <summary>Says the answer; too many that were not understood end the session.</summary>
    string? Conclude(string name, in Answer answer)
    {
        if (answer.Kind == AnswerKind.Said) return null;
        Say(answer);
        if (answer.Kind != AnswerKind.NotUnderstood) { badCommands = 0; return null; }
        Pop3Telemetry.NotUnderstood(Log, Connection.Id, name, answer.Text.English);
        if (++badCommands < Settings.MaxBadCommands) return null;
        Say(Answer.No(Phrases.TooManyBad));
        End();
        return "too many bad commands";
    }

    /// <summary>One line: the status, the code, the sentence (RFC 1939 3, RFC 2449 8).</summary>
    public void Say(in Answer answer)
    {
        Writer.Write(answer.Kind == AnswerKind.Ok ? "+OK "u8 : "-ERR "u8);
        if (answer.Code is { } code) Writer.Write("["u8).Write(code).Write("] "u8);
        var text = answer.Text.In(Language);
        Writer.Write(text).EndLine();
        if (transcript.IsOn) transcript.Sent((answer.Kind == AnswerKind.Ok ? "+OK " : "-ERR ") + text);
    }

    /// <summary>Says why the session ends where the client still listens.</summary>
    public string Farewell(LineStatus status)
    {
        var reason = status switch
        {
            LineStatus.TimedOut => "timed out", // RFC 1939 3: without a word
            LineStatus.Stopping => "server stops",
            LineStatus.Flood => "flood",
            _ => "the peer has gone",
        };
        if (status == LineStatus.Stopping) Say(Answer.No(Phrases.Stopping, "SYS/TEMP"));
        if (status == LineStatus.Flood) Say(Answer.No(Phrases.TooLong));
        End();
        return reason;
    }

    /// <summary>The one place where the state changes.</summary>
    void Enter(Pop3State state)
    {
        if (state == State) return;
        Pop3Telemetry.StateChanged(Log, Connection.Id, State, state);
        State = state;
    }

    public void SignedIn(Account account, Maildrop maildrop, IDisposable taken, string mechanism)
    {
        (Account, Maildrop, hold) = (account, maildrop, taken);
        Pop3Telemetry.SignedIn(Log, Connection.Id, account.Address.ToString(), mechanism, Connection.IsSecure, maildrop.Count);
        Enter(Pop3State.Transaction);
    }

    /// <summary>A sign-in has failed.</summary>
    public Answer FailSignIn(in Answer answer)
    {
        if (++failedSignIns < Settings.MaxFailedSignIns) return answer;
        Say(answer);
        End();
        return Answer.No(Phrases.TooManyHere);
    }

    /// <summary>Everything learnt in clear text is forgotten (RFC 2595 4).</summary>
    public void StartedTls()
    {
        UserName = null;
        Writer.Attach();
    }

    /// <summary>The maildrop is free for the next session.</summary>
    public void Release()
    {
        hold?.Dispose();
        hold = null;
    }

    /// <summary>Ends the session after what has been said.</summary>
    public void End() => Enter(Pop3State.Ended);

    /// <summary>The number of a message that is there and not marked as deleted, or the answer that says why not.</summary>
    public int Number(string word, out Answer refusal)
    {
        refusal = default;
        if (!Pop3Line.TryNumber(word, out var number)) refusal = Answer.Bad(Phrases.NumberNeeded);
        else if (number < 1 || number > Maildrop.Count) refusal = Answer.No(number < 1 ? Phrases.NoMessage : Phrases.OnlyNumbersTo(Maildrop.Count));
        else if (Maildrop.IsDeleted((int)number)) refusal = Answer.No(Phrases.IsDeleted);
        else return (int)number;
        return 0;
    }
}
