using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Backup;

/// <summary>
/// Messages on their way back: gathered, so that many share one commit, and few enough that memory stays small and others get in between.
/// A body that the store still has, for another mailbox or account, is only named once more.
/// </summary>
sealed class Shelf(MailStore mail, Spool spool, SnapshotReader snapshot, Sameness sameness)
{
    const int Most = 100;
    const long MostBytes = 4 << 20;
    const int Remembered = 100_000;

    readonly List<Item> waiting = [];
    readonly Dictionary<long, long> restored = []; // content of the snapshot -> of the store
    long held;

    sealed record Item(long Mailbox, Candidate Message, byte[] Prefix, IReadOnlyList<long> SeenBy, long? Existing, StagedMessage? Staged, Action Done, Action<IOException> Damaged);

    /// <param name="seenBy">Whoever has read it besides the owner (<see cref="Mailbox.ReaderOf"/>).</param>
    /// <param name="done">Told when it is there.</param>
    /// <param name="damaged">Told where the backup does not have it whole.</param>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public async Task AddAsync(long mailbox, Candidate message, byte[] prefix, IReadOnlyList<long> seenBy, Action done, Action<IOException> damaged, CancellationToken cancel)
    {
        long? existing = restored.TryGetValue(message.ContentId, out var known) ? known : sameness.IsSameRecord(message.ContentId) ? message.ContentId : null;
        var staged = existing is null ? TryStage(message.ContentId, damaged) : null;
        if (existing is null && staged is null) return;
        waiting.Add(new Item(mailbox, message, prefix, seenBy, existing, staged, done, damaged));
        held += staged is null ? 0 : message.Size;
        // the next of the same content must know of this one
        if (waiting.Count >= Most || held >= MostBytes || staged is not null && IsShared(message.ContentId)) await CommitAsync(cancel);
    }

    public async Task CommitAsync(CancellationToken cancel)
    {
        if (waiting.Count == 0) return;
        var items = waiting.ToList();
        waiting.Clear();
        held = 0;
        try
        {
            var contents = await mail.Store.CommitAsync(write => items.ConvertAll(item => Put(write, item)), cancel);
            for (var i = 0; i < items.Count; i++)
            {
                if (contents[i] is not { } content) continue;
                if (restored.Count < Remembered) restored[items[i].Message.ContentId] = content;
                items[i].Done();
            }
            // the body went with its last row between the look and the commit: bring it anew
            foreach (var item in items.Where((_, i) => contents[i] is null))
            {
                restored.Remove(item.Message.ContentId);
                if (TryStage(item.Message.ContentId, item.Damaged) is { } staged) waiting.Add(item with { Existing = null, Staged = staged });
            }
        }
        finally
        {
            foreach (var item in items) item.Staged?.Dispose();
        }
        if (waiting.Count > 0) await CommitAsync(cancel);
    }

    long? Put(WriteTransaction write, Item item)
    {
        ContentRef content;
        if (item.Staged is { } staged) content = mail.AddContent(write, staged);
        else if (RestoreTable.HasContent(write, item.Existing!.Value)) content = new ContentRef(item.Existing.Value, item.Message.Size - item.Prefix.Length);
        else return null;
        var row = new NewMessage(content, item.Prefix, item.Message.Flags, item.Message.Keywords?.Split(' ') ?? [], item.Message.Received);
        var added = mail.AddMessage(write, item.Mailbox, row, quota: 0);
        if (!added.Ok) throw new BackupProblem($"A mailbox went away while it was being restored: {added.Refusal.Sentence}");
        foreach (var reader in item.SeenBy) Readers.Mark(write, item.Mailbox, reader, [added.Value.Uid], added.Value.ModSeq);
        return content.Id;
    }

    StagedMessage? TryStage(long contentId, Action<IOException> damaged)
    {
        try
        {
            return Stage(contentId);
        }
        catch (BodyDamage error)
        {
            damaged(error);
            return null;
        }
    }

    StagedMessage Stage(long contentId)
    {
        var content = snapshot.Mail.Content(contentId) ?? throw new BodyDamage("its body is not in the snapshot", null);
        using var bytes = spool.Create();
        Bytes.Each(content, piece => bytes.Append(piece));
        // what resembled another then (a mailing's first copy) is compressed against it again where that one is still here
        var basis = RestoreTable.Body(snapshot.Transaction, contentId)?.Base;
        return mail.Stage(bytes.Content, basis is { } like && sameness.IsSameRecord(like) ? like : null);
    }

    bool IsShared(long contentId) => RestoreTable.References(snapshot.Transaction, contentId) > 1;
}
