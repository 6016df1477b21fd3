using System.Diagnostics.CodeAnalysis;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Imap.Commands;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Storage;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Imap;

/// <summary>
/// One IMAP session: its state, the loop that reads commands, and the one catch. What a command does stands in its own file.
/// No read transaction is ever held while something is written to the connection.
/// </summary>
internal sealed class ImapSession
{
    readonly ImapContext context;
    readonly CommandText text = new();
    int badCommands;
    long told;

    public ImapSession(Connection connection, ImapContext context)
    {
        (Connection, this.context) = (connection, context);
        Writer = new ImapWriter(connection, context.Time, Settings.WriteTimeout, Dialect);
        Input = new ImapInput(connection, Writer) { Patience = Settings.LoginTimeout };
    }

    public Connection Connection { get; }
    public ImapWriter Writer { get; }
    public ImapInput Input { get; }
    public ImapContext Context => context;
    public ImapSettings Settings => context.Settings.Imap;
    public MailStore Mail => context.Mail;
    public CancellationToken Cancel => Connection.Closed;
    public ILogger Log => context.Log;

    public ImapState State { get; private set; } = ImapState.NotAuthenticated;
    /// <summary>Who has signed in; commands of the signed-in states may rely on it.</summary>
    public Account Account { get; private set; } = null!;
    public SelectedMailbox? Selected { get; private set; }
    /// <summary>What ENABLE has turned on.</summary>
    public Dialect Dialect { get; } = new();
    /// <summary>Whether MODSEQ goes with every untagged FETCH (RFC 7162 3.1).</summary>
    public bool CondStore => Dialect.CondStore;
    /// <summary>What NOTIFY has asked for, or null: before the first NOTIFY all is told of the selected mailbox, while commands run.</summary>
    public Watch? Watch { get; set; }
    /// <summary>Tells of annotations that others change, or null: nobody has asked.</summary>
    public MetadataNews? Metadata { get; set; }
    public int FailedSignIns { get; set; }
    /// <summary>Kept by <see cref="SessionView.RefusingUpload"/>.</summary>
    public ((string Name, Account Viewer, int Rights, int Names) AsOf, Access Target)? UploadTarget { get; set; }
    /// <summary>The tag of the command that runs; ESEARCH repeats it.</summary>
    public string Tag { get; private set; } = "*";
    /// <summary>The text of the command that runs.</summary>
    public CommandText Text => text;

    /// <summary>Outside the evaluation profile a password is never taken in clear text (contract.md).</summary>
    public bool MaySignIn => context.SignIn.IsAllowed(Connection);

    public async Task RunAsync()
    {
        ImapTelemetry.Sessions.Add(1);
        ImapTelemetry.Opened(Log, Connection.Id, Connection.Remote);
        var reason = "logged out";
        try
        {
            Writer.Ok("CAPABILITY " + ImapCommands.Capabilities(this), $"{context.Settings.Hostname} CBA Mail at your service");
            while (State != ImapState.Logout)
            {
                // few octets of a compressed stream are many commands: whoever does not read the answers is not read either
                if (Writer.IsFull) await Writer.FlushAsync(Cancel);
                if (await NextAsync() is { } end) { reason = end; break; }
            }
            await Writer.FlushAsync(CancellationToken.None); // also when the server stops: the farewell is to arrive
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException || Cancel.IsCancellationRequested)
        {
            reason = "the peer went away: " + e.Message;
        }
        finally
        {
            Deselect();
            Watch?.Dispose();
            Metadata?.Dispose();
            text.Clear();
            ImapTelemetry.Sessions.Add(-1);
            ImapTelemetry.Ended(Log, Connection.Id, reason);
        }
    }

