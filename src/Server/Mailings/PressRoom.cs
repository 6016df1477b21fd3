using System.Collections.Concurrent;
using System.Globalization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mailings.Schedules;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>What came of asking for a mailing to be sent.</summary>
/// <param name="Refusal">Null when it is under way.</param>
public sealed record SendOutcome(Refusal? Refusal, CheckReport? Report, int Sending, int Skipped);

/// <summary>A mailing with its ledger in figures.</summary>
public sealed record MailingStatus(Mailing Mailing, LedgerCounts Counts);

/// <summary>The deeds of mailings, up to the point where Delivery's run takes the ledger over.</summary>
public sealed class PressRoom
{
    const int Piece = 250;

    readonly Store store;
    readonly MailStore mail;
    readonly MailQueue queue;
    readonly UserDirectory directory;
    readonly MailingFiles files;
    readonly MailingSettings settings;
    readonly TimeProvider time;
    readonly MailingLinks links;
    readonly ConcurrentDictionary<long, bool> freezing = new();

    public PressRoom(Store store, MailStore mail, MailQueue queue, UserDirectory directory, MailingFiles files, Settings settings, TimeProvider time)
    {
        (this.store, this.mail, this.queue, this.directory, this.files, this.settings, this.time) = (store, mail, queue, directory, files, settings.Mailings, time);
        (links, Consents, Hours) = (new MailingLinks(settings, queue.Bounces), new Consents(store, time), new SendingHours(settings.Mailings));
        queue.Outcome += (transaction, outcome) => Ledger.RecordRemote(
            transaction, outcome.LedgerId, LedgerTable.State(outcome.State), outcome.Reply, outcome.Host.Length > 0 ? outcome.Host : null, outcome.Tls, outcome.At, outcome.Class);
    }

    /// <summary>When copies may leave.</summary>
    public SendingHours Hours { get; }

    /// <summary>What readers have said about getting mailings.</summary>
    public Consents Consents { get; }

    /// <summary>The ways out that stand in copies.</summary>
    public MailingLinks Links => links;

    /// <summary>A mailing was started, resumed, paused or cancelled: the run looks again. Called on the committer's thread.</summary>
    public event Action? Changed;

    /// <summary>Runs in the transaction in which the last copy of a mailing has left for its mailbox or the queue.</summary>
    public event Action<WriteTransaction, long, LedgerCounts>? Finished;

    // ---- what there is

    /// <summary>The course that a mailing goes to.</summary>
    public Result<Course> CourseOf(long id)
    {
        using var read = store.Read();
        return MailingTable.Get(read, id) is { } mailing && CourseTable.Get(read, mailing.CourseId) is { } course ? course : NoMailing(id);
    }

    public Result<Mailing> Find(long id)
    {
        using var read = store.Read();
        return MailingTable.Get(read, id) is { } mailing ? mailing : NoMailing(id);
    }

    public IReadOnlyList<(Mailing Mailing, Course Course)> List(long? course = null)
    {
        using var read = store.Read();
        return [.. MailingTable.List(read, course).Select(mailing => (mailing, CourseTable.Get(read, mailing.CourseId)!)).Where(pair => pair.Item2 is not null)];
    }

    public Result<MailingStatus> Status(long id)
    {
        using var read = store.Read();
        return MailingTable.Get(read, id) is { } mailing ? new MailingStatus(mailing, LedgerTable.Counts(read, id)) : NoMailing(id);
    }

    /// <summary>Lines of the ledger by rising id, a page at a time.</summary>
    public Result<IReadOnlyList<LedgerRow>> Lines(long id, long after, int count)
    {
        using var read = store.Read();
        return MailingTable.Get(read, id) is null ? NoMailing(id) : new Result<IReadOnlyList<LedgerRow>>(LedgerTable.Rows(read, id, after, count), null);
    }

    /// <summary>Removes files that no mailing names; only at start, when nobody is creating one.</summary>
    public void SweepFiles() => files.Sweep();

