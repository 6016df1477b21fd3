using System.Diagnostics;
using System.Globalization;
using CbaMail.Config;
using CbaMail.Net;
using CbaMail.Storage.Search;

namespace CbaMail.Mailboxes.Search;

/// <param name="Messages">That the account's mailboxes hold.</param>
/// <param name="Pending">Of these not yet in the index.</param>
public sealed record IndexStatus(long AccountId, long Messages, long Pending, IndexSize Size);

/// <summary>
/// The full-text indexes of accounts: a file each, opened when it is needed. It only says less work: a message that is not in it, or of
/// which it is not sure, is looked at; so it may lag, be damaged or be missing, and the answer is the same.
/// </summary>
public sealed class TextIndex(MailStore mail, Settings settings, ILogger<TextIndex> log, MemoryGate? memory = null) : IDisposable
{
    /// <summary>The directory in the data directory.</summary>
    public const string Folder = "search";
    /// <summary>Messages in one snapshot of the store.</summary>
    const int Piece = 50;
    /// <summary>What is taken in sooner than it is decoded and looked at, and speeds up the next search; more is left to the filling behind.</summary>
    const int Few = 50, FewOctets = 1 << 20;
    /// <summary>How long a search waits for its turn to catch up; then it reads what is new.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);
    /// <summary>Work on a merge between two rests.</summary>
    static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(20);

    readonly ContentColumns columns = new();
    readonly IndexShelf shelf = new(mail.Store.Disk, Path.Combine(mail.Store.Path, Folder));
    readonly SemaphoreSlim turns = new(1, 1); // searches that catch up: each holds some 15 MB meanwhile
    long indexed;

    public bool IsOn => settings.Search.Index;

    /// <summary>There is no room for more work on indexes now: neither on the disk nor, above all, in memory.</summary>
    public bool MustWait => !mail.Store.Condition.IsAmple || memory is { IsShort: true };

    /// <summary>Told of accounts whose mail a search had to read.</summary>
    public Action<long>? Missed { get; set; }

    /// <summary>Messages taken into indexes since the start.</summary>
    public long Indexed => Interlocked.Read(ref indexed);

    /// <summary>The answers for a mailbox, or null where there is no use of an index.</summary>
    /// <param name="scores">Scores are asked for next, which only the index gives: it takes in as much as it may.</param>
    public async ValueTask<MailboxVerdicts?> AskAsync(long mailboxId, IReadOnlyList<TextQuestion> questions, CancellationToken cancel, bool scores = false)
    {
        if (!IsOn || questions.Count == 0 || Mailbox(mailboxId) is not { } mailbox || mailbox.Messages == 0) return null;
        try
        {
            // fields alone are read faster than a message with its bodies goes into the index
            var asksBodies = scores || questions.Any(question => question.Place != TextPlace.Field);
            if (!asksBodies && !shelf.Has(mailbox.AccountId)) return null; // nothing of the account is in it, and this puts nothing there
            using var lease = shelf.Take(mailbox.AccountId);
            if (scores) await CatchUpAsync(lease.Index, mailbox, settings.Search.CatchUp, long.MaxValue, cancel);
            else await CatchUpAsync(lease.Index, mailbox, asksBodies ? Math.Min(Few, settings.Search.CatchUp) : 0, FewOctets, cancel);
            ContentColumn column;
            using (var read = mail.Read())
            {
                if (read.Mailbox(mailboxId) is not { } now) return null;
                column = columns.Of(read.Transaction, now);
            }
            return new MailboxVerdicts(column, lease.Index.Ask(questions, cancel));
        }
        catch (Exception e) when (Stands(e))
        {
            Give(mailbox.AccountId, e);
            return null;
        }
    }

