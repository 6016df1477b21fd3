using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Opens a vault on what a power cut has left and says what is wrong with it; nothing, it is hoped.</summary>
sealed class CutCheck(Recording recording, int cut)
{
    static readonly ConcurrentDictionary<int, byte[]> letters = new();
    readonly List<string> faults = [];

    Step Before => recording.Steps.Last(step => step.Told <= cut || step.What == "open");
    Step? InFlight => recording.Steps.FirstOrDefault(step => step.Begun <= cut && step.Told > cut && step.What != "open");

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
            Check(store, mail, recording.Bodies);
            if (goOn)
            {
                var bodies = await GoOnAsync(store, mail, state);
                var after = VaultState.Of(store);
                await store.DisposeAsync();
                store = null;
                (store, mail) = Workload.Open(recording.Settings with { Data = disk.Data }, disk, time);
                faults.AddRange(VaultState.Of(store).Unlike(after).Select(difference => "after going on, closing and opening: " + difference));
                Check(store, mail, bodies);
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
        if (without.Count == 0) return;
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
            var rows = after["message"].Where(pair => !lost.Contains(VaultState.Number(pair.Value, "content_id").ToString(System.Globalization.CultureInfo.InvariantCulture))).ToDictionary();
            var expected = new VaultState { Tables = new(after.Tables) { ["message"] = rows } };
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

    void Check(Store store, MailStore mail, IReadOnlyDictionary<long, int> bodies)
    {
        using (var read = store.Read())
        {
            Counted(read);
            Referenced(read);
        }
        using var reader = mail.Read();
        var contents = new List<long>();
        using (var row = reader.Transaction.Prepare("SELECT id FROM content"))
            while (row.Step()) contents.Add(row.Int64(0));
        foreach (var id in contents)
        {
            if (!bodies.TryGetValue(id, out var letter)) { faults.Add($"content {id} was never asked for"); continue; }
            try
            {
                var content = reader.Content(id)!;
                if (!content.Read(0, (int)content.Size).AsSpan().SequenceEqual(letters.GetOrAdd(letter, Letters.Bytes))) faults.Add($"content {id} is not letter {letter}");
            }
            catch (Exception error) when (error is IOException or InvalidOperationException or ArgumentException or IndexOutOfRangeException)
            {
                faults.Add($"content {id} (letter {letter}): {error.Message}");
            }
        }
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
            SELECT c.id || ': ' || c.refs FROM content c WHERE c.refs = 0 OR c.refs <> (SELECT count(*) FROM message WHERE content_id = c.id)
            + (SELECT count(*) FROM queue_message WHERE content_id = c.id) + (SELECT count(*) FROM content WHERE base = c.id) + (SELECT count(*) FROM mailing WHERE base_content = c.id)
            """);
        None(read, "base", "SELECT id FROM content WHERE base NOT IN (SELECT id FROM content)");
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

    /// <summary>Mail goes on to arrive; no UID and no UIDVALIDITY that anybody was told comes again.</summary>
    async Task<Dictionary<long, int>> GoOnAsync(Store store, MailStore mail, VaultState state)
    {
        var told = recording.Steps.Where(step => step.Told <= cut && step.After is not null).ToList();
        var bodies = new Dictionary<long, int>(recording.Bodies);
        foreach (var (id, _) in state["mailbox"])
        {
            var mailbox = long.Parse(id, System.Globalization.CultureInfo.InvariantCulture);
            if (mailbox > 7 && mailbox % 3 != 0) continue;
            var letter = 1_000_000 + (int)mailbox;
            using var staged = mail.Stage(Letters.Bytes(letter), state["content"].Count > 0 && mailbox % 2 == 0 ? long.Parse(state["content"].Keys.First(), System.Globalization.CultureInfo.InvariantCulture) : null);
            var appended = await mail.AppendAsync(mailbox, staged, MessageFlags.None, [], null, 0, default);
            if (!appended.Ok) { faults.Add($"going on in mailbox {mailbox}: {appended.Refusal}"); continue; }
            using var reader = mail.Read();
            bodies[reader.Message(mailbox, appended.Value.Uid)!.Value.ContentId] = letter;
            foreach (var step in told)
            {
                if (!step.After!["mailbox"].TryGetValue(id, out var row)) continue;
                if (VaultState.Number(row, "uid_next") > appended.Value.Uid) faults.Add($"UID {appended.Value.Uid} of mailbox {mailbox} is given again");
                if (VaultState.Number(row, "uid_validity") != appended.Value.UidValidity) faults.Add($"UIDVALIDITY of mailbox {mailbox} has changed");
                if (VaultState.Number(row, "modseq") >= appended.Value.ModSeq) faults.Add($"MODSEQ {appended.Value.ModSeq} of mailbox {mailbox} is given again");
            }
        }
        if (state["usage"].Count == 0) return bodies;
        var made = await mail.CreateAsync(1, "made after the cut", null, default);
        var validities = told.SelectMany(step => step.After!["mailbox"].Values).Select(row => VaultState.Number(row, "uid_validity")).ToHashSet();
        if (!made.Ok || validities.Contains(made.Value!.UidValidity)) faults.Add("a new mailbox has the UIDVALIDITY of another");
        return bodies;
    }
}
