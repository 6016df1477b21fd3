using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Queue;
using CbaMail.Smtp.Client;
using CbaMail.Storage;

namespace CbaMail.Delivery.Remote;

/// <summary>An address that mail leaves from.</summary>
/// <param name="Hostname">What it is called in EHLO, or null: the server's own name.</param>
/// <param name="Domains">Senders' domains that it is for; empty: all.</param>
/// <param name="Since">The first day of its warm-up, in days since 1970, or null.</param>
internal sealed record Source(IPAddress Address, string? Hostname = null, IReadOnlyList<string>? Domains = null, long? Since = null);

/// <summary>
/// Which of our addresses mail leaves from: by the sender's domain, then always the same one for the same domain, as a reputation is kept
/// by address. A new address has a share of messages a day that grows (warm-up); what goes beyond goes from another, or waits.
/// What has been sent is written with the commit that settles the message, so a crash forgets at most what nobody knows the outcome of.
/// </summary>
internal sealed class Sources
{
    readonly IReadOnlyList<Source> all;
    readonly IReadOnlyList<int> ramp;
    readonly TimeProvider time;
    readonly Lock gate = new();
    readonly Dictionary<Source, long> used = []; // taken by servers today
    readonly Dictionary<Source, long> underWay = [];
    readonly HashSet<Source> unsaved = [];
    long day;

    /// <exception cref="InvalidOperationException">A setting is wrong; the message is a sentence for people.</exception>
    public Sources(Settings settings, Store store, TimeProvider time)
    {
        (this.time, ramp) = (time, settings.Sending.WarmUp);
        all = [.. settings.Sending.Sources.Select(Read), .. settings.Queue.SourceAddress.Where(text => text.Length > 0).Select(text => new Source(Address(text, "queue.source-address")))];
        day = Day(time.GetUtcNow());
        using var read = store.Read();
        foreach (var source in all.Where(source => source.Since is not null)) used[source] = SourceTable.Used(read, source.Address.ToString(), day);
    }

    static long Day(DateTimeOffset at) => at.ToUnixTimeSeconds() / 86400;

    static Source Read(SourceSettings entry) => new(Address(entry.Address, "sending.sources"), entry.Hostname.Length > 0 ? entry.Hostname : null, entry.Domains, Since(entry));

    static long? Since(SourceSettings entry)
    {
        if (entry.WarmUpSince.Length == 0) return null;
        return DateOnly.TryParseExact(entry.WarmUpSince, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber
            : throw new InvalidOperationException($"sending.sources: \"{entry.WarmUpSince}\" is no date for warm-up-since; write it as in 2026-03-02");
    }

    static IPAddress Address(string text, string key) => IPAddress.TryParse(text, out var address) ? address
        : throw new InvalidOperationException($"{key}: \"{text}\" is no IP address");

    /// <summary>The address for a sender's domain; null without a refusal: the system's choice.</summary>
    /// <param name="domain">Lower case; empty for &lt;&gt;.</param>
    public (Source? Source, ClientReply? Refused) For(string domain, AddressFamily family)
    {
        if (all.Count == 0) return (null, null);
        var fitting = all.Where(source => source.Address.AddressFamily == family).Select(source => (Source: source, Fit: Fit(source, domain))).Where(pair => pair.Fit >= 0).ToList();
        if (fitting.Count == 0) return (null, null);
        foreach (var group in fitting.GroupBy(pair => pair.Fit, pair => pair.Source).OrderByDescending(group => group.Key))
        {
            var open = group.Where(source => Left(source) > 0).ToList();
            if (open.Count > 0) return (open[(int)(Hash(domain) % (uint)open.Count)], null);
        }
        var spent = fitting[0].Source;
        return (null, Spent(spent));
    }

    // tried again when the day is over: it says nothing of the message
    ClientReply Spent(Source source) => ClientReply.Local(451, "4.7.0", $"The messages that {source.Address} may send today while it warms up ({Share(source)}) have been sent") with
    {
        Pause = DateTimeOffset.UnixEpoch.AddDays(Day(time.GetUtcNow()) + 1) - time.GetUtcNow(),
    };

    static int Fit(Source source, string domain) => source.Domains is { Count: > 0 } some ? some.Max(pattern => Destination.Fits(pattern, domain) is var fit and >= 0 ? Math.Min(fit, int.MaxValue - 1) + 1 : -1) : 0;

    // the same in every process, unlike string.GetHashCode
    static uint Hash(string text) => text.Aggregate(2166136261u, (hash, c) => (hash ^ c) * 16777619);

    /// <summary>Messages that the address may send today in all.</summary>
    long Share(Source source)
    {
        if (source.Since is not { } since || ramp.Count == 0) return long.MaxValue;
        var age = Day(time.GetUtcNow()) - since;
        return age < 0 ? 0 : age < ramp.Count ? ramp[(int)age] : long.MaxValue;
    }

    long Left(Source source)
    {
        if (source.Since is null) return long.MaxValue;
        lock (gate)
        {
            Turn();
            return Share(source) - used.GetValueOrDefault(source) - underWay.GetValueOrDefault(source);
        }
    }

    void Turn()
    {
        var today = Day(time.GetUtcNow());
        if (today == day) return;
        day = today;
        used.Clear();
        unsaved.Clear();
    }

    /// <summary>A message is about to leave from there: others must not take its place. To be followed by <see cref="Settle"/>.</summary>
    /// <param name="source">Null: the system's choice, which has no bound.</param>
    /// <returns>Null, or why it may not.</returns>
    public ClientReply? Reserve(Source? source)
    {
        if (source is not { Since: not null }) return null;
        lock (gate)
        {
            Turn();
            if (Share(source) - used.GetValueOrDefault(source) - underWay.GetValueOrDefault(source) <= 0) return Spent(source);
            underWay[source] = underWay.GetValueOrDefault(source) + 1;
            return null;
        }
    }

    /// <param name="taken">A server has it, and a reputation is made or lost.</param>
    public void Settle(Source? source, bool taken)
    {
        if (source is not { Since: not null }) return;
        lock (gate)
        {
            Turn();
            underWay[source] = Math.Max(0, underWay.GetValueOrDefault(source) - 1);
            if (!taken) return;
            used[source] = used.GetValueOrDefault(source) + 1;
            unsaved.Add(source);
        }
    }

    /// <summary>Writes what has been counted, with a commit that is made anyway. It is the sum, so a commit that fails is made good by the next.</summary>
    public void Save(WriteTransaction write)
    {
        lock (gate)
        {
            if (unsaved.Count == 0) return;
            foreach (var source in unsaved) SourceTable.Save(write, source.Address.ToString(), day, used.GetValueOrDefault(source));
            unsaved.Clear();
        }
    }
}