    /// <summary>How well the messages of a mailbox fit; null where there is no use of an index.</summary>
    public async ValueTask<MailboxScores?> ScoreAsync(long mailboxId, TextPlace place, string? field, IReadOnlyList<FuzzyWord> words, CancellationToken cancel)
    {
        if (!IsOn || Mailbox(mailboxId) is not { } mailbox || mailbox.Messages == 0) return null;
        try
        {
            using var lease = shelf.Take(mailbox.AccountId);
            await CatchUpAsync(lease.Index, mailbox, settings.Search.CatchUp, long.MaxValue, cancel);
            ContentColumn column; // without those that have been expunged: the best of all has 100
            using (var read = mail.Read())
            {
                if (read.Mailbox(mailboxId) is not { } now) return null;
                column = ContentColumn.Read(read.Transaction, now);
            }
            var (places, scores) = lease.Index.AskFuzzy(place, field, words, cancel);
            return new MailboxScores(column, places, scores);
        }
        catch (Exception e) when (Stands(e))
        {
            Give(mailbox.AccountId, e);
            return null;
        }
    }

    Mailbox? Mailbox(long mailboxId)
    {
        using var read = mail.Read();
        return read.Mailbox(mailboxId);
    }

    // the search goes on without the index
    static bool Stands(Exception e) => e is IOException or UnauthorizedAccessException or Storage.Sqlite.SqliteError;

    void Give(long accountId, Exception e)
    {
        MailboxesTelemetry.IndexFailed(log, accountId, e.Message);
        if (e is IndexDamage) shelf.Discard(accountId);
    }

    // before an answer that would be dear without, where it does not take long
    async ValueTask CatchUpAsync(AccountIndex index, Mailbox mailbox, int most, long mostOctets, CancellationToken cancel)
    {
        // the store has gone back in time, which only a restore does: what is in the index may be of other messages
        if (index.Watermark(mailbox.Id) > mailbox.UidNext) throw new IndexDamage("It knows of mail that has never been.");
        if (most == 0 || index.Watermark(mailbox.Id) == mailbox.UidNext || MustWait) return;
        (long Messages, long Octets) pending;
        using (var read = mail.Read()) pending = MessageTable.CountFrom(read.Transaction, mailbox.Id, index.Watermark(mailbox.Id), most + 1);
        if (pending.Messages > most || pending.Octets > mostOctets || !await turns.WaitAsync(Patience, cancel))
        {
            Missed?.Invoke(mailbox.AccountId);
            return;
        }
        try
        {
            if (!await index.HurryAsync(Patience, cancel)) return;
            try { await FillAsync(index, [mailbox], pause: null, cancel); }
            finally { index.Writing.Release(); }
        }
        finally { turns.Release(); }
    }

    /// <summary>Takes everything that an account has into its index, and tidies it.</summary>
    /// <param name="pause">Told what each piece took; where the work rests.</param>
    public async Task FillAsync(long accountId, Func<TimeSpan, CancellationToken, Task>? pause, CancellationToken cancel)
    {
        try
        {
            IReadOnlyList<Mailbox> mailboxes;
            long messages;
            using (var read = mail.Read()) (mailboxes, messages) = (read.Mailboxes(accountId), read.Usage(accountId).Messages);
            if (mailboxes.Count == 0)
            {
                shelf.Remove(accountId);
                return;
            }
            if (messages == 0 && !shelf.Has(accountId)) return; // thousands have just got their mailboxes
            using var lease = shelf.Take(accountId);
            var index = lease.Index;
            if (mailboxes.Any(mailbox => index.Watermark(mailbox.Id) > mailbox.UidNext)) // the store has gone back in time: a restore
            {
                shelf.Discard(accountId);
                return;
            }
            await index.Writing.WaitAsync(cancel);
            try
            {
                await FillAsync(index, mailboxes, pause, cancel);
                if (MustWait) return;
                var since = Stopwatch.GetTimestamp();
                await index.TidyAsync(index.Size.Documents > 100 + messages + messages / 2 ? Living(accountId) : null, async stop =>
                {
                    if (pause is null || Stopwatch.GetElapsedTime(since) is var took && took < Turn) return;
                    if (!index.IsHurried) await pause(took, stop);
                    since = Stopwatch.GetTimestamp();
                }, cancel);
            }
            finally { index.Writing.Release(); }
        }
        catch (Exception e) when (Stands(e))
        {
            Give(accountId, e);
        }
    }

    Func<long, bool> Living(long accountId)
    {
        using var read = mail.Read();
        var living = MessageTable.ContentsOf(read.Transaction, accountId);
        return living.Contains;
    }

