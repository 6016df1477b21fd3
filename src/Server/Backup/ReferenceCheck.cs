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
        foreach (var (id, kept, counted) in wrong) Report(inspection, kind, id, kept, counted);
        return true;
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
