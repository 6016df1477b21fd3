using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>The pack files as wholes: are they there, and is it noted how much of them lives.</summary>
sealed class PackCheck
{
    readonly Inspection inspection;
    readonly (int Pack, long Position) end;
    readonly Dictionary<int, long> notedBefore;
    readonly SortedDictionary<int, (long Records, long Bytes)> live = [];

    PackCheck(Inspection inspection, (int, long) end, Dictionary<int, long> noted) => (this.inspection, this.end, notedBefore) = (inspection, end, noted);

    public static async Task<PackCheck> BeginAsync(Inspection inspection)
    {
        var store = inspection.Store;
        var end = await store.StartCommit(_ => store.Packs.End, inspection.Cancel);
        using var read = store.Read();
        return new PackCheck(inspection, end, VerifyTable.Live(read));
    }

    /// <summary>A row that names a record.</summary>
    public void Count(PackLocation location)
    {
        live.TryGetValue(location.Pack, out var sums);
        live[location.Pack] = (sums.Records + 1, sums.Bytes + location.Stored);
    }

    public async Task RunAsync()
    {
        Dictionary<int, long> noted;
        using (var read = inspection.Store.Read()) noted = VerifyTable.Live(read);
        var files = inspection.Store.Packs.Files;
        foreach (var pack in live.Keys.Where(pack => !files.Exists(pack)).ToList())
            inspection.Report(new Finding("pack", $"pack {pack} is missing ({files.FileName(pack)}), with {live[pack].Records} records in it") { Pack = pack });
        foreach (var pack in files.Numbers().Where(pack => pack <= end.Pack))
        {
            var begun = inspection.Begin();
            var length = pack == end.Pack ? end.Position : Length(files, pack);
            var all = RecordReader.All(inspection.Pack(pack), length).Sum(_ => 1L);
            live.TryGetValue(pack, out var sums);
            inspection.GarbageRecords += Math.Max(0, all - sums.Records);
            inspection.GarbageBytes += Math.Max(0, length - sums.Bytes);
            // comparable only if nothing was removed from it or moved while the rows were read
            noted.TryGetValue(pack, out var kept);
            if (pack != end.Pack && kept == notedBefore.GetValueOrDefault(pack) && sums.Bytes != kept)
            {
                var difference = sums.Bytes - kept;
                inspection.Report(new Finding("note", $"pack {pack} has {sums.Bytes} bytes of mail, {kept} are noted") { Pack = pack },
                    $"The bytes of mail in pack {pack} were counted anew: {sums.Bytes}.", write => VerifyTable.AdjustLive(write, pack, difference));
            }
            await inspection.RestAsync(begun);
        }
        if (inspection.GarbageRecords > 0 && inspection.Store.KeptDamaged() is { } damaged)
            inspection.Note($"{inspection.GarbageRecords} records ({Config.Sizes.Show(inspection.GarbageBytes)}) in the packs have no row: removed mail, and mail whose rows a repair could not save. They are kept as long as {damaged} lies there");
    }

    static long Length(PackFiles files, int pack)
    {
        using var lease = files.Use(pack);
        return lease?.File.Length ?? 0;
    }
}
