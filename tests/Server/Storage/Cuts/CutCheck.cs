using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using CbaMail.Backup;
using CbaMail.Mailboxes;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Opens a vault on what a power cut has left and says what is wrong with it; nothing, it is hoped.</summary>
sealed class CutCheck(Recording recording, int cut)
{
    static readonly ConcurrentDictionary<int, byte[]> letters = new();
    readonly List<string> faults = [];
    readonly Dictionary<long, int> found = []; // which letter each content is

    Step Before => recording.Steps.Last(step => step.Told <= cut || step.What == "open");
    /// <summary>Letters of batches that failed right before the cut, or were under way: their commit may have been lost or have come back.</summary>
    List<int> Doubtful
    {
        get
        {
            var doubtful = new List<int>();
            for (var i = recording.Steps.IndexOf(Before); i >= 0 && recording.Steps[i].Failed; i--) doubtful.AddRange(recording.Steps[i].Letters);
            if (InFlight is { } step && (step.Failed || step.After is null)) doubtful.AddRange(step.Letters);
            return doubtful;
        }
    }

    Step? InFlight => recording.Steps.FirstOrDefault(step => step.Begun <= cut && step.Told > cut && step.What != "open");

    /// <summary>The message of a number.</summary>
    public static byte[] Letter(int number) => letters.GetOrAdd(number, Letters.Bytes);

    /// <param name="goOn">Work on after the check, close, open and check again.</param>
    /// <returns>Each fault as a sentence.</returns>
    public async Task<List<string>> RunAsync(SimulatedDisk disk, bool goOn)
    {
        Store? store = null;
        try
        {
            var time = new ManualTime(new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero));
            (store, var mail) = Workload.Open(recording.Settings with { Data = disk.Data }, disk, time);
            var state = VaultState.Of(store);
            IsOneOfTheAllowed(state);
            Check(store, mail, first: true);
            var snapshots = new SnapshotCheck(recording, cut, disk, time, faults);
            await snapshots.RunAsync();
            if (goOn)
            {
                await GoOnAsync(store, mail, state);
                await RewriteAsync(store, time);
                await VerifyAsync(mail, time, faults);
                if (recording.Snapshots.Count > 0) await snapshots.BackUpAgainAsync(store, found);
                Check(store, mail, first: false);
                var after = VaultState.Of(store);
                await store.DisposeAsync();
                store = null;
                (store, mail) = Workload.Open(recording.Settings with { Data = disk.Data }, disk, time);
                faults.AddRange(VaultState.Of(store).Unlike(after).Select(difference => "after going on, closing and opening: " + difference));
                Check(store, mail, first: false);
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            faults.Add(error.ToString());
        }
        if (store is not null) await store.DisposeAsync();
        return faults;
    }

    /// <summary>What was acknowledged, and of what was under way all or nothing; bodies that were not flushed may be missing.</summary>
    void IsOneOfTheAllowed(VaultState state)
    {
        var without = state.Unlike(Before.After!);
        if (without.Count == 0 || (Doubtful.Count > 0 && IsNotLess(state, Before.After!))) return;
        if (InFlight is not { After: { } after } step)
        {
            faults.AddRange(without.Select(difference => "acknowledged: " + difference));
            return;
        }
        var with = state.Unlike(after);
        if (with.Count == 0) return;
        var lost = after["content"].Keys.Except(state["content"].Keys).ToHashSet();
        var acknowledged = Before.After!["content"];
        if (lost.Count > 0 && !step.Firm && !lost.Any(acknowledged.ContainsKey))
        {
            Dictionary<string, string> Left(string table) =>
                after[table].Where(pair => !lost.Contains(VaultState.Number(pair.Value, "content_id").ToString(System.Globalization.CultureInfo.InvariantCulture))).ToDictionary();
            var expected = new VaultState { Tables = new(after.Tables) { ["message"] = Left("message"), ["kept_message"] = Left("kept_message") } };
            // counters and references follow from the rows, and are counted again below
            with = state.Unlike(expected, table => table is not ("content" or "object" or "mailbox" or "usage" or "expunged"));
            foreach (var (id, row) in after["mailbox"])
            {
                if (!state["mailbox"].TryGetValue(id, out var found)) { with.Add($"-mailbox {id}"); continue; }
                if (VaultState.Number(found, "uid_next") != VaultState.Number(row, "uid_next") || VaultState.Number(found, "uid_validity") != VaultState.Number(row, "uid_validity")
                    || VaultState.Number(found, "modseq") < VaultState.Number(row, "modseq")) with.Add($"*mailbox {id}: {found} instead of {row}");
            }
            with.AddRange(state["content"].Keys.Except(after["content"].Keys).Select(id => $"+content {id}"));
            with.AddRange(after["expunged"].Keys.Except(state["expunged"].Keys).Select(key => $"-expunged {key}"));
            if (with.Count == 0) return;
        }
        faults.AddRange((with.Count < without.Count ? with : without).Select(difference => $"acknowledged or wholly done: {difference}{(step.Firm ? " (bodies first)" : "")}"));
    }