    /// <summary>Reads and runs one command.</summary>
    /// <returns>Why the session ends, or null.</returns>
    async ValueTask<string?> NextAsync()
    {
        text.Clear();
        Connection.IsBrief(); // until a command is known that is not
        if (Watch is { Pushes: true } && await ListenAsync() is { } end) return end;
        var status = await Input.ReadLineAsync(text, Settings.MaxLine);
        if (status is not (InputStatus.Ok or InputStatus.TooLong or InputStatus.BareLineEnd)) return Farewell(status);
        var head = CommandHead.Parse(text.Span, State);
        Tag = head.Tag;
        if (status == InputStatus.TooLong) return Answer(head, Outcome.Bad("The line is too long", "TOOBIG"));
        if (status == InputStatus.BareLineEnd) return Answer(head with { Tag = "*" }, Outcome.Bad("Lines end with CR and LF, and neither stands alone"));

        var started = told = context.Time.GetTimestamp();
        Outcome outcome;
        // RFC 9586 3.1: who has given up sequence numbers cannot use them
        if (head.Refusal is null && Dialect.UidOnly && head.Row!.Has(CommandTraits.HoldsExpunges | CommandTraits.Numbers))
            head = head with { Refusal = Outcome.Bad("Messages are named by UID alone now", "UIDREQUIRED") };
        var arguments = head.ArgumentsAt;
        (status, var refusal) = await GatherAsync(head.Refusal, head.Row?.Has(CommandTraits.Streams) == true ? text => AppendCommand.IsAtContent(text[arguments..], head.Row.Has(CommandTraits.Replaces)) : null);
        if (status != InputStatus.Ok) return Farewell(status);
        try
        {
            if (refusal is null && !head.Row!.Has(CommandTraits.Brief)) await Connection.LeaveLoopAsync();
            outcome = refusal ?? (this.KeepRights() ? await Start(head) : Outcome.Silent);
            Watch?.Added(outcome.Code);
            if (State != ImapState.Logout && head.Row is { } row && !row.Has(CommandTraits.NoUpdates)) await UpdateAsync(row);
        }
        catch (Exception e) when (!Writer.InLiteral && StoreTrouble.Of(e) is { } trouble)
        {
            outcome = Outcome.No(trouble); // the store has told the log
            if (IsContentUnread(head)) return Lost(head, outcome);
        }
        catch (OperationCanceledException) when (Cancel.IsCancellationRequested && !Writer.InLiteral && !Writer.IsFlushing)
        {
            return Farewell(InputStatus.Stopping);
        }
        catch (Exception e) when (!Cancel.IsCancellationRequested && e is not (ConnectionAbortedException or ConnectionResetException))
        {
            ImapTelemetry.Surprise(Log, e, Connection.Id, head.Name);
            ImapTelemetry.Surprises.Add(1);
            if (Writer.InLiteral) { Connection.Abort(); return "a literal could not be finished"; }
            outcome = Outcome.No("This went wrong on our side; it has been noted", "SERVERBUG"); // RFC 5530 3
            if (IsContentUnread(head)) return Lost(head, outcome);
        }
        ImapTelemetry.Commands.Add(1, new KeyValuePair<string, object?>("command", head.Row?.Name ?? "?"));
        ImapTelemetry.Completed(Log, Connection.Id, head.Tag, head.Name, outcome.Kind, context.Time.GetElapsedTime(started).TotalMilliseconds);
        return Answer(head, outcome);
    }

    // What is content of APPEND must not become commands.
    bool IsContentUnread(in CommandHead head) => head.Row?.Has(CommandTraits.Streams) == true && PendingLiteral.TryFind(text.Span, out _);

    string Lost(in CommandHead head, in Outcome outcome)
    {
        Answer(head, outcome);
        Bye("The rest of the command cannot be told from the next one");
        return "failed within a command";
    }

    // The reader is a ref struct: it cannot live over an await, so parsing is synchronous by construction.
    ValueTask<Outcome> Start(in CommandHead head)
    {
        var arguments = new ImapReader(text.Span[Math.Min(head.ArgumentsAt, text.Length)..]) { Utf8 = Dialect.Utf8, UidOnly = Dialect.UidOnly };
        return head.Row!.Run(this, ref arguments);
    }

    string? Answer(in CommandHead head, in Outcome outcome)
    {
        if (outcome.Kind == OutcomeKind.Silent) return "ended by the command";
        if (outcome.Kind == OutcomeKind.Answered) return null;
        Say(head.Tag, outcome.Text is null ? outcome with { Text = head.Name + " completed" } : outcome);
        if (outcome.Kind != OutcomeKind.Bad) { badCommands = 0; return null; }
        ImapTelemetry.NotUnderstood(Log, Connection.Id, head.Row?.Name ?? "?", outcome.Text ?? "");
        if (++badCommands < Settings.MaxBadCommands) return null;
        Bye("Too many commands that cannot be understood");
        return "too many bad commands";
    }