    // ---- creating

    public async ValueTask<Result<Mailing>> CreateAsync(NewMailing wanted, CancellationToken cancel)
    {
        Course? course;
        using (var read = store.Read()) course = CourseTable.Find(read, wanted.Course.Trim().ToLowerInvariant());
        if (course is null) return Refusal.NoSuchThing.Because($"There is no course \"{ParticipantFile.OneLine(wanted.Course)}\"; cbamail course list shows those there are");
        if (Sender(wanted.From) is not { } from) return Refusal.BadAddress.Because($"\"{ParticipantFile.OneLine(wanted.From)}\" is not a valid sender: write teacher@example.org or \"Name <teacher@example.org>\"");
        var replyTo = wanted.ReplyTo;
        if (directory.FindDomain(from.Address.Domain) is null)
        {
            (replyTo, var own) = (from.Name.Length > 0 ? $"{from.Name} <{from.Address}>" : from.Address.ToString(), OwnAddress(course));
            if (own is null) return Refusal.MayNotSendAs.Because($"{from.Address} is not an address of a domain of this server; the sender must be");
            from = (from.Name.Length > 0 ? from.Name : from.Address.LocalPart, own);
        }
        if (wanted is { Html: not null, Mjml: not null }) return Refusal.Invalid.Because("A text in HTML is written as MJML or as HTML, not both").At("mjml");
        foreach (var template in (string?[])[wanted.Subject, wanted.Html, wanted.Text, wanted.Mjml])
            if (template?.Length > settings.TemplateLength) return Refusal.TooLarge.Because($"A template has at most {settings.TemplateLength} characters");
        if (wanted.Mjml is { } mjml)
        {
            var compiled = TemplateBook.Compiled(mjml, course.Language);
            if (!compiled.Ok) return compiled.Refusal;
            wanted = wanted with { Html = compiled.Value };
        }
        using (var read = store.Read())
        {
            var html = TemplateBook.WithBlocks(read, wanted.Html ?? "", course.Domain, course.Language, TemplateKind.Html, settings.TemplateLength);
            var text = TemplateBook.WithBlocks(read, wanted.Text ?? "", course.Domain, course.Language, TemplateKind.Text, settings.TemplateLength);
            if (!html.Ok || !text.Ok) return html.Ok ? text.Refusal! : html.Refusal;
            wanted = wanted with { Html = wanted.Html is null ? null : html.Value, Text = wanted.Text is null ? null : text.Value };
        }
        if (wanted.Html is null && wanted.Text is null) return Refusal.Invalid.Because("A mailing needs an HTML template, a text template, or both");
        if (wanted.Html is null && (wanted.Pixel || wanted.Clicks)) return Refusal.Invalid.Because("Openings and followed links are seen in HTML alone: give the mailing one").At("html");
        if (wanted.Subject.Length == 0) return Refusal.Invalid.Because("A mailing needs a subject");
        if (wanted.Files.Sum(file => (long)file.Content.Length) > settings.FileBytes) return Refusal.TooLarge.Because($"The files have more than {settings.FileBytes / 1048576} MiB together; put them on a server and send a link");
        var mailing = new Mailing(0, course.Id, from.Name, from.Address.ToString(), wanted.Subject, wanted.Html, wanted.Text, MailingState.Draft, null, time.GetUtcNow(), null, null, wanted.Class, replyTo, wanted.Pixel, wanted.Clicks, wanted.Parent, wanted.Author);
        var composer = Composer.Create(course, mailing, [], time.GetUtcNow());
        if (!composer.Ok) return composer.Refusal;
        var to = Audience(course, wanted.To);
        if (!to.Ok) return to.Refusal;
        if (InlineImages.Missing(wanted.Html, wanted.Files) is { } lost) return Refusal.Invalid.Because($"The HTML shows the image cid:{lost}, but no file of this name is attached; add --attach {lost}");

        var kept = new List<MailingFile>();
        foreach (var file in wanted.Files)
            kept.Add(new(kept.Count, ParticipantFile.OneLine(Path.GetFileName(file.Name)), MailingFiles.TypeOf(file.Name), InlineImages.ContentId(wanted.Html, file.Name), await files.KeepAsync(file.Content, cancel), file.Content.Length));
        var id = await store.CommitAsync(transaction =>
        {
            if (!CourseTable.Exists(transaction, course.Id)) return 0;
            var id = MailingTable.Add(transaction, mailing);
            foreach (var file in kept) MailingTable.AddFile(transaction, id, file);
            if (to.Value is { Length: > 0 } rule) AudienceTable.Set(transaction, id, rule);
            return id;
        }, cancel);
        return id > 0 ? mailing with { Id = id } : Refusal.NoSuchThing.Because("The course was removed meanwhile");
    }

