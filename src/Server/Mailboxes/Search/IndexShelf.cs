using System.Globalization;
using CbaMail.Storage;
using CbaMail.Storage.Search;

namespace CbaMail.Mailboxes.Search;

/// <summary>The indexes that are open: those in use, and a few that were last.</summary>
sealed class IndexShelf(Disk disk, string folder) : IDisposable
{
    const int Kept = 8;

    readonly Lock gate = new();
    readonly List<Place> places = []; // last used at the end

    sealed class Place(long accountId, AccountIndex index)
    {
        public long AccountId => accountId;
        public AccountIndex Index => index;
        public int Users;
        public bool IsDiscarded;
    }

    /// <summary>The use of an index until it is given back.</summary>
    public sealed class Lease : IDisposable
    {
        readonly Action giveBack;

        internal Lease(AccountIndex index, Action giveBack) => (Index, this.giveBack) = (index, giveBack);

        public AccountIndex Index { get; }

        public void Dispose() => giveBack();
    }

    public Lease Take(long accountId)
    {
        lock (gate)
        {
            var place = places.Find(known => known.AccountId == accountId && !known.IsDiscarded);
            if (place is null)
            {
                disk.CreateDirectory(folder);
                place = new Place(accountId, AccountIndex.Open(disk, PathOf(accountId)));
            }
            else places.Remove(place);
            places.Add(place);
            place.Users++;
            while (places.Count > Kept && places.Find(other => other.Users == 0) is { } oldest)
            {
                places.Remove(oldest);
                oldest.Index.Dispose();
            }
            return new Lease(place.Index, () => GiveBack(place));
        }
    }

    void GiveBack(Place place)
    {
        lock (gate)
        {
            if (--place.Users > 0 || !place.IsDiscarded) return;
            places.Remove(place);
            place.Index.Dispose();
        }
    }

    /// <summary>Whether there is an index to take.</summary>
    public bool Has(long accountId) => disk.Exists(PathOf(accountId));

    string PathOf(long accountId) => Path.Combine(folder, TextIndex.FileName(accountId));

    /// <summary>Takes the file away; whoever uses it comes to an end with what he has.</summary>
    public void Discard(long accountId) => Remove(accountId);

    public void Remove(long accountId)
    {
        lock (gate)
        {
            foreach (var place in places.Where(known => known.AccountId == accountId).ToList())
            {
                place.IsDiscarded = true;
                place.Index.Discard();
                if (place.Users > 0) continue;
                places.Remove(place);
                place.Index.Dispose();
            }
            foreach (var path in (string[])[PathOf(accountId), PathOf(accountId) + ".new"])
                if (disk.Exists(path)) disk.Delete(path);
        }
    }

    public IReadOnlyList<long> Files()
    {
        if (!disk.DirectoryExists(folder)) return [];
        return [.. disk.Files(folder).Select(Path.GetFileNameWithoutExtension).Select(name => long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var account) ? account : 0).Where(account => account != 0).Distinct()];
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var place in places) place.Index.Dispose();
            places.Clear();
        }
    }
}
