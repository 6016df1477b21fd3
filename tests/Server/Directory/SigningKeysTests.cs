using System.Net;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.MailAuth.Dkim;
using CbaMail.Storage;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

public sealed class SigningKeysTests : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-dkim").FullName;
    readonly ManualTime time = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    readonly Zone zone = new();
    readonly Store store;
    readonly UserDirectory people;
    readonly Settings settings;

    public SigningKeysTests()
    {
        settings = new Settings { Data = directory };
        store = new Store(settings, NullLogger<Store>.Instance);
        people = new UserDirectory(store, time);
    }

    SigningKeys Keys(Settings? other = null) => new(other ?? settings, store, new Secrets(store, time, NullLogger<Secrets>.Instance), people, zone, time, NullLogger<SigningKeys>.Instance);

    async Task<Domain> DomainAsync(string name = "school.test") => (await people.AddDomainAsync(name)).Value!;

    sealed class Zone : IResolver
    {
        public Dictionary<string, string> Texts { get; } = [];
        public bool Fails { get; set; }
        public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) => ValueTask.FromResult(Fails ? new DnsAnswer<string>(DnsStatus.Failed, [])
            : Texts.TryGetValue(name, out var text) ? new DnsAnswer<string>(DnsStatus.Found, [text]) : new DnsAnswer<string>(DnsStatus.NoSuchName, []));
        public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) => new(new DnsAnswer<MxRecord>(DnsStatus.NoData, []));
        public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) => new(new DnsAnswer<IPAddress>(DnsStatus.NoData, []));
        public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) => new(new DnsAnswer<string>(DnsStatus.NoData, []));
    }

    void Publish(IEnumerable<DkimKeyReport> keys)
    {
        foreach (var key in keys) zone.Texts[$"{key.Selector}._domainkey.{key.Domain}"] = key.Record;
    }

    [Fact]
    public async Task New_keys_sign_when_they_are_seen_in_DNS_and_not_before()
    {
        var (keys, domain) = (Keys(), await DomainAsync());
        await keys.EnsureAsync(domain, default);
        Assert.Equal(["cba202611e", "cba202611r"], keys.List(domain).Select(key => key.Selector).Order());
        await keys.LookAsync(domain, default);
        Assert.Empty(keys.Active("school.test"));
        Assert.Contains("not signed", keys.Trouble(domain)!, StringComparison.Ordinal);

        Publish(keys.List(domain));
        await keys.LookAsync(domain, default);
        Assert.Equal([DkimAlgorithm.RsaSha256, DkimAlgorithm.Ed25519Sha256], keys.Active("school.test").Select(key => key.Algorithm).Order());
        Assert.Null(keys.Trouble(domain));
        Assert.Same(keys.Active("school.test")[0].Key, keys.Active("school.test")[0].Key); // read once
        Assert.Empty(keys.Active("elsewhere.test"));
        // the same after a restart, from the database
        var again = Keys();
        await again.EnsureAsync(domain, default);
        Assert.Equal(keys.Active("school.test").Select(key => key.Selector), again.Active("school.test").Select(key => key.Selector));
    }

    [Fact]
    public async Task A_rotation_overlaps()
    {
        var (keys, domain) = (Keys(), await DomainAsync());
        await keys.EnsureAsync(domain, default);
        Publish(keys.List(domain));
        await keys.LookAsync(domain, default);
        var first = keys.Active("school.test").Select(key => key.Selector).Order().ToList();
        Assert.False(keys.IsDue(domain));
        time.Advance(TimeSpan.FromDays(181));
        Assert.True(keys.IsDue(domain));
        Assert.Null(await keys.RotateAsync(domain, default));
        Assert.False(keys.IsDue(domain));
        Assert.Contains("made already", (await keys.RotateAsync(domain, default))!.Sentence, StringComparison.Ordinal);
        await keys.LookAsync(domain, default);
        Assert.Equal(first, keys.Active("school.test").Select(key => key.Selector).Order()); // nobody has published the next ones

        Publish(keys.List(domain).Where(key => key.Algorithm == DkimAlgorithm.Ed25519Sha256));
        await keys.LookAsync(domain, default);
        Assert.Equal(["cba202611r", "cba202705e"], keys.Active("school.test").Select(key => key.Selector).Order()); // each for itself
        Publish(keys.List(domain));
        await keys.LookAsync(domain, default);
        Assert.Equal(["cba202705e", "cba202705r"], keys.Active("school.test").Select(key => key.Selector).Order());
        Assert.Equal(first, keys.List(domain).Where(key => key.State == DkimKeyState.Retiring).Select(key => key.Selector).Order());
        time.Advance(TimeSpan.FromDays(15));
        await keys.LookAsync(domain, default);
        Assert.Equal(2, keys.List(domain).Count);
    }

    [Fact]
    public async Task Two_rotations_in_one_month_have_selectors_of_their_own()
    {
        var (keys, domain) = (Keys(), await DomainAsync());
        await keys.EnsureAsync(domain, default);
        Publish(keys.List(domain));
        await keys.LookAsync(domain, default);
        await keys.RotateAsync(domain, default);
        Assert.Equal(["cba202611-2e", "cba202611-2r", "cba202611e", "cba202611r"], keys.List(domain).Select(key => key.Selector).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Where_DNS_is_silent_all_stays_and_a_record_that_has_gone_is_told()
    {
        var (keys, domain) = (Keys(), await DomainAsync());
        await keys.EnsureAsync(domain, default);
        Publish(keys.List(domain));
        await keys.LookAsync(domain, default);
        zone.Fails = true;
        await keys.LookAsync(domain, default);
        Assert.Equal(2, keys.Active("school.test").Count);
        Assert.Null(keys.Trouble(domain));
        (zone.Fails, _) = (false, zone.Texts.Remove("cba202611r._domainkey.school.test"));
        await keys.LookAsync(domain, default);
        Assert.Equal(2, keys.Active("school.test").Count);
        Assert.Contains("no longer published", keys.Trouble(domain)!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_another_server_comes_and_goes_in_PEM()
    {
        var (keys, domain) = (Keys(), await DomainAsync());
        using var foreign = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256);
        zone.Texts["mail2020._domainkey.school.test"] = foreign.Record().Replace("v=DKIM1; k=rsa", "v=DKIM1;h=sha256 ;  k=rsa ", StringComparison.Ordinal);
        var taken = await keys.ImportAsync(domain, "mail2020", foreign.ToPem(), default);
        Assert.Equal(DkimKeyState.Active, taken.Value!.State); // it is published already
        Assert.Equal(foreign.ToPem(), keys.Export(domain, "mail2020").Value);
        Assert.Contains("already", (await keys.ImportAsync(domain, "mail2020", foreign.ToPem(), default)).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Contains("selector", (await keys.ImportAsync(domain, "a b", foreign.ToPem(), default)).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.False((await keys.ImportAsync(domain, "other", "nothing", default)).Ok);
        Assert.Contains("no key", keys.Export(domain, "none").Refusal!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_evaluation_keys_sign_at_once()
    {
        var (keys, domain) = (Keys(settings with { Evaluation = true }), await DomainAsync());
        await keys.EnsureAsync(domain, default);
        Assert.Equal(2, keys.Active("school.test").Count);
        Assert.Null(keys.Trouble(domain));
    }

    [Fact]
    public async Task A_domain_that_is_removed_and_comes_again_has_keys_of_its_own()
    {
        var (keys, domain) = (Keys(settings with { Evaluation = true }), await DomainAsync());
        await keys.EnsureAsync(domain, default);
        var old = keys.List(domain).Select(key => key.Record).ToHashSet();
        Assert.Null(await people.RemoveDomainAsync("school.test"));
        domain = await DomainAsync();
        Assert.Empty(keys.List(domain));
        await keys.EnsureAsync(domain, default);
        Assert.DoesNotContain(keys.List(domain), key => old.Contains(key.Record));
    }

    [Fact]
    public async Task Keys_that_a_lost_key_file_has_locked_are_made_anew()
    {
        var (keys, domain) = (Keys(settings with { Evaluation = true }), await DomainAsync());
        await keys.EnsureAsync(domain, default);
        File.Delete(Path.Combine(directory, Secrets.FileName));
        var without = Keys(settings with { Evaluation = true });
        Assert.Empty(without.Active("school.test"));
        Assert.Contains("cannot be used", without.Trouble(domain)!, StringComparison.Ordinal);
        await new Secrets(store, time, NullLogger<Secrets>.Instance).RenewAsync(default);
        var renewed = Keys(settings with { Evaluation = true });
        await renewed.EnsureAsync(domain, default);
        Assert.Equal(2, renewed.Active("school.test").Count);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