    MailAddress? OwnAddress(Course course)
    {
        using var read = store.Read();
        return OwnFrom.Of(read, course, settings);
    }

    /// <summary>An audience as it is kept with a mailing, once it is known to mean something; "" for everybody.</summary>
    internal Result<string> Audience(Course course, string? to)
    {
        if (string.IsNullOrWhiteSpace(to)) return "";
        using var read = store.Read();
        var rule = Mailings.Audience.Parse(read, course, to);
        if (!rule.Ok) return rule.Refusal;
        var view = Mailings.Audience.Evaluate(read, course, rule.Value, time);
        return view.Ok ? rule.Value.ToString() : view.Refusal;
    }

    /// <summary>Whom a mailing reaches as things are now, with the rule where it has one.</summary>
    internal Result<(MailingAudience? Audience, List<Participant> People)> Reached(ReadTransaction read, Composer composer)
    {
        if (AudienceTable.Of(read, composer.Mailing.Id) is not { } audience) return (null, CourseTable.Active(read, composer.Course.Id, time));
        var rule = Mailings.Audience.Parse(read, composer.Course, audience.Rule);
        if (!rule.Ok) return rule.Refusal;
        var view = Mailings.Audience.Evaluate(read, composer.Course, rule.Value, time);
        return view.Ok ? (audience, [.. view.Value.People]) : view.Refusal;
    }

    /// <summary>Whom a mailing reaches as things are now.</summary>
    internal Result<List<Participant>> PeopleOf(Composer composer)
    {
        using var read = store.Read();
        var reached = Reached(read, composer);
        return reached.Ok ? reached.Value.People : reached.Refusal;
    }

    /// <summary>Who writes, of a text as in <c>"Name &lt;teacher@example.org&gt;"</c>, or null.</summary>
    internal static (string Name, MailAddress Address)? Sender(string text)
    {
        text = ParticipantFile.OneLine(text);
        var open = text.LastIndexOf('<');
        if (open >= 0 && text.EndsWith('>'))
            return MailAddress.TryParse(text.AsSpan(open + 1, text.Length - open - 2).Trim(), out var inside) ? (text[..open].Trim().Trim('"').Trim(), inside) : null;
        return MailAddress.TryParse(text, out var address) ? ("", address) : null;
    }

    // ---- looking

    /// <summary>The composer of a mailing, its files read.</summary>
    public Result<Composer> ComposerOf(long id, bool withFiles = true)
    {
        Mailing? mailing;
        Course? course;
        List<MailingFile> rows;
        using (var read = store.Read())
        {
            mailing = MailingTable.Get(read, id);
            course = mailing is null ? null : CourseTable.Get(read, mailing.CourseId);
            rows = mailing is null || !withFiles ? [] : MailingTable.Files(read, id);
        }
        if (mailing is null || course is null) return NoMailing(id);
        return Composer.Create(course, mailing, [.. rows.Select(file => new MimeFile(file.Name, file.Type, files.Read(file), file.ContentId))], time.GetUtcNow(), links);
    }