    async Task FillAsync(AccountIndex index, IReadOnlyList<Mailbox> mailboxes, Func<TimeSpan, CancellationToken, Task>? pause, CancellationToken cancel)
    {
        var builder = new SegmentBuilder();
        var (watermarks, varied, gathered) = (new Dictionary<long, uint>(), new List<long>(), new Dictionary<long, uint>());
        foreach (var mailbox in mailboxes.TakeWhile(_ => !MustWait))
        {
            for (var next = index.Watermark(mailbox.Id); next < mailbox.UidNext;)
            {
                cancel.ThrowIfCancellationRequested();
                var since = Stopwatch.GetTimestamp();
                next = FillPiece(index, builder, mailbox, next, varied, gathered);
                watermarks[mailbox.Id] = next;
                if (builder.IsFull)
                {
                    index.Add(builder, watermarks, varied);
                    gathered.Clear();
                }
                if (MustWait) break; // what is gathered is kept, and the rest comes later
                if (pause is not null && !index.IsHurried) await pause(Stopwatch.GetElapsedTime(since), cancel);
            }
        }
        if (watermarks.Count > 0) index.Add(builder, watermarks, varied);
    }

    /// <returns>The first UID that is not in the index.</returns>
    uint FillPiece(AccountIndex index, SegmentBuilder builder, Mailbox mailbox, uint next, List<long> varied, Dictionary<long, uint> gathered)
    {
        using var read = mail.Read();
        var rows = MessageTable.Pieces(read.Transaction, mailbox.Id, next, Piece);
        foreach (var (uid, contentId, prefix) in rows)
        {
            next = uid + 1;
            var check = prefix.Length == 0 ? 0 : Storage.Blobs.Crc32C.Of(prefix);
            if ((gathered.TryGetValue(contentId, out var here) ? here : index.PrefixOf(contentId)) is { } before)
            {
                // COPY and MOVE bring the prefix along; a second delivery of the same body has another
                if (before != check) varied.Add(contentId);
                continue;
            }
            if (read.Content(contentId, prefix) is not { } content) continue; // expunged meanwhile
            if (!Take(builder, new(contentId, check), content)) return uid;
            gathered[contentId] = check;
            Interlocked.Increment(ref indexed);
            if (builder.IsFull || memory is { IsShort: true }) return next;
        }
        return rows.Count < Piece ? mailbox.UidNext : next;
    }

    /// <returns>False where memory has become short meanwhile.</returns>
    bool Take(SegmentBuilder builder, DocumentId id, MessageContent content)
    {
        var text = new MessageText(content, Indexing.MostText);
        text.Hold();
        try
        {
            return Indexing.Add(builder, id, text, memory);
        }
        catch (Exception e) when (!Stands(e))
        {
            // one message that cannot be read must not keep all others out
            MailboxesTelemetry.MessageNotIndexed(log, id.Content, e);
            builder.Add(Section.Marks, SearchMarks.Partial);
            return true;
        }
        finally { text.Release(); }
    }

    public async Task<IndexStatus> StatusAsync(long accountId, CancellationToken cancel)
    {
        await Task.Yield();
        cancel.ThrowIfCancellationRequested();
        using var read = mail.Read();
        var messages = read.Usage(accountId).Messages;
        if (!shelf.Has(accountId)) return new(accountId, messages, messages, default);
        using var lease = shelf.Take(accountId);
        var pending = read.Mailboxes(accountId).Sum(mailbox => MessageTable.CountFrom(read.Transaction, mailbox.Id, lease.Index.Watermark(mailbox.Id), int.MaxValue).Messages);
        return new(accountId, messages, pending, lease.Index.Size);
    }

    /// <summary>Throws the index away and makes it anew.</summary>
    public async Task RebuildAsync(long accountId, CancellationToken cancel)
    {
        shelf.Discard(accountId);
        await FillAsync(accountId, null, cancel);
    }

    /// <summary>The accounts that an index lies here for.</summary>
    public IReadOnlyList<long> Files() => shelf.Files();

    public void Dispose()
    {
        shelf.Dispose();
        turns.Dispose();
    }

    /// <summary>The name of an account's file.</summary>
    internal static string FileName(long accountId) => accountId.ToString(CultureInfo.InvariantCulture) + ".index";
}