    /// <summary>The tagged response, for commands after which the next octet is another one's (<see cref="Outcome.Answered"/>).</summary>
    public void Say(in Outcome outcome) => Say(Tag, outcome);

    void Say(string tag, in Outcome outcome)
    {
        Writer.Write(tag).Write(outcome.Kind switch { OutcomeKind.Ok => " OK "u8, OutcomeKind.No => " NO "u8, _ => " BAD "u8 });
        if (outcome.Code is { } code) Writer.Write("["u8).Write(code).Write("] "u8);
        Writer.Write(ImapPhrases.In(Dialect.Language, outcome)).EndLine();
    }

    /// <summary>
    /// Reads the literals of a command into its text, each bounded before it is read (RFC 9051 4.3, RFC 7888 4):
    /// one that waits for us is refused unread, one that comes unasked is read over.
    /// </summary>
    /// <param name="isAtContent">Whether the literal that comes is content, which the command reads itself.</param>
    public async ValueTask<(InputStatus, Outcome?)> GatherAsync(Outcome? refusal, AtContent? isAtContent)
    {
        long asked = 0;
        while (PendingLiteral.TryFind(text.Span, out var literal))
        {
            if (refusal is null && isAtContent?.Invoke(text.Span) == true) break;
            asked += literal.Length;
            var most = State == ImapState.NotAuthenticated ? Math.Min(4096, Settings.MaxLiteral) : Settings.MaxLiteral;
            if (asked > most || text.Length > Settings.MaxLine + most) refusal ??= Outcome.Bad("The command is too long", "TOOBIG");
            if (literal.IsTooLongUnasked(Settings)) refusal ??= PendingLiteral.TooLongUnasked;
            if (refusal is not null && (!literal.NonSynchronizing || State == ImapState.NotAuthenticated && asked > most))
                return (literal.NonSynchronizing ? InputStatus.TooLong : InputStatus.Ok, refusal);

            InputStatus status;
            if (refusal is not null)
            {
                if (asked > Settings.MaxMessage) return (InputStatus.TooLong, refusal);
                status = await Input.SkipAsync(literal.Length);
                text.Clear();
            }
            else
            {
                if (!literal.NonSynchronizing) Writer.Write("+ OK\r\n"u8);
                status = await Input.ReadLiteralAsync(text, (int)literal.Length);
            }
            if (status == InputStatus.Ok) status = await Input.ReadLineAsync(text, Settings.MaxLine);
            if (status is InputStatus.TooLong or InputStatus.BareLineEnd) refusal ??= Outcome.Bad("The line is too long or badly ended");
            else if (status != InputStatus.Ok) return (status, refusal);
            if (status != InputStatus.Ok) text.Clear();
        }
        return (InputStatus.Ok, refusal);
    }

    /// <summary>Says why the session ends where the peer still listens (RFC 9051 7.1.5).</summary>
    public string Farewell(InputStatus status)
    {
        switch (status)
        {
            case InputStatus.TimedOut: Bye("Nothing was said for too long"); return "timed out";
            case InputStatus.Stopping: Bye("The server stops", "UNAVAILABLE"); return "server stops";
            case InputStatus.TooLong: Bye("This is more than will be read", "TOOBIG"); return "flood";
            case InputStatus.Ended when Connection.IsInputBroken: Bye("This is not compressed by DEFLATE"); return "no deflate stream"; // RFC 4978 3
            default: return "the peer has gone";
        }
    }

    public void Bye(string sentence, string? code = null)
    {
        Writer.Write("* BYE "u8);
        if (code is not null) Writer.Write("["u8).Write(code).Write("] "u8);
        Writer.Write(ImapPhrases.In(Dialect.Language, sentence)).EndLine();
        Enter(ImapState.Logout);
    }

    /// <summary>The one place where the state changes.</summary>
    void Enter(ImapState state)
    {
        if (state == State) return;
        ImapTelemetry.StateChanged(Log, Connection.Id, State, state);
        State = state;
    }

    public void SignedIn(Account account, string mechanism)
    {
        Account = account;
        Input.Patience = Settings.IdleTimeout;
        ImapTelemetry.SignedIn(Log, Connection.Id, account.Address.ToString(), mechanism, Connection.IsSecure);
        Enter(ImapState.Authenticated);
    }