    /// <summary>One person's copy: of the address, or of the first in the course.</summary>
    public Result<MailingPreview> Preview(long id, string? address)
    {
        var made = ComposerOf(id, withFiles: false);
        if (!made.Ok) return made.Refusal;
        var composer = made.Value;
        var reader = ReaderOf(composer, address);
        if (!reader.Ok) return reader.Refusal;
        var person = reader.Value;
        var (subject, html, text) = composer.Render(composer.Data(person.Address, person.Name, person.Fields));
        var from = composer.Mailing.FromName.Length > 0 ? $"{composer.Mailing.FromName} <{composer.Mailing.FromAddress}>" : composer.Mailing.FromAddress;
        var report = new MailingCheck(directory, composer, [person], []).Run();
        return new MailingPreview(person.Address, person.Name, from, subject, html, text, report.Problems);
    }

    /// <summary>Somebody whom a mailing is for: of the address, or the first.</summary>
    public Result<Participant> ReaderOf(Composer composer, string? address)
    {
        using var read = store.Read();
        if (address is null)
        {
            var reached = Reached(read, composer);
            return !reached.Ok ? reached.Refusal : reached.Value.People is [var first, ..] ? first : Refusal.NoSuchThing.Because($"The course {composer.Course.Slug} has no participants");
        }
        if (!MailAddress.TryParse(address, out var parsed) || CourseTable.Participant(read, composer.Course.Id, parsed.Key) is not { } found)
            return Refusal.NoSuchThing.Because($"{ParticipantFile.OneLine(address)} is not in the course {composer.Course.Slug}");
        return CourseTable.Active(read, composer.Course.Id, time).Find(one => one.Id == found.Id) is { Address: not null } whole ? whole : found;
    }

    public Result<CheckReport> Check(long id)
    {
        var composer = ComposerOf(id, withFiles: false);
        return composer.Ok ? Check(composer.Value, out _) : composer.Refusal;
    }

    CheckReport Check(Composer composer, out List<Participant> people) => Check(composer, out people, out _);

    internal CheckReport Check(Composer composer, out List<Participant> people, out MailingAudience? audience)
    {
        using var read = store.Read();
        var reached = Reached(read, composer);
        (audience, people) = reached.Ok ? reached.Value : (null, []);
        if (!reached.Ok) return new(0, [reached.Refusal.Sentence], [], []);
        if (audience is not null && people.Count == 0) return new(0, [$"Nobody is in the audience: {audience.Rule}"], [], []);
        var report = Check(read, composer, people);
        if (audience?.Previewed is not { } before) return report;
        var (joined, gone) = Mailings.Audience.Difference(before, people);
        return joined + gone == 0 ? report : report with { Notes = [string.Create(CultureInfo.InvariantCulture, $"since the preview of its audience: +{joined} joined, -{gone} left"), .. report.Notes] };
    }

    /// <summary>The check of these people's copies.</summary>
    internal CheckReport Check(ReadTransaction read, Composer composer, List<Participant> people)
    {
        var bounced = LedgerTable.Bounced(read, composer.Course.Id);
        var attached = MailingTable.Files(read, composer.Mailing.Id).Count(file => file.ContentId is null);
        return new MailingCheck(directory, composer, people, CourseTable.Rejects(read, composer.Course.Id), attached, History).Run();

        CheckFinding? History(Participant person)
        {
            if (MailAddress.TryParse(person.Address, out var address) && SuppressionTable.Find(read.Prepare, address.Key) is { } entry && !(entry.Expires <= time.GetUtcNow()))
                return new("address.suppressed", "problem", $"{person.Address} is suppressed ({entry.Reason}): nothing is sent to it", $"На адрес {person.Address} ничего не отправляется ({entry.Reason})", Row: person.Line, Address: person.Address);
            return bounced.TryGetValue(person.Id, out var at)
                ? new("address.bounced", "note", string.Create(CultureInfo.InvariantCulture, $"a mailing to {person.Address} came back on {at:yyyy-MM-dd}"), string.Create(CultureInfo.InvariantCulture, $"Рассылка на адрес {person.Address} вернулась {at:dd.MM.yyyy}"), Row: person.Line, Address: person.Address)
                : null;
        }
    }

