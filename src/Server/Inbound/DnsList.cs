using System.Net;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net.Dns;

namespace CbaMail.Inbound;

/// <summary>
/// One list in DNS (RFC 5782): the name under which something is looked up in it, and whether the answer counts. A list that has gone mad (it
/// holds its test point for "not listed", RFC 5782 5) or that does not answer us (127.255.255.x) is not believed; the log says so.
/// </summary>
sealed class DnsList
{
    static readonly TimeSpan TestEvery = TimeSpan.FromHours(6), TellEvery = TimeSpan.FromHours(1);

    readonly DnsListSettings settings;
    readonly IResolver resolver;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly string zone;
    readonly (int From, int To)[][] answers;
    readonly Lock gate = new();
    Task<bool>? test;
    long tested;
    readonly long[] told = new long[Enum.GetValues<Trouble>().Length];

    enum Trouble { Parked, NoAnswer, ListsAll, ListsNothing }

    public DnsList(DnsListSettings settings, IResolver resolver, TimeProvider time, ILogger log)
    {
        (this.settings, this.resolver, this.time, this.log) = (settings, resolver, time, log);
        zone = settings.Zone.Trim().Trim('.').ToLowerInvariant();
        if (zone.Length == 0 || !DnsName.TryEncode(zone, out _)) throw new InvalidOperationException($"inbound.dns-lists: \"{settings.Zone}\" is no zone; write it as in zen.spamhaus.org");
        answers = [.. settings.Answers.Select(text => ListAnswer.Pattern(text) ?? throw new InvalidOperationException($"inbound.dns-lists: {zone}: \"{text}\" is no answer; write it as in 127.0.0.2, 127.0.0.4-7 or 127.0.*.1"))];
    }

    public ListedThing Of => settings.Of;
    public string Zone => zone;

    /// <summary>The address in its reversed form (RFC 5782 2.1, 2.4).</summary>
    public Task<Finding?> AskAsync(IPAddress address, CancellationToken cancel) => AskAsync(ListAnswer.Reversed(address), address.ToString(), cancel);

    /// <summary>The domain as it is (RFC 5782 3); null for what is none.</summary>
    public Task<Finding?> AskAsync(string domain, CancellationToken cancel) =>
        domain.Length is 0 or > 200 || domain[0] == '[' || !domain.Contains('.', StringComparison.Ordinal) || IPAddress.TryParse(domain, out _)
            ? Task.FromResult<Finding?>(null) : AskAsync(domain.Trim('.') + ".", domain, cancel);

    async Task<Finding?> AskAsync(string prefix, string what, CancellationToken cancel)
    {
        var query = prefix + zone;
        var sane = IsSaneAsync();
        var answer = await resolver.AddressesAsync(query, v6: false, cancel);
        if (answer.Status != DnsStatus.Found || !await sane.WaitAsync(cancel)) return null;
        foreach (var record in answer.Records)
            if (Counts(record)) return new Finding($"{what} is listed by {zone} ({record})", settings.Weight, zone, query);
        return null;
    }

    bool Counts(IPAddress answer)
    {
        var octets = answer.GetAddressBytes();
        if (octets is not [127, ..]) Tell(Trouble.Parked, $"it answers {answer}, which no list does (RFC 5782 2.1): is there still a list at that name?");
        else if (octets is [127, 255, 255, _]) Tell(Trouble.NoAnswer, $"it answers {answer}: it does not serve this server's resolver; ask it from a resolver of your own, or see what its keeper says of this answer");
        else return ListAnswer.Fits(answers, octets);
        return false;
    }

    // once an hour of each kind
    void Tell(Trouble trouble, string problem)
    {
        ref var at = ref told[(int)trouble];
        var now = time.GetTimestamp();
        var last = Volatile.Read(ref at);
        if (last != 0 && time.GetElapsedTime(last, now) < TellEvery) return;
        if (Interlocked.CompareExchange(ref at, now, last) == last) InboundTelemetry.ListNotBelieved(log, zone, problem);
    }

    Task<bool> IsSaneAsync()
    {
        lock (gate)
        {
            if (test is null || (test.IsCompleted && time.GetElapsedTime(tested) > TestEvery)) (test, tested) = (TestAsync(), time.GetTimestamp());
            return test;
        }
    }

    // RFC 5782 5: 127.0.0.1 and "invalid" are never listed, 127.0.0.2 and "test" always are
    async Task<bool> TestAsync()
    {
        var (never, always) = settings.Of == ListedThing.Address ? ("1.0.0.127.", "2.0.0.127.") : ("invalid.", "test.");
        var (listsAll, lists) = (resolver.AddressesAsync(never + zone, v6: false, default).AsTask(), resolver.AddressesAsync(always + zone, v6: false, default).AsTask());
        if ((await listsAll).Records.Any(record => record.GetAddressBytes() is [127, not 255, ..]))
        {
            Tell(Trouble.ListsAll, $"it lists {never}{zone}, which no list does (RFC 5782 5): it lists everything, and is left out");
            await lists;
            return false;
        }
        if ((await lists).Status is DnsStatus.NoData or DnsStatus.NoSuchName)
            Tell(Trouble.ListsNothing, $"it does not list {always}{zone}, which every list does (RFC 5782 5): it may be gone, or not serve this server's resolver");
        return true;
    }
}