    /// <summary>As before the sign-in: no mailbox (nothing is expunged), no extension enabled (RFC 8437 2).</summary>
    public void SignOut()
    {
        Deselect();
        Dialect.Reset();
        Watch?.Dispose();
        Metadata?.Dispose();
        (Watch, Metadata) = (null, null);
        Account = null!;
        Input.Patience = Settings.LoginTimeout;
        Enter(ImapState.NotAuthenticated);
    }

    public void LogOut() => Enter(ImapState.Logout);

    public void Select(SelectedMailbox mailbox)
    {
        Deselect();
        Selected = mailbox;
        Enter(ImapState.Selected);
    }

    [MemberNotNullWhen(true, nameof(Selected))]
    public bool HasSelected => Selected is not null;

    public bool Deselect()
    {
        if (Selected is null) return false;
        Selected.Dispose();
        Selected = null;
        if (State == ImapState.Selected) Enter(ImapState.Authenticated);
        return true;
    }

    /// <summary>Turns on CONDSTORE as its use does (RFC 7162 3.1.2): from here on MODSEQ goes with every FETCH.</summary>
    public void EnableCondStore()
    {
        // RFC 7162 3.1.2.1: the client needs a starting point
        if (Dialect.Enable("CONDSTORE") && Selected is { } selected) Writer.Ok($"HIGHESTMODSEQ {Math.Max(1, selected.ModSeq)}", "CONDSTORE is on");
    }

    async ValueTask UpdateAsync(ImapCommand row)
    {
        if (Selected is not null) await UpdateAsync(!row.Has(CommandTraits.HoldsExpunges), row.Has(CommandTraits.Uid));
        await WatchedAsync();
    }

    /// <summary>Tells what has happened in the selected mailbox since the last time (RFC 9051 5.2, 7.5.1).</summary>
    /// <param name="always">Also where NOTIFY has asked for nothing: the client has expunged something itself.</param>
    public async ValueTask UpdateAsync(bool expunges, bool withUid, bool always = false)
    {
        if (!this.KeepRights() || Selected is not { } mailbox) return;
        // RFC 5465 3.1: SELECTED NONE, and then the view stays what it was
        if (Watch is { Request.Selected: WatchEvents.None } && !always)
        {
            if (Dialect.Vanished) mailbox.TellSafeModSeq(Writer);
            return;
        }
        List<uint>? touched = null;
        if (mailbox.TakeNotice() || mailbox.IsBehind)
        {
            MailboxChanges? changes;
            using (var reader = Mail.Read())
                changes = reader.ChangesSince(mailbox.Id, mailbox.ModSeq, mailbox.Reader);
            if (changes is null)
            {
                // RFC 2180 3.3: another session has deleted it
                Bye("The selected mailbox has been deleted");
                return;
            }
            if (!mailbox.Contexts.IsEmpty) touched = [.. changes.Changed.Select(row => row.Uid)];
            if (mailbox.Apply(changes) && !mailbox.IsShownReadOnly && !Dialect.Rev2) mailbox.TakeRecent(Mail.ClaimRecent(mailbox.Id));
        }
        var flags = Watch is null || (Watch.Request.Selected & WatchEvents.FlagChange) != 0;
        // RFC 5465 5.1: with the UID
        if (!mailbox.Contexts.IsEmpty) mailbox.Contexts.TellExpunged(Writer, mailbox);
        while (mailbox.Report(Writer, expunges, withUid || Dialect.NamesUid || Watch is not null, CondStore, flags)) await Writer.FlushAsync(Cancel);
        var news = mailbox.TakeNews();
        if (news is { } range && Watch is { Request.Items: { } items } watch)
            await FetchCommand.TellAsync(this, mailbox, items, [.. Enumerable.Range(range.First, range.Last - range.First + 1).Where(i => !watch.IsOwn(mailbox.UidValidity, mailbox.Uid(i)))]);
        // RFC 5465 7: FETCH before ESEARCH
        if (touched is { Count: > 0 }) await mailbox.Contexts.TellChangedAsync(this, mailbox, touched, news);
        if (Dialect.Vanished) mailbox.TellSafeModSeq(Writer);
    }