    // everything is there as it was, and at most letters more: whether they are those that were asked for shows with their bodies
    static bool IsNotLess(VaultState state, VaultState before) =>
        before.Unlike(state, table => table is not ("content" or "object" or "mailbox" or "usage" or "expunged")).All(difference => difference[0] == '-')
        && before["mailbox"].Keys.All(state["mailbox"].ContainsKey);

    // of mail that vanished after all, those who have seen it are told
    void IsToldToThoseWhoSaw(MailReader reader)
    {
        if (InFlight is not { } step) return;
        foreach (var seen in step.Seen.Where(seen => seen.At <= cut))
        {
            if (reader.ChangesSince(seen.Mailbox, seen.ModSeq) is not { } changes) continue;
            var there = reader.Messages(seen.Mailbox).Select(row => row.Uid).ToHashSet();
            faults.AddRange(seen.Uids.Where(uid => !there.Contains(uid) && !changes.Vanished.Contains(uid)).Select(uid => $"UID {uid} of mailbox {seen.Mailbox} was seen and has vanished without a word"));
        }
    }

    void Check(Store store, MailStore mail, bool first)
    {
        using (var read = store.Read())
        {
            Counted(read);
            Referenced(read);
        }
        using var reader = mail.Read();
        IsToldToThoseWhoSaw(reader);
        var contents = new List<long>();
        using (var row = reader.Transaction.Prepare("SELECT id FROM content"))
            while (row.Step()) contents.Add(row.Int64(0));
        foreach (var id in contents)
        {
            var expected = found.TryGetValue(id, out var letter) || (first && IsKnown(id) && recording.Bodies.TryGetValue(id, out letter)) ? [letter] : first ? Doubtful : [];
            try
            {
                var content = reader.Content(id)!;
                var bytes = content.Read(0, (int)content.Size);
                var matching = expected.FindIndex(one => bytes.AsSpan().SequenceEqual(letters.GetOrAdd(one, Letters.Bytes)));
                if (matching >= 0) found[id] = expected[matching];
                else faults.Add(expected.Count == 0 ? $"content {id} was never asked for" : $"content {id} is not letter {string.Join(" or ", expected)}");
            }
            catch (Exception error) when (error is IOException or InvalidOperationException or ArgumentException or IndexOutOfRangeException)
            {
                faults.Add($"content {id} (letter {letter}): {error.Message}");
            }
        }
    }

    // after a failed batch another one may have had the same ids
    bool IsKnown(long content)
    {
        var id = content.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Doubtful.Count == 0 || Before.After!["content"].ContainsKey(id) || InFlight?.After?["content"].ContainsKey(id) == true;
    }

    void None(ReadTransaction read, string what, string sql)
    {
        using var row = read.Prepare(sql);
        while (row.Step()) faults.Add($"{what}: {row.Text(0)}");
    }

    void Counted(ReadTransaction read)
    {
        None(read, "SQLite", "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'");
        None(read, "counts of mailbox", """
            SELECT b.id FROM mailbox b LEFT JOIN (SELECT mailbox_id, count(*) AS n, sum(flags & 1 = 0) AS unseen, sum(flags & 8 <> 0) AS deleted, sum(size) AS bytes, max(uid) AS uid, max(modseq) AS modseq
            FROM message GROUP BY 1) m ON m.mailbox_id = b.id
            WHERE (b.messages, b.unseen, b.deleted, b.bytes) <> (coalesce(m.n, 0), coalesce(m.unseen, 0), coalesce(m.deleted, 0), coalesce(m.bytes, 0)) OR m.uid >= b.uid_next OR m.modseq > b.modseq
            """);
        None(read, "usage of account", """
            SELECT u.account_id FROM usage u LEFT JOIN (SELECT account_id, sum(messages) AS n, sum(bytes) AS bytes, max(modseq) AS modseq FROM mailbox GROUP BY 1) b ON b.account_id = u.account_id
            WHERE (u.messages, u.bytes) <> (coalesce(b.n, 0), coalesce(b.bytes, 0)) OR b.modseq > u.modseq
            """);
        None(read, "message without mailbox", "SELECT mailbox_id FROM message WHERE mailbox_id NOT IN (SELECT id FROM mailbox)");
        None(read, "size of message", "SELECT m.mailbox_id || ' ' || m.uid FROM message m JOIN content c ON c.id = m.content_id WHERE m.size <> c.size + coalesce(length(m.prefix), 0)");
    }

