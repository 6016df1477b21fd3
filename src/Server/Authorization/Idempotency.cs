using CbaMail.Storage;

namespace CbaMail.Authorization;

/// <summary>An answer that is given again when the same request comes with the same key.</summary>
/// <param name="Request">SHA-256 of method, path and body.</param>
/// <param name="Status">0: the request is under way, or the server stopped in the middle of it.</param>
public sealed record KeptAnswer(byte[] Request, int Status, string Type, byte[] Body);

/// <summary>Answers under idempotency keys, for a day: a client that has lost the answer asks again and changes nothing twice.</summary>
public sealed class Idempotency(Store store, TimeProvider time)
{
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);
    /// <summary>The longest answer that is kept; a longer one is given once.</summary>
    public const int LongestAnswer = 64 << 10;
    /// <summary>Answers that are kept of one caller: before there are more the oldest are forgotten.</summary>
    public const int Most = 10_000, MostOfUser = 200;
    public const int LongestKey = 200;

    /// <param name="most">Answers of this caller.</param>
    /// <returns>What is kept already, or null: run the request, and tell <see cref="FinishAsync"/>.</returns>
    public async ValueTask<KeptAnswer?> BeginAsync(string caller, string key, byte[] request, int most, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        // a holder, because null is an answer of the committer's own
        var (kept, _) = await store.CommitAsync(write =>
        {
            AuthorizationTable.ForgetBefore(write, now - Kept);
            var before = AuthorizationTable.Begin(write, caller, key, request, now);
            if (before is null) AuthorizationTable.KeepNewest(write, caller, most);
            return (before, true);
        }, cancel);
        return kept;
    }

    public async ValueTask FinishAsync(string caller, string key, KeptAnswer answer) => await store.CommitAsync(write =>
    {
        AuthorizationTable.Finish(write, caller, key, answer);
        return true;
    });

    /// <summary>The request has changed nothing: it may be sent again under the same key.</summary>
    public async ValueTask ForgetAsync(string caller, string key) => await store.CommitAsync(write =>
    {
        AuthorizationTable.Forget(write, caller, key);
        return true;
    });
}
