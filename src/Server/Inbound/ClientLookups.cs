using System.Net;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net;

namespace CbaMail.Inbound;

/// <summary>
/// All that is asked of DNS about a client. Each question is put as soon as what it needs is known, all run beside one another and beside the
/// wait before the greeting; whoever needs the sum waits for them, not longer than the settings say. What has no answer by then counts nothing.
/// </summary>
public sealed class ClientLookups
{
    readonly InboundSettings settings;
    readonly IResolver resolver;
    readonly AllowList allowed;
    readonly TimeProvider time;
    readonly bool reverse;
    readonly DnsList[] lists;

    public ClientLookups(Settings settings, IResolver resolver, AllowList allowed, TimeProvider time, ILogger<ClientLookups> log)
    {
        (this.settings, this.resolver, this.allowed, this.time) = (settings.Inbound, resolver, allowed, time);
        lists = [.. this.settings.DnsLists.Select(list => new DnsList(list, resolver, time, log))];
        // whoever names a host name in the allow list wants it looked up
        reverse = this.settings.Reverses(settings.Evaluation) || (this.settings.Allow ?? []).Any(text => !Networks.TryParse(text, out _)) || lists.Any(list => list.Of == ListedThing.ReverseName);
    }

    /// <summary>Whether anything is asked at all.</summary>
    public bool IsOn => reverse || lists.Length > 0;

    // those at the connection share its time and its clock; what comes later has half as much again
    CancellationToken Late(Standing standing)
    {
        var passed = time.GetElapsedTime(standing.Began);
        if (passed < settings.LookupTime / 2) return standing.Late ??= new CancellationTokenSource(settings.LookupTime - passed, time).Token;
        return new CancellationTokenSource(settings.LookupTime / 2, time).Token;
    }

    /// <summary>At the connection.</summary>
    public void Begin(Standing standing)
    {
        if (standing.IsAllowed) return;
        if (reverse)
        {
            standing.Looking = ReverseAsync(standing);
            if (settings.Weights.NoReverseName != 0) standing.Add(JudgeAsync(standing.Looking, standing.Address));
        }
        foreach (var list in lists)
        {
            if (list.Of == ListedThing.Address) standing.Add(Quietly(list.AskAsync(standing.Address, Late(standing))));
            else if (list.Of == ListedThing.ReverseName) standing.Add(Quietly(OfNameAsync(list, standing)));
        }
    }

    async Task<ReverseName> ReverseAsync(Standing standing)
    {
        try { standing.Reverse = await ReverseLookup.LookAsync(resolver, standing.Address, Late(standing)); }
        catch (OperationCanceledException) { standing.Reverse = new ReverseName(Iprev.TempError, null); }
        return standing.Reverse;
    }

    async Task<Finding?> JudgeAsync(Task<ReverseName> looking, IPAddress address) => (await looking).Result switch
    {
        Iprev.PermError => new Finding($"{address} has no name", settings.Weights.NoReverseName),
        Iprev.Fail => new Finding($"the name of {address} does not lead back to it", settings.Weights.NoReverseName),
        _ => null,
    };

    async Task<Finding?> OfNameAsync(DnsList list, Standing standing) =>
        (await standing.Looking!).Name is { } name ? await list.AskAsync(name, Late(standing)) : null;

    static async Task<Finding?> Quietly(Task<Finding?> lookup)
    {
        try { return await lookup; }
        catch (OperationCanceledException) { return null; } // too late
    }

    /// <summary>At the greeting, each time there is one.</summary>
    public void Greeted(Standing standing, string hello)
    {
        if (standing.IsAllowed) return;
        var lookups = new List<Task<Finding?>>();
        var kind = HelloName.Of(hello);
        var weights = settings.Weights;
        if (kind == HelloKind.NoName && weights.HelloNoName != 0) lookups.Add(Task.FromResult<Finding?>(new Finding($"\"{hello}\" is no host name", weights.HelloNoName)));
        if (kind == HelloKind.Literal && weights.HelloWrongLiteral != 0 && HelloName.Literal(hello) is { } literal && !literal.Equals(standing.Address))
            lookups.Add(Task.FromResult<Finding?>(new Finding($"{hello} is another's address", weights.HelloWrongLiteral)));
        if (kind == HelloKind.Name)
        {
            if (reverse && weights.HelloUnknown != 0) lookups.Add(Quietly(ExistsAsync(hello, standing)));
            foreach (var list in lists)
                if (list.Of == ListedThing.Hello) lookups.Add(Quietly(list.AskAsync(hello, Late(standing))));
        }
        standing.SetHello(lookups);
    }

    async Task<Finding?> ExistsAsync(string hello, Standing standing)
    {
        var late = Late(standing);
        var (four, six, mail) = (resolver.AddressesAsync(hello, false, late).AsTask(), resolver.AddressesAsync(hello, true, late).AsTask(), resolver.MxAsync(hello, late).AsTask());
        await Task.WhenAll(four, six, mail);
        DnsStatus[] found = [(await four).Status, (await six).Status, (await mail).Status];
        return found.All(status => status is DnsStatus.NoData or DnsStatus.NoSuchName) ? new Finding($"the name {hello} does not exist", settings.Weights.HelloUnknown) : null;
    }

    /// <summary>At MAIL: what lists say of the sender's domain; null where none is asked.</summary>
    public Task<Finding?[]>? OfSender(Standing standing, string domain)
    {
        if (standing.IsAllowed || domain.Length == 0 || !Array.Exists(lists, list => list.Of == ListedThing.Sender)) return null;
        return Task.WhenAll(lists.Where(list => list.Of == ListedThing.Sender).Select(list => Quietly(list.AskAsync(domain, Late(standing)))));
    }

    /// <summary>Waits for the reverse name alone, and allows who is allowed by it.</summary>
    public async ValueTask NameAsync(Standing standing)
    {
        if (standing.IsAllowed || standing.Looking is null) return;
        var name = (await standing.Looking).Name;
        if (name is not null && allowed.HasNames && allowed.Holds(name)) standing.IsAllowed = true;
    }

    /// <summary>Waits for all that was asked of the client.</summary>
    public async ValueTask SettleAsync(Standing standing)
    {
        if (standing.IsSettled) return;
        await NameAsync(standing);
        var findings = new List<Finding>();
        foreach (var lookup in standing.Waiting)
            if (await lookup is { } finding) findings.Add(finding);
        standing.Settle(findings);
    }

    /// <summary>What the list says in words of what it lists (RFC 5782 2.1), or null.</summary>
    public async ValueTask<string?> ReasonAsync(Finding finding, CancellationToken cancel)
    {
        if (finding.Query is not { } query) return null;
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        late.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            var text = await resolver.TxtAsync(query, late.Token);
            return text.Records is [var first, ..] ? new string([.. first.Take(200).Where(c => c is >= ' ' and < '\x7f')]) : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