    /// <summary>Tells what NOTIFY has asked for of other mailboxes.</summary>
    async ValueTask WatchedAsync()
    {
        if (State == ImapState.Logout) return;
        var isAll = Metadata?.Tell() ?? true;
        if (Watch is not { } watch || await watch.TellAsync() && isAll) return;
        // RFC 5465 5.8: as if NOTIFY NONE had come
        watch.Dispose();
        Watch = new Watch(this, new WatchRequest());
        Writer.Ok("NOTIFICATIONOVERFLOW", "These have become more mailboxes than can be watched");
    }

    /// <summary>Completes when there may be something to tell unasked; null when there never is.</summary>
    public Task? NoticeAsync()
    {
        var selected = Watch is { Request.Selected: WatchEvents.None } ? null : Selected?.NoticeAsync();
        var watched = Watch is { Request.Groups.Count: > 0 } watch ? watch.NoticeAsync() : null;
        Task[] notices = [.. ((Task?[])[selected, watched, Metadata?.NoticeAsync()]).OfType<Task>()];
        return notices.Length switch { 0 => null, 1 => notices[0], _ => Task.WhenAny(notices) };
    }

    /// <summary>Tells all that may be told now, and sends it.</summary>
    public async ValueTask TellAsync(bool expunges)
    {
        await UpdateAsync(expunges, withUid: false);
        await WatchedAsync();
        if (State != ImapState.Logout) await Writer.FlushAsync(Cancel);
    }

    /// <summary>RFC 5465 3.1: events are told all the time, also while no command is in progress.</summary>
    /// <returns>Why the session ends, or null.</returns>
    async ValueTask<string?> ListenAsync()
    {
        if (Connection.HasBufferedInput()) return null;
        try
        {
            await Writer.FlushAsync(Cancel);
            Task<InputStatus> word = Input.WaitAsync(); // stays pending while we write
            while (!word.IsCompleted)
            {
                var notice = NoticeAsync();
                await TellAsync(expunges: Watch!.PushesExpunges);
                if (State == ImapState.Logout) return "the selected mailbox is gone";
                await Task.WhenAny(word, notice ?? word);
            }
            var status = await word;
            return status == InputStatus.Ok ? null : Farewell(status);
        }
        catch (OperationCanceledException) when (Cancel.IsCancellationRequested && !Writer.InLiteral && !Writer.IsFlushing)
        {
            return Farewell(InputStatus.Stopping);
        }
        catch (Exception e) when (!Cancel.IsCancellationRequested && e is not (ConnectionAbortedException or ConnectionResetException or IOException))
        {
            ImapTelemetry.Surprise(Log, e, Connection.Id, "NOTIFY");
            ImapTelemetry.Surprises.Add(1);
            if (Writer.InLiteral) Connection.Abort();
            else Bye("This went wrong on our side; it has been noted", "SERVERBUG"); // RFC 5530 3
            return "news could not be told";
        }
    }

    // ---- RFC 9585

    /// <summary>Says how far a long command has come, now and then (RFC 9585 3).</summary>
    public async ValueTask ProgressAsync(long done, long goal)
    {
        if (context.Time.GetElapsedTime(told) < Settings.ProgressEvery || Settings.ProgressEvery <= TimeSpan.Zero) return;
        if (goal > 0 && done >= goal) return; // the tagged OK says so
        told = context.Time.GetTimestamp();
        Writer.Write("* OK [INPROGRESS ("u8);
        // RFC 9585 4: a "]" in it would look like the end of the code
        if (Tag.Contains(']')) Writer.Write("NIL"u8);
        else Writer.String(Tag);
        if (goal > 0) Writer.Space().Write(done).Space().Write(goal);
        else Writer.Write(" NIL NIL"u8);
        Writer.Write(")] Still at it\r\n"u8);
        await Writer.FlushAsync(Cancel);
    }

    /// <summary>Waits for one deed whose progress cannot be seen, and says now and then that it is still being done.</summary>
    public async ValueTask<T> PatientlyAsync<T>(ValueTask<T> work)
    {
        if (work.IsCompleted || Settings.ProgressEvery <= TimeSpan.Zero) return await work;
        var task = work.AsTask();
        while (true)
        {
            try
            {
                return await task.WaitAsync(Settings.ProgressEvery, context.Time);
            }
            catch (TimeoutException) when (!task.IsFaulted)
            {
                if (!task.IsCompleted) await ProgressAsync(0, 0);
            }
        }
    }
}