    // ---- sending

    /// <summary>
    /// Checks, freezes the audience in the ledger, and starts. Refuses while anybody has a problem, unless such people are to be skipped:
    /// then they stand in the ledger as skipped, with the reason. Only the last commit starts it, so a crash before leaves a draft.
    /// </summary>
    public async ValueTask<SendOutcome> SendAsync(long id, bool skipInvalid, CancellationToken cancel, Canary? canary = null)
    {
        if (canary?.Fault is { } fault) return new(fault, null, 0, 0);
        var made = ComposerOf(id);
        if (!made.Ok) return new(made.Refusal, null, 0, 0);
        var composer = made.Value;
        if (composer.Mailing.State != MailingState.Draft) return new(NotNow(id, composer.Mailing.State, "sent"), null, 0, 0);
        if (!freezing.TryAdd(id, true)) return new(NotNow(id, MailingState.Sending, "sent"), null, 0, 0);
        try
        {
            var report = Check(composer, out var people, out var audience);
            var reasons = report.Problems.GroupBy(problem => problem.ParticipantId).ToDictionary(group => group.Key, group => string.Join("; ", group.Select(problem => problem.Message)));
            if (report.Faults.Count > 0) return new(Refusal.Invalid.Because($"Mailing {id} was not sent: {report.Faults[0]}"), report, 0, 0);
            if (reasons.Count > 0 && !skipInvalid)
                return new(Refusal.Invalid.Because($"Mailing {id} was not sent: {reasons.Count} of {people.Count} participants have a problem; mend them, or leave them out with --skip-invalid"), report, 0, 0);
            foreach (var (person, reason) in Consents.LeftOut(composer.Mailing, composer.Course, people)) reasons.TryAdd(person, reason);
            if (reasons.Count == people.Count) return new(Refusal.Invalid.Because($"Mailing {id} was not sent: nobody is left to send it to"), report, 0, 0);
            using (var read = store.Read())
                if (Approvals.ApprovalGate.Refuses(read, composer, people.Count) is { } unapproved) return new(unapproved, report, 0, 0);
            return await FreezeAsync(composer, people, audience, reasons, canary, cancel) is { } refusal
                ? new(refusal, report, 0, 0)
                : new(null, report, people.Count - reasons.Count, reasons.Count);
        }
        finally
        {
            freezing.TryRemove(id, out _);
        }
    }

    async ValueTask<Refusal?> FreezeAsync(Composer composer, List<Participant> people, MailingAudience? audience, Dictionary<long, string> reasons, Canary? canary, CancellationToken cancel)
    {
        var first = 0;
        if (canary is not null) (people, first) = canary.Order(people, person => reasons.ContainsKey(person.Id));
        var mailing = composer.Mailing;
        var now = time.GetUtcNow();
        await store.CommitAsync(transaction => { LedgerTable.RemoveMailing(transaction, mailing.Id); return true; }, cancel); // of a send that a crash cut off
        for (var start = 0; start < people.Count; start += Piece)
        {
            var begin = start;
            await store.CommitAsync(transaction =>
            {
                for (var i = begin; i < Math.Min(begin + Piece, people.Count); i++)
                {
                    var person = people[i];
                    var skipped = reasons.TryGetValue(person.Id, out var reason);
                    LedgerTable.Add(transaction, mailing.Id, person, MessageId(mailing, person), skipped ? LedgerState.Skipped : LedgerState.Rendered, reason ?? "", now);
                }
                return true;
            }, cancel);
        }
        return await store.CommitAsync(transaction =>
        {
            if (MailingTable.State(transaction, mailing.Id) is not MailingState.Draft) return NotNow(mailing.Id, MailingTable.State(transaction, mailing.Id) ?? MailingState.Cancelled, "sent");
            if (audience?.Previewed is { } before)
            {
                var (joined, gone) = Mailings.Audience.Difference(before, people);
                AudienceTable.Frozen(transaction, mailing.Id, joined, gone);
            }
            MailingTable.Start(transaction, mailing.Id, now);
            if (canary is not null) CanaryTable.Begin(transaction, mailing.Id, canary, first);
            queue.Bounces.Keep(transaction);
            transaction.OnCommitted(() => Changed?.Invoke());
            return null;
        }, cancel);
    }

