using CbaMail.Directory;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Backup;

/// <summary>A body or large part that cannot be read whole, and the messages that hold it.</summary>
/// <param name="Row">Null where there is no such row although something names it.</param>
/// <param name="Because">The damaged thing that it needs, if itself is whole.</param>
sealed record Damage(RecordKind Kind, long Id, StoredRow? Row, string Fault, (RecordKind Kind, long Id)? Because = null)
{
    public List<(long AccountId, long MailboxId, string Mailbox, uint Uid)> Messages { get; } = [];
}

/// <summary>One walk through everything: what it needs, what it has found, and how it stays out of the way.</summary>
sealed class Inspection(MailStore mail, IReadOnlyList<BodyHolder> holders, TimeProvider time, VerifyOptions options, Action<Finding> report, Action<long, long> progress, CancellationToken cancel)
{
    readonly Store store = mail.Store;
    readonly SortedDictionary<(RecordKind, long), Damage> damages = [];
    readonly List<Fix> fixes = [];
    Dictionary<long, string> names = [];
    long done, of;
    long problems;

    public Store Store => store;
    public MailStore Mail => mail;
    public IReadOnlyList<BodyHolder> Holders => holders;
    public CancellationToken Cancel => cancel;
    public IReadOnlyDictionary<(RecordKind Kind, long Id), Damage> Damages => damages;
    public IReadOnlyList<Fix> Fixes => fixes;
    public long Problems => problems;

    // what the summary tells
    public long Accounts { get; set; }
    public long Mailboxes { get; set; }
    public long Messages { get; set; }
    public long Bodies { get; set; }
    public long Parts { get; set; }
    public long Bytes { get; set; }
    public long GarbageRecords { get; set; }
    public long GarbageBytes { get; set; }

    /// <summary>Everything, in an order in which a later check knows what an earlier one found.</summary>
    public async Task RunAsync()
    {
        using var hold = store.Packs.HoldRemovals(); // a record that is moved meanwhile can be read where its row named it
        using (var read = store.Read())
        {
            names = Names(read);
            var (contents, objects, messages) = VerifyTable.Extent(read);
            of = contents + objects + messages;
        }
        try
        {
            await DatabaseCheck.RunAsync(this);
            await ContentAsync();
        }
        catch (SqliteError error) when (error.IsFatal)
        {
            Report(new Finding("database", $"the database cannot be read: {error.Message}. {DatabaseFile.Advice}"));
            fixes.Clear(); // what is known of it is not to be relied on
            damages.Clear();
        }
        progress(of, of);
    }

    async Task ContentAsync()
    {
        var packs = await PackCheck.BeginAsync(this);
        var bodies = new BodyCheck(this, packs);
        await bodies.RunAsync(RecordKind.Object);
        await bodies.RunAsync(RecordKind.Content);
        await bodies.SpreadAsync();
        await new MailboxCheck(this).RunAsync();
        new SharingCheck(this).Run();
        await ReferenceCheck.RunAsync(this);
        HoldersCheck();
        await packs.RunAsync();
        new DamageReport(this).Write();
    }

    public void Report(Finding finding, string? done = null, Action<WriteTransaction>? mend = null)
    {
        if (finding.IsProblem) problems++;
        if (mend is not null) fixes.Add(new Fix(finding, done!, mend));
        report(finding);
    }

    public void Note(string sentence) => report(new Finding("note", sentence));

    public Damage Add(Damage damage) => damages.TryGetValue((damage.Kind, damage.Id), out var known) ? known : damages[(damage.Kind, damage.Id)] = damage;

    /// <summary>The address of an account; those that are younger than the run are asked for.</summary>
    public string Name(long accountId)
    {
        if (names.TryGetValue(accountId, out var name)) return name;
        using (var read = store.Read()) names = Names(read);
        return names.TryGetValue(accountId, out name) ? name : $"account {accountId} (which the directory does not know)";
    }

    public bool IsKnown(ReadTransaction read, long accountId) => names.ContainsKey(accountId) || (names = Names(read)).ContainsKey(accountId);

    // the public folders of a domain are mailboxes of its number with a minus
    static Dictionary<long, string> Names(ReadTransaction read)
    {
        var names = DirectoryTable.Accounts(read).ToDictionary(row => row.Account.Id, row => row.Account.Address.ToString());
        foreach (var domain in DirectoryTable.Domains(read)) names[-domain.Id] = $"public folders of {domain.Name}";
        return names;
    }

    /// <summary>The addresses of all accounts.</summary>
    public HashSet<string> Addresses(ReadTransaction read) => [.. DirectoryTable.Accounts(read).Select(row => row.Account.Address.ToString())];

    public void Advance(long count)
    {
        done += count;
        progress(Math.Min(done, of), of);
    }

    public DateTimeOffset Now => time.GetUtcNow();

    public long Begin() => time.GetTimestamp();

    /// <summary>Rests as long as the piece took, where others are at work.</summary>
    public async ValueTask RestAsync(long begun)
    {
        cancel.ThrowIfCancellationRequested();
        if (!options.Gentle) return;
        var took = time.GetElapsedTime(begun);
        await Task.Delay(took < TimeSpan.FromSeconds(1) ? took : TimeSpan.FromSeconds(1), time, cancel);
    }

    /// <summary>The bytes of a pack of ours.</summary>
    public ReadAt Pack(int pack) => (position, bytes) => store.Packs.TryRead(pack, position, bytes);

    // what nobody waits for any more is given back to its sender
    void Mend(WriteTransaction write, HolderFault fault, IReadOnlyList<long> owners)
    {
        if (fault.Mend(write) is not { } content) return;
        if (VerifyTable.SizeOf(write, content) is not { } size) return;
        foreach (var owner in owners) Recover(write, owner, new ContentRef(content, size), []);
        mail.DropReference(write, content);
    }

    /// <summary>Puts a body whose place is lost where its owner finds it.</summary>
    public void Recover(WriteTransaction write, long accountId, ContentRef content, byte[] prefix) =>
        _ = mail.AddMessage(write, mail.EnsureMailbox(write, accountId, Owners.Mailbox), new NewMessage(content, prefix, MessageFlags.None, [], Now), quota: 0);

    void HoldersCheck()
    {
        foreach (var holder in holders)
        {
            List<HolderFault> wrong;
            var owners = new Dictionary<HolderFault, IReadOnlyList<long>>();
            List<long> missing;
            using (var read = store.Read())
            {
                wrong = [.. holder.Wrong(read)];
                foreach (var fault in wrong.Where(fault => fault.Sender is not null)) owners[fault] = new Owners(read).OfSender(fault.Sender!);
                missing = [.. holder.Held(read).Distinct().Where(id => VerifyTable.Get(read, RecordKind.Content, id) is null)];
            }
            foreach (var fault in wrong) Report(new Finding(holder.Name, fault.Sentence), fault.Done, write => Mend(write, fault, owners.GetValueOrDefault(fault, [])));
            foreach (var id in missing) Add(new Damage(RecordKind.Content, id, null, "the row of its body is gone"));
        }
    }
}