    void Referenced(ReadTransaction read)
    {
        None(read, "message without content", "SELECT mailbox_id || ' ' || uid FROM message WHERE content_id NOT IN (SELECT id FROM content)");
        None(read, "references of content", """
            SELECT c.id || ': ' || c.refs FROM content c WHERE c.refs = 0 OR c.refs + coalesce((SELECT more FROM content_held WHERE content_id = c.id), 0) <> (SELECT count(*) FROM message WHERE content_id = c.id) + (SELECT count(*) FROM kept_message WHERE content_id = c.id)
            + (SELECT count(*) FROM queue_message WHERE content_id = c.id) + (SELECT count(*) FROM content WHERE base = c.id) + (SELECT count(*) FROM mailing WHERE base_content = c.id)
            """);
        None(read, "references beside the content's own", "SELECT content_id FROM content_held WHERE more <= 0 OR content_id NOT IN (SELECT id FROM content)");
        None(read, "base", "SELECT id FROM content WHERE base NOT IN (SELECT id FROM content)");
        None(read, "kept message without content", "SELECT id FROM kept_message WHERE content_id NOT IN (SELECT id FROM content)");
        None(read, "kept message that is there as well", "SELECT k.id FROM kept_message k JOIN message m ON m.mailbox_id = k.mailbox_id AND m.uid = k.uid");
        None(read, "queue entry without content", "SELECT id FROM queue_message WHERE content_id NOT IN (SELECT id FROM content)");
        None(read, "queue entry without recipient", "SELECT id FROM queue_message WHERE id NOT IN (SELECT message_id FROM queue_recipient)");
        None(read, "recipient without queue entry", "SELECT message_id FROM queue_recipient WHERE message_id NOT IN (SELECT id FROM queue_message)");
        var used = new Dictionary<long, int>();
        using (var row = read.Prepare("SELECT parts FROM content WHERE parts IS NOT NULL"))
            while (row.Step())
            {
                var numbers = MemoryMarshal.Cast<byte, long>(row.Blob(0));
                for (var i = 2; i < numbers.Length; i += 3) used[numbers[i]] = used.GetValueOrDefault(numbers[i]) + 1;
            }
        using (var row = read.Prepare("SELECT id, refs FROM object"))
            while (row.Step())
                if (!used.Remove(row.Int64(0), out var count) || count != row.Int64(1)) faults.Add($"references of object {row.Int64(0)}: {row.Int64(1)} instead of {count}");
        faults.AddRange(used.Keys.Select(id => $"object {id} is missing"));
    }

    public static async Task VerifyAsync(MailStore mail, TimeProvider time, List<string> faults)
    {
        var verification = new Verification(mail, [KeptTable.Holder, QueueHolding.Holder, MailingHolding.Holder], time);
        var summary = await verification.RunAsync(new VerifyOptions(Gentle: false),
            finding => { if (finding.IsProblem) faults.Add("verify: " + finding.Text); }, (_, _) => { }, default);
        if (!summary.Ok) faults.Add("verify: " + summary.Refusal.Sentence);
    }

    async Task RewriteAsync(Store store, TimeProvider time)
    {
        var rewriting = Workload.Rewriting(store, recording.Settings, time);
        for (var left = 300; (await rewriting.StepAsync(default)).Deed is not (RewriteDeed.Nothing or RewriteDeed.Held); left--)
            if (left == 0) throw new InvalidOperationException("rewriting does not end");
    }

    /// <summary>Mail goes on to arrive; no UID and no UIDVALIDITY that anybody was told comes again.</summary>
    async Task GoOnAsync(Store store, MailStore mail, VaultState state)
    {
        var told = recording.Steps.Where(step => step.Told <= cut && step.After is not null).ToList();
        foreach (var (id, _) in state["mailbox"])
        {
            var mailbox = long.Parse(id, System.Globalization.CultureInfo.InvariantCulture);
            if (mailbox > 7 && mailbox % 3 != 0) continue;
            var letter = 1_000_000 + (int)mailbox;
            using var staged = mail.Stage(Letters.Bytes(letter), state["content"].Count > 0 && mailbox % 2 == 0 ? long.Parse(state["content"].Keys.First(), System.Globalization.CultureInfo.InvariantCulture) : null);
            var appended = await mail.AppendAsync(mailbox, staged, MessageFlags.None, [], null, 0, default);
            if (!appended.Ok) { faults.Add($"going on in mailbox {mailbox}: {appended.Refusal}"); continue; }
            using var reader = mail.Read();
            found[reader.Message(mailbox, appended.Value.Uid)!.Value.ContentId] = letter;
            foreach (var step in told)
            {
                if (!step.After!["mailbox"].TryGetValue(id, out var row)) continue;
                if (VaultState.Number(row, "uid_next") > appended.Value.Uid) faults.Add($"UID {appended.Value.Uid} of mailbox {mailbox} is given again");
                if (VaultState.Number(row, "uid_validity") != appended.Value.UidValidity) faults.Add($"UIDVALIDITY of mailbox {mailbox} has changed");
                if (VaultState.Number(row, "modseq") >= appended.Value.ModSeq) faults.Add($"MODSEQ {appended.Value.ModSeq} of mailbox {mailbox} is given again");
            }
        }
        if (state["usage"].Count == 0) return;
        var made = await mail.CreateAsync(1, "made after the cut", null, default);
        var validities = told.SelectMany(step => step.After!["mailbox"].Values).Select(row => VaultState.Number(row, "uid_validity")).ToHashSet();
        if (!made.Ok || validities.Contains(made.Value!.UidValidity)) faults.Add("a new mailbox has the UIDVALIDITY of another");
    }
}
