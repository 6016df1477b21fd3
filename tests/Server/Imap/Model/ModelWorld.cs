using CbaMail.Directory;
using CbaMail.Mailboxes;
using Xunit.Sdk;

namespace CbaMail.Tests.Server.Imap.Model;

/// <summary>
/// The account as it must be: a few lists in memory that know nothing of how the server does it. Deeds change them as the RFC says; after each
/// step they are laid beside what the store has (Compare), which also tells the modification sequences.
/// </summary>
sealed class ModelWorld(ImapFixture fixture, Account account, int seed)
{
    const int LinesKept = 300;

    readonly Queue<string> log = [];
    readonly Dictionary<uint, long> validities = [];
    readonly Dictionary<(uint Validity, uint Uid), object> recents = [];
    int letters;

    public int Seed => seed;
    public Account Account => account;
    public ImapFixture Fixture => fixture;
    public Dictionary<string, Box> Boxes { get; } = [];
    public int Step { get; set; }
    /// <summary>Several act at once: what they are told can be checked only against itself, until the next <see cref="Reload"/>.</summary>
    public bool IsWild { get; set; }

    // ---- what is written when something is wrong

    public void Say(string line)
    {
        lock (log)
        {
            log.Enqueue(line);
            if (log.Count > LinesKept) log.Dequeue();
        }
    }

    public XunitException Wrong(string what)
    {
        lock (log)
            return new XunitException($"seed {seed}, step {Step}: {what}\nCBAMAIL_MODEL_SEED={seed} CBAMAIL_MODEL_STEPS={Step + 1} plays it again. The last lines:\n  " + string.Join("\n  ", log));
    }

    public void Demand(bool holds, string what)
    {
        if (!holds) throw Wrong(what);
    }

    // ---- deeds

    /// <summary>A message of a size that no other has.</summary>
    public string NewMessage() => Message(Interlocked.Increment(ref letters));

    static string Message(int number) => ImapClient.Message(number, "Hello" + new string('.', number) + "\r\n");

    public bool Create(string name)
    {
        if (Boxes.ContainsKey(name)) return false;
        foreach (var above in MailboxName.Above(name))
            if (!Boxes.ContainsKey(above)) Boxes[above] = new Box(above);
        Boxes[name] = new Box(name);
        return true;
    }

    public bool Delete(string name)
    {
        if (name == "INBOX" || !Boxes.Remove(name, out var box)) return false;
        box.IsDeleted = true;
        return true;
    }

    /// <summary>RFC 9051 6.3.6: with all that is below; INBOX gives its messages and stays.</summary>
    public bool Rename(string from, string to)
    {
        var below = Boxes.Keys.Where(name => name.StartsWith(from + "/", StringComparison.Ordinal)).ToList();
        if (!Boxes.TryGetValue(from, out var box) && below.Count == 0) return false;
        if (Boxes.ContainsKey(to) || to.StartsWith(from + "/", StringComparison.Ordinal) && from != "INBOX") return false;
        if (from != "INBOX" && below.Exists(name => Boxes.ContainsKey(to + name[from.Length..]))) return false;
        foreach (var above in MailboxName.Above(to))
            if (!Boxes.ContainsKey(above)) Boxes[above] = new Box(above);
        if (from == "INBOX")
        {
            var target = Boxes[to] = new Box(to);
            Move(box!, [.. box!.Letters.Values], target);
            return true;
        }
        foreach (var name in box is null ? below : below.Prepend(from))
        {
            Boxes.Remove(name, out var moved);
            moved!.Name = to + name[from.Length..];
            Boxes[moved.Name] = moved;
        }
        if (box is null) Boxes[to] = new Box(to);
        return true;
    }

    /// <returns>Those that have been done, and those that have been changed since (RFC 7162 3.1.3).</returns>
    public static (List<Letter> Done, List<Letter> Failed) Store(Box box, IEnumerable<Letter> targets, string mode, int flags, long? unchangedSince)
    {
        var (done, failed) = (new List<Letter>(), new List<Letter>());
        foreach (var letter in targets)
        {
            if (letter.ModSeq > unchangedSince) { failed.Add(letter); continue; }
            box.Change(letter, ModelFlags.Apply(letter.Flags, mode, flags));
            done.Add(letter);
        }
        return (done, failed);
    }

    public static void Expunge(Box box, IEnumerable<Letter> among)
    {
        foreach (var letter in among.Where(l => (l.Flags & ModelFlags.Deleted) != 0).ToList()) box.Remove(letter);
    }

    /// <returns>The UIDs that the copies get.</returns>
    public static List<uint> Copy(IReadOnlyList<Letter> targets, Box to) => [.. targets.Select(letter => to.Add(letter.Size, letter.Flags).Uid)];

    public static List<uint> Move(Box from, IReadOnlyList<Letter> targets, Box to)
    {
        var uids = Copy(targets, to);
        foreach (var letter in targets) from.Remove(letter);
        return uids;
    }

    /// <summary>RFC 3501 2.3.2: a message is \Recent to one session.</summary>
    public void ClaimRecent(uint validity, uint uid, object session)
    {
        lock (recents)
            if (!recents.TryAdd((validity, uid), session) && recents[(validity, uid)] != session) throw Wrong($"UID {uid} is \\Recent to a second session");
    }

    // ---- beside the store

