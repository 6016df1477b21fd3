using System.Collections.Concurrent;
using CbaMail.Dns;

namespace CbaMail.MailAuth.Dkim;

/// <summary>
/// Finds the keys of signatures in DNS (RFC 6376 3.6.2 and 6.1.2). Keys are kept by their record's text: reading an RSA key costs as
/// much as verifying with it, and most mail of a day comes from few domains. When a record is asked for again is the resolver's affair.
/// </summary>
public sealed class DkimKeys(IResolver dns)
{
    // RFC 6376 6.1.2: a verifier may try several records of a name
    const int MaxRecords = 4;
    const int MaxKept = 1000;
    const int MaxKeptLength = 4096; // of an RSA key of 16,384 bits the record has 2,800

    readonly ConcurrentDictionary<(DkimAlgorithm Algorithm, string Record), Candidate> kept = new();

    /// <summary>A key that a name has, or the reason why it has none.</summary>
    internal sealed record Candidate(DkimRecord? Record, DkimPublicKey? Key, string Problem);

    /// <summary>The records of a name, each ready to be tried; or why there are none.</summary>
    internal sealed record Answer(AuthResult Result, string Problem, IReadOnlyList<string> Records);

    internal async Task<Answer> FindAsync(string name, CancellationToken cancel)
    {
        var answer = await dns.TxtAsync(name, cancel);
        return answer.Status switch
        {
            DnsStatus.Found => new(AuthResult.None, "", answer.Records.Count <= MaxRecords ? answer.Records : [.. answer.Records.Take(MaxRecords)]),
            // RFC 6376 6.1.2 step 2 and 3
            DnsStatus.Failed => new(AuthResult.TempError, "DNS gave no answer for the key", []),
            _ => new(AuthResult.PermError, "there is no key", []),
        };
    }

    /// <summary>The key in a record for an algorithm (RFC 6376 6.1.2 steps 5 to 8).</summary>
    internal Candidate Read(DkimAlgorithm algorithm, string record)
    {
        if (kept.TryGetValue((algorithm, record), out var known)) return known;
        var read = ReadAnew(algorithm, record);
        if (kept.Count >= MaxKept) kept.Clear();
        if (read.Key is not null && record.Length <= MaxKeptLength) kept[(algorithm, record)] = read;
        return read;
    }

    static Candidate ReadAnew(DkimAlgorithm algorithm, string text)
    {
        if (DkimRecord.Parse(text, out var problem) is not { } record) return new(null, null, "the key's record is malformed: " + problem);
        // both algorithms hash with SHA-256
        if (record.Hashes is { } hashes && !hashes.Contains("sha256")) return new(record, null, "the key is for another hash");
        if (record.IsRevoked) return new(record, null, "the key was revoked");
        if (record.KeyType != algorithm.KeyType()) return new(record, null, "the key is for another algorithm");
        if (!record.IsForMail) return new(record, null, "the key is not for mail");
        var key = DkimPublicKey.Read(algorithm, record.Key.Span, out problem);
        return new(record, key, problem.Length == 0 ? "" : "the key cannot be used: " + problem);
    }
}