    /// <summary>
    /// Deterministic: whoever sees two copies of one (mailing, participant) sees one Message-ID, and mailboxes and people can tell. Nobody can
    /// work out that of another's copy: a complaint that names it has effect (<see cref="CopyTable.Find(ReadTransaction, string)"/>).
    /// </summary>
    internal string MessageId(Mailing mailing, in Participant person)
    {
        var secret = directory.Secret("message-id", string.Create(CultureInfo.InvariantCulture, $"{mailing.Id}|{person.Id}|{mailing.Created.ToUnixTimeMilliseconds()}|{person.Address}"));
        var domain = mailing.FromAddress[(mailing.FromAddress.LastIndexOf('@') + 1)..];
        return string.Create(CultureInfo.InvariantCulture, $"m{mailing.Id}.{person.Id}.{Convert.ToHexStringLower(secret.AsSpan(0, 10))}@{domain}");
    }

    // ---- pausing, resuming, cancelling: the state is a row that every piece of the run looks at in its own transaction

    public ValueTask<Refusal?> PauseAsync(long id, CancellationToken cancel) => ChangeAsync(id, "paused", cancel, (transaction, state) =>
    {
        if (state is not (MailingState.Sending or MailingState.Scheduled) && !(state == MailingState.Sent && LedgerTable.QueueIds(transaction, id).Count > 0)) return false;
        MailingTable.SetState(transaction, id, MailingState.Paused);
        return true;
    });

    public ValueTask<Refusal?> ResumeAsync(long id, CancellationToken cancel) => ChangeAsync(id, "resumed", cancel, (transaction, state) =>
    {
        if (state != MailingState.Paused) return false;
        CanaryTable.Pass(transaction, id, "stopped");
        MailingTable.SetState(transaction, id, MailingState.Sending);
        return true;
    });

    public ValueTask<Refusal?> CancelAsync(long id, CancellationToken cancel) => ChangeAsync(id, "cancelled", cancel, (transaction, state) =>
    {
        if (state is MailingState.Cancelled || state is MailingState.Sent && LedgerTable.QueueIds(transaction, id).Count == 0) return false;
        var now = time.GetUtcNow();
        LedgerTable.SkipWaiting(transaction, id, "cancelled before it was sent", now);
        ReleaseBase(transaction, id);
        ScheduleTable.Close(transaction, id);
        MailingTable.Finish(transaction, id, MailingState.Cancelled, now);
        return true;
    });

    async ValueTask<Refusal?> ChangeAsync(long id, string what, CancellationToken cancel, Func<WriteTransaction, MailingState, bool> change)
    {
        if (freezing.ContainsKey(id)) return Refusal.Conflict.Because($"Mailing {id} is being checked; try again in a moment");
        var refusal = await store.CommitAsync(transaction =>
        {
            if (MailingTable.State(transaction, id) is not { } state) return NoMailing(id);
            if (!change(transaction, state)) return NotNow(id, state, what);
            transaction.OnCommitted(() => Changed?.Invoke());
            return null;
        }, cancel);
        if (refusal is null) await SettleQueueAsync(id, cancel);
        return refusal;
    }