    /// <summary>The store must have what the model has; modification sequences are learned, and must rise where something has changed and only there.</summary>
    public void Compare()
    {
        using var reader = fixture.Mail.Read();
        var kept = reader.Mailboxes(account.Id);
        Demand(kept.Count == Boxes.Count && kept.All(m => Boxes.ContainsKey(m.Name)),
            $"mailboxes are {string.Join(", ", kept.Select(m => m.Name).Order())}; expected {string.Join(", ", Boxes.Keys.Order())}");
        foreach (var mailbox in kept)
        {
            var box = Boxes[mailbox.Name];
            Identify(box, mailbox);
            if (!box.IsTouched && mailbox.ModSeq == box.ModSeq) continue;
            Demand(box.IsTouched == mailbox.ModSeq > box.ModSeq, $"{box}: HIGHESTMODSEQ went from {box.ModSeq} to {mailbox.ModSeq}");
            Demand(mailbox.UidNext == box.UidNext, $"{box}: UIDNEXT is {mailbox.UidNext}, expected {box.UidNext}");
            Compare(box, reader.Messages(mailbox.Id), mailbox);
            (box.ModSeq, box.IsTouched) = (mailbox.ModSeq, false);
        }
    }

    void Compare(Box box, List<MessageRow> rows, Mailbox mailbox)
    {
        Demand(rows.Count == box.Letters.Count && rows.Select(r => r.Uid).SequenceEqual(box.Letters.Keys),
            $"{box} has UIDs {NumberSets.Write(rows.Select(r => r.Uid))}; expected {NumberSets.Write(box.Letters.Keys)}");
        foreach (var row in rows)
        {
            var letter = box.Letters[row.Uid];
            Demand(row.Size == letter.Size, $"{box}: UID {row.Uid} is another message: {row.Size} octets, expected {letter.Size}");
            Demand(FlagsOf(row) == letter.Flags, $"{box}: UID {row.Uid} has ({ModelFlags.Text(FlagsOf(row))}); expected ({ModelFlags.Text(letter.Flags)})");
            Demand(letter.IsTouched ? row.ModSeq > box.ModSeq : row.ModSeq == letter.ModSeq, $"{box}: MODSEQ of UID {row.Uid} is {row.ModSeq}, was {letter.ModSeq}, HIGHESTMODSEQ was {box.ModSeq}");
            Demand(row.ModSeq <= mailbox.ModSeq, $"{box}: MODSEQ of UID {row.Uid} is above HIGHESTMODSEQ");
            if (letter.IsTouched) letter.Learn(row.ModSeq);
        }
        Demand(mailbox.Messages == rows.Count && mailbox.Bytes == rows.Sum(r => r.Size) && mailbox.Unseen == rows.Count(r => (FlagsOf(r) & ModelFlags.Seen) == 0)
            && mailbox.Deleted == rows.Count(r => (FlagsOf(r) & ModelFlags.Deleted) != 0), $"{box}: the counters are {mailbox}");
    }

    /// <summary>RFC 9051 2.3.1.1: a UIDVALIDITY stands for one mailbox alone, and never changes.</summary>
    void Identify(Box box, Mailbox mailbox)
    {
        if (box.Id == 0) (box.Id, box.Validity) = (mailbox.Id, mailbox.UidValidity);
        Demand(box.Id == mailbox.Id && box.Validity == mailbox.UidValidity, $"{box}: UIDVALIDITY went from {box.Validity} to {mailbox.UidValidity}");
        Demand(validities.TryAdd(box.Validity, box.Id) || validities[box.Validity] == box.Id, $"{box}: UIDVALIDITY {box.Validity} was that of another mailbox");
    }

    /// <summary>Takes over from the store what happened when several acted at once; UIDs, contents and modification sequences must have kept their promises.</summary>
    public void Reload()
    {
        using var reader = fixture.Mail.Read();
        foreach (var mailbox in reader.Mailboxes(account.Id))
        {
            if (!Boxes.TryGetValue(mailbox.Name, out var box)) Boxes[mailbox.Name] = box = new Box(mailbox.Name);
            Identify(box, mailbox);
            Demand(mailbox.UidNext >= box.UidNext && mailbox.ModSeq >= box.ModSeq, $"{box}: UIDNEXT or HIGHESTMODSEQ went back");
            var rows = reader.Messages(mailbox.Id).ToDictionary(r => r.Uid);
            foreach (var letter in box.Letters.Values.Where(l => !rows.ContainsKey(l.Uid)).ToList()) box.Remove(letter);
            foreach (var row in rows.Values.OrderBy(r => r.Uid))
            {
                if (!box.All.TryGetValue(row.Uid, out var letter))
                {
                    Demand(row.Uid >= box.UidNext, $"{box}: UID {row.Uid} is new and below UIDNEXT {box.UidNext}");
                    box.Put(letter = new Letter(row.Uid, row.Size, FlagsOf(row)));
                }
                Demand(!letter.IsGone && row.Size == letter.Size, $"{box}: UID {row.Uid} is another message");
                Demand(FlagsOf(row) == letter.Flags || row.ModSeq > box.ModSeq, $"{box}: UID {row.Uid} has other flags, and its MODSEQ is not above {box.ModSeq}");
                letter.Reload(FlagsOf(row), row.ModSeq);
            }
            (box.UidNext, box.ModSeq, box.IsTouched) = (mailbox.UidNext, mailbox.ModSeq, false);
        }
        Compare();
    }

    static int FlagsOf(MessageRow row)
    {
        var bits = ModelFlags.Parse(row.Keywords ?? "");
        foreach (var (flag, bit) in ((MessageFlags, int)[])[(MessageFlags.Seen, 1), (MessageFlags.Answered, 2), (MessageFlags.Flagged, 4), (MessageFlags.Deleted, 8), (MessageFlags.Draft, 16)])
            if ((row.Flags & flag) != 0) bits |= bit;
        return bits;
    }
}
