using System.Security.Cryptography;
using System.Text.Json;
using CbaMail.Storage;

namespace CbaMail.Authorization;

/// <summary>One change: who made it, from where, and what was before and after.</summary>
/// <param name="Action">Method and path as in the OpenAPI document: <c>PATCH /api/v1/accounts/{address}</c>.</param>
/// <param name="Subject">The path as it was asked.</param>
/// <param name="Status">HTTP status of the answer; 0: the server was stopped between the change and its answer.</param>
/// <param name="Before">JSON without secrets, or null.</param>
public sealed record AuditEntry(DateTimeOffset At, string Caller, string Address, string Action, string Subject, int Status, string? Before, string? After);

/// <summary>A change under way: kept in the transaction that makes it, so that one that was cut off is told of after the next start.</summary>
public sealed record AuditBegun(Guid Id, AuditEntry Entry);

/// <param name="Digest">SHA-256 over that of the row before and all of this one.</param>
public sealed record AuditRow(AuditEntry Entry, long Id, byte[] Digest);

/// <param name="Rows">That were looked at.</param>
/// <param name="BrokenAt">The first row that is not what was written, or null.</param>
/// <param name="Head">The digest of the last row, in hexadecimal digits: kept elsewhere, it shows that nothing was taken off the end.</param>
public sealed record AuditProof(long Rows, long? BrokenAt, string Head);

/// <summary>
/// Every change by the API, in a chain: each row's digest covers the one before it, so that a row that was altered, left out or put in between
/// is seen. Whoever rewrites all of the chain is seen by a head that was kept elsewhere.
/// </summary>
public sealed class AuditLog(Store store, TimeProvider time) : IHostedService
{
    const int Page = 1000;

    public TimeProvider Time => time;

    /// <summary>Runs in the transaction that writes a row.</summary>
    public event Action<WriteTransaction, AuditEntry>? Appending;

    /// <summary>
    /// Runs a change, and writes down what it was: that it was made is kept in its own transaction, its entry with what was before and after
    /// follows. Where it threw or was refused and had committed something already, there is an entry, too.
    /// </summary>
    /// <param name="begun">The entry without a status and an after.</param>
    /// <param name="finished">The entry as it is to be, or null where it changed nothing; told whether something was committed.</param>
    /// <param name="committed">Told once something of it is on the disk, whatever follows.</param>
    public async Task RecordAsync(AuditEntry begun, Func<Task> change, Func<bool, AuditEntry?> finished, Action? committed = null)
    {
        var mine = new AuditBegun(Guid.NewGuid(), begun);
        var done = await Accompaniment.RunAsync(write =>
        {
            AuthorizationTable.Begin(write, mine);
            if (committed is not null) write.OnCommitted(committed);
        }, change, cut => cut.IsWritten ? AppendAsync(mine with { Entry = begun with { Status = 500 } }) : Task.CompletedTask);
        if (finished(done.IsWritten) is { } entry) await AppendAsync(mine with { Entry = entry });
    }

    async Task AppendAsync(AuditBegun done) => await store.CommitAsync(write =>
    {
        AuthorizationTable.End(write, done.Id);
        Append(write, done.Entry);
        return true;
    });

    /// <summary>Tells of the changes that the last stop of the server cut off from their entries.</summary>
    public async Task StartAsync(CancellationToken cancel) => await store.CommitAsync(write =>
    {
        foreach (var one in AuthorizationTable.Begun(write))
        {
            AuthorizationTable.End(write, one.Id);
            Append(write, one.Entry);
        }
        return true;
    }, cancel);

    public Task StopAsync(CancellationToken cancel) => Task.CompletedTask;

    public async ValueTask AppendAsync(AuditEntry entry, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        Append(write, entry);
        return true;
    }, cancel);

    /// <summary>In the transaction of the change itself.</summary>
    public void Append(WriteTransaction write, AuditEntry entry)
    {
        var (last, digest) = AuthorizationTable.LastAudit(write);
        entry = entry with { At = DateTimeOffset.FromUnixTimeMilliseconds(entry.At.ToUnixTimeMilliseconds()) };
        AuthorizationTable.AddAudit(write, new(entry, last + 1, Digest(digest, last + 1, entry)));
        Appending?.Invoke(write, entry);
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<AuditRow> List(long before, int limit, string? text, DateTimeOffset since, DateTimeOffset until)
    {
        using var read = store.Read();
        return AuthorizationTable.Audit(read, before, limit, text, since, until);
    }

    /// <summary>All of it, oldest first, a page at a time.</summary>
    public IEnumerable<AuditRow> Read()
    {
        for (long after = 0; ;)
        {
            List<AuditRow> rows;
            using (var read = store.Read()) rows = AuthorizationTable.AuditAfter(read, after, Page);
            foreach (var row in rows) yield return row;
            if (rows.Count < Page) yield break;
            after = rows[^1].Id;
        }
    }

    /// <summary>Walks the chain.</summary>
    public AuditProof Verify(CancellationToken cancel)
    {
        long count = 0;
        byte[] last = [];
        foreach (var row in Read())
        {
            cancel.ThrowIfCancellationRequested();
            if (row.Id != count + 1 || !row.Digest.AsSpan().SequenceEqual(Digest(last, row.Id, row.Entry))) return new(count, count + 1, Convert.ToHexString(last).ToLowerInvariant());
            (last, count) = (row.Digest, count + 1);
        }
        return new(count, null, Convert.ToHexString(last).ToLowerInvariant());
    }

    // JSON, so that no field can pass for a part of its neighbour
    static byte[] Digest(byte[] before, long id, AuditEntry entry) => SHA256.HashData([.. before, .. JsonSerializer.SerializeToUtf8Bytes(new object?[]
    {
        id, entry.At.ToUnixTimeMilliseconds(), entry.Caller, entry.Address, entry.Action, entry.Subject, entry.Status, entry.Before, entry.After,
    })]);
}
