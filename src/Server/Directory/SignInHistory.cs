using System.Net;
using CbaMail.Storage;

namespace CbaMail.Directory;

/// <summary>Sign-ins of one kind that followed each other within an hour.</summary>
/// <param name="Way">By what: password, application-password, scram, certificate, token.</param>
public sealed record SignInRecord(long Id, DateTimeOffset First, DateTimeOffset Last, long Times, string Address, string Protocol, string Way, bool Succeeded);

/// <summary>
/// Who has signed in, when, from where and by what, and who has tried: the newest of each account. Of alike ones within an hour there is one row, told
/// to the disk every few minutes: programs sign in all day long. Those that failed push out none that succeeded.
/// </summary>
public sealed class SignInHistory
{
    const int MostOfOne = 100; // rows that succeeded, and as many that failed
    const int MostHeld = 20_000;
    static readonly TimeSpan Alike = TimeSpan.FromHours(1), Told = TimeSpan.FromMinutes(5);

    readonly Store store;
    readonly TimeProvider time;
    readonly Lock gate = new();
    readonly Dictionary<(long Account, string Address, string Protocol, string Way, bool Succeeded), Held> recent = [];

    sealed class Held
    {
        public required SignInRecord Record;
        public required DateTimeOffset Written;
    }

    public SignInHistory(Store store, TimeProvider time, UserDirectory directory)
    {
        (this.store, this.time) = (store, time);
        directory.AccountRemoving += (write, account) => SignInTable.RemoveAll(write, account.Id);
    }

    /// <summary>Does not wait for the disk.</summary>
    public void Record(Account account, IPAddress from, string protocol, string way, bool succeeded)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        var key = (account.Id, (from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from).ToString(), protocol, way, succeeded);
        Held? held;
        var isNew = false;
        lock (gate)
        {
            if (recent.TryGetValue(key, out held) && now - held.Record.First < Alike)
            {
                held.Record = held.Record with { Last = now, Times = held.Record.Times + 1 };
                if (now - held.Written < Told) return;
                held.Written = now;
            }
            else
            {
                if (recent.Count >= MostHeld) recent.Clear(); // what follows begins new rows
                recent[key] = held = new Held { Record = new(0, now, now, 1, key.Item2, protocol, way, succeeded), Written = now };
                isNew = true;
            }
        }
        _ = store.StartCommit(write =>
        {
            if (!isNew) return SignInTable.Set(write, held.Record);
            var id = SignInTable.Add(write, account.Id, held.Record, MostOfOne);
            lock (gate) held.Record = held.Record with { Id = id };
            return true;
        });
    }

    /// <summary>Newest first; those of the last minutes may be told a little late.</summary>
    public IReadOnlyList<SignInRecord> List(Account account)
    {
        using var read = store.Read();
        return SignInTable.Of(read, account.Id);
    }
}
