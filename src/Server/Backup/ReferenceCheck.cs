using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>
/// References of bodies and large parts: those kept against those that there are, both of one snapshot. A walk over the message rows
/// counts for a million bodies, in 4 MB; a hundred thousand rows take some ten milliseconds.
/// </summary>
static class ReferenceCheck
{
    const int Range = 1 << 20;

    public static async Task RunAsync(Inspection inspection)
    {
        foreach (var kind in (RecordKind[])[RecordKind.Content, RecordKind.Object])
        {
            var counts = new int[Range];
            for (long from = 1; ; from += Range)
            {
                var begun = inspection.Begin();
                if (!Count(inspection, kind, from, counts)) break;
                await inspection.RestAsync(begun);
            }
        }
    }

    // false behind the last
    static bool Count(Inspection inspection, RecordKind kind, long from, int[] counts)
    {
        Array.Clear(counts);
        var wrong = new List<(long Id, long Kept, long Counted)>();
        using (var read = inspection.Store.Read())
        {
            if ((kind == RecordKind.Content ? VerifyTable.LastContent(read) : VerifyTable.LastObject(read)) < from) return false;
            void One(long id)
            {
                if (id >= from && id < from + counts.Length) counts[id - from]++;
            }
            if (kind == RecordKind.Content)
            {
                VerifyTable.ContentsOfMessages(read, One);
                VerifyTable.Bases(read, One);
                foreach (var holder in inspection.Holders)
                    foreach (var id in holder.Held(read)) One(id);
            }
            else VerifyTable.Parts(read, (_, part) => One(part));
            VerifyTable.References(read, kind, from, from + counts.Length - 1, (id, kept) =>
            {
                if (kept != counts[id - from]) wrong.Add((id, kept, counts[id - from]));
            });
        }
        foreach (var (id, kept, counted) in wrong)
            if (kind == RecordKind.Content && counted == 0 && kept > 0) Lost(inspection, id, kept);
            else Report(inspection, kind, id, kept, counted);
        return true;
    }

    // its rows are lost, not it: those whom it names find it again
    static void Lost(Inspection inspection, long id, long kept)
    {
        IReadOnlyList<long> owners;
        ContentRow? row;
        using (var read = inspection.Store.Read())
        {
            row = ContentTable.Get(read, id);
            owners = row is null ? [] : new Owners(read).Of(row.Envelope);
        }
        if (row is null) return;
        var finding = new Finding("references", $"body {id} is in no mailbox any more, although {kept} references to it are noted: the rows that held it are lost")
        { Content = id, Subject = StoredEnvelope.Parse(row.Envelope).Subject, Date = row.Sent };
        if (owners.Count == 0)
        {
            inspection.Report(finding with { Problem = finding.Problem + ", and it names nobody here. It is kept: make an account with the role admin and repair again, and it is put there" });
            return;
        }
        inspection.Report(finding, $"Body {id}, \"{finding.Subject}\", whose rows are lost, is in the mailbox \"{Owners.Mailbox}\" of {string.Join(", ", owners.Select(inspection.Name))}.", write =>
        {
            if (VerifyTable.SizeOf(write, id) is not { } size) return;
            foreach (var owner in owners) inspection.Recover(write, owner, new ContentRef(id, size), []);
            inspection.Mail.DropReference(write, id, (int)kept);
        });
    }

    static void Report(Inspection inspection, RecordKind kind, long id, long kept, long counted)
    {
        var what = kind == RecordKind.Content ? $"body {id}" : $"large part {id}";
        inspection.Report(new Finding("references", $"{what} is held {counted} times, {kept} are noted") { Content = kind == RecordKind.Content ? id : null },
            counted == 0 ? $"Of {what}, which nothing holds, the references were taken away." : $"The references of {what} were set right: {counted}.",
            write => Adjust(write, kind, id, counted - kept));
    }

    // the difference holds whatever has come and gone since
    static void Adjust(WriteTransaction write, RecordKind kind, long id, long difference)
    {
        if (!VerifyTable.Exists(write, kind, id)) return;
        if (kind == RecordKind.Object) ContentTable.AdjustObject(write, id, difference);
        else if (difference > 0) ContentTable.AddReference(write, id, (int)difference);
        else ContentTable.DropReference(write, id, (int)-difference);
    }
}