    /// <summary>Brings the mailing's entries in the queue to its state: held while paused, taken out when cancelled, else free. Also after a restart.</summary>
    public async ValueTask SettleQueueAsync(long id, CancellationToken cancel)
    {
        var (state, entries) = await store.CommitAsync(transaction => (MailingTable.State(transaction, id), LedgerTable.QueueIds(transaction, id)), cancel);
        for (var start = 0; start < entries.Count; start += Piece)
        {
            var first = start;
            await store.CommitAsync(transaction =>
            {
                if (MailingTable.State(transaction, id) != state) return false; // somebody has changed his mind, and settles it himself
                foreach (var entry in entries.Skip(first).Take(Piece)) SettleEntry(transaction, id, entry, state);
                return true;
            }, cancel);
        }
    }

    void SettleEntry(WriteTransaction transaction, long id, long entry, MailingState? state)
    {
        switch (state)
        {
            case MailingState.Paused: queue.Hold(transaction, entry); break;
            case MailingState.Cancelled or null:
                LedgerTable.SkipQueued(transaction, id, entry, "cancelled while it was in the queue", time.GetUtcNow());
                queue.Drop(transaction, entry, "The mailing was cancelled");
                break;
            default: queue.Release(transaction, entry); break;
        }
    }

    /// <summary>Gives the body that the others were compressed against free.</summary>
    public void ReleaseBase(WriteTransaction transaction, long id)
    {
        if (MailingTable.Base(transaction, id) is { } content) mail.DropReference(transaction, content);
        MailingTable.SetBase(transaction, id, null);
    }

    /// <summary>The end of a run: nobody waits any more. Where its schedule may still add somebody, it waits for that.</summary>
    public MailingState Finish(WriteTransaction transaction, long id, DateTimeOffset now)
    {
        ReleaseBase(transaction, id);
        if (ScheduleTable.IsOpen(transaction, id) || Sequences.SequenceTable.Holds(transaction, id))
        {
            MailingTable.SetState(transaction, id, MailingState.Scheduled);
            return MailingState.Scheduled;
        }
        MailingTable.Finish(transaction, id, MailingState.Sent, now);
        Finished?.Invoke(transaction, id, LedgerTable.Counts(transaction.Prepare, id));
        return MailingState.Sent;
    }

    /// <summary>Tells whoever sends, once this is committed, that there is something to look at.</summary>
    internal void Touch(WriteTransaction transaction) => transaction.OnCommitted(() => Changed?.Invoke());

    /// <summary>Keeps others from sending or freezing it, until <see cref="Unfreeze"/>; null: it is this one's.</summary>
    internal Refusal? Freeze(long id) => freezing.TryAdd(id, true) ? null : Refusal.Conflict.Because($"Mailing {id} is being checked; try again in a moment");

    internal void Unfreeze(long id) => freezing.TryRemove(id, out _);

    internal static Refusal NoMailing(long id) => Refusal.NoSuchThing.Because($"There is no mailing {id}; cbamail mailing list shows those there are");

    static Refusal NotNow(long id, MailingState state, string what) => state switch
    {
        MailingState.Draft => Refusal.Conflict.Because($"Mailing {id} has not been sent yet"),
        MailingState.Scheduled => Refusal.Conflict.Because($"Mailing {id} is sent by its schedule; take that away with: cbamail mailing schedule {id} none"),
        MailingState.Sending => Refusal.Conflict.Because($"Mailing {id} is being sent already"),
        MailingState.Paused when what == "sent" => Refusal.Conflict.Because($"Mailing {id} is paused; go on with: cbamail mailing resume {id}"),
        MailingState.Paused => Refusal.Conflict.Because($"Mailing {id} is paused already"),
        MailingState.Sent when what == "sent" => Refusal.Conflict.Because($"Mailing {id} has been sent already; create a new one to write again"),
        MailingState.Sent => Refusal.Conflict.Because($"Mailing {id} has been sent already, and nothing of it is waiting"),
        _ => Refusal.Conflict.Because($"Mailing {id} was cancelled"),
    };
}
