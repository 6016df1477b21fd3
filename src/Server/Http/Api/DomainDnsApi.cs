using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Directory.Publication;
using CbaMail.Envelope;
using CbaMail.Net.Dns;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/domains/{name}/dns and /api/v1/domains/{name}/dkim: what a domain publishes, and the keys that its mail is signed with.</summary>
static class DomainDnsApi
{
    /// <param name="Name">With a dot at its end.</param>
    /// <param name="Purpose">What it is for, in a word.</param>
    sealed record ZoneRecordView(string Name, string Type, string Value, RecordPurpose Purpose, bool Required);

    sealed record PrivateKey(string Pem);

    sealed record ImportedKey(string Selector, string Pem);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/domains/{domain}/dns", Permissions.DnsRead, About.Domain, "What the domain should publish", Requests.WithDomain(async (context, domain) =>
            await context.JsonAsync((await context.Room<DomainZone>().RecordsAsync(domain, context.RequestAborted)).Select(record => new ZoneRecordView(record.Name, record.Type, record.Rdata, record.Purpose, record.Required))))) { Gives = typeof(ZoneRecordView[]) },
        new("GET", "/domains/{domain}/zone", Permissions.DnsRead, About.Domain, "The same as a zone file", Requests.WithDomain(ZoneAsync)) { Query = ["language"], GivesType = "text/plain" },
        new("GET", "/domains/{domain}/dns/check", Permissions.DnsRead, About.Domain, "What is published, and what differs", Requests.WithDomain(CheckAsync)) { Query = ["language", "blocklists", "server"], Repeats = "server", Gives = typeof(DnsCheckReport) },
        new("GET", "/domains/{domain}/dkim", Permissions.DkimRead, About.Domain, "Keys that mail of the domain is signed with", Requests.WithDomain(KeysAsync)) { Gives = typeof(DkimKeyReport[]) },
        new("POST", "/domains/{domain}/dkim/rotate", Permissions.DkimWrite, About.Domain, "Make new keys, which sign once they are published", Requests.WithDomain(RotateAsync)) { Gives = typeof(DkimKeyReport[]) },
        new("POST", "/domains/{domain}/dkim", Permissions.DkimWrite, About.Domain, "Bring a key of another server", Requests.WithDomain(ImportAsync)) { Takes = typeof(ImportedKey), Gives = typeof(DkimKeyReport) },
        new("GET", "/domains/{domain}/dkim/{selector}", Permissions.DkimExport, About.Domain, "A private key, for another server", Requests.WithDomain((context, domain) =>
            context.ResultAsync(context.Room<SigningKeys>().Export(domain, context.Part("selector")), pem => new PrivateKey(pem)))) { Gives = typeof(PrivateKey) },
    ];

    static async Task ZoneAsync(HttpContext context, Domain domain)
    {
        var zone = context.Room<DomainZone>();
        var text = zone.ZoneFile(domain, await zone.RecordsAsync(domain, context.RequestAborted), context.Request.Query["language"] == "ru");
        await context.TextAsync(text, "text/plain; charset=utf-8");
    }

    static async Task KeysAsync(HttpContext context, Domain domain)
    {
        var keys = context.Room<SigningKeys>();
        await keys.EnsureAsync(domain, context.RequestAborted);
        await context.JsonAsync(keys.List(domain));
    }

    static async Task RotateAsync(HttpContext context, Domain domain)
    {
        var keys = context.Room<SigningKeys>();
        await keys.EnsureAsync(domain, context.RequestAborted);
        if (await keys.RotateAsync(domain, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(keys.List(domain));
    }

    static async Task ImportAsync(HttpContext context, Domain domain)
    {
        if (await context.ReadAsync<ImportedKey>() is not { } key) return;
        await context.ResultAsync(await context.Room<SigningKeys>().ImportAsync(domain, key.Selector, key.Pem, context.RequestAborted), report => report, 201);
    }

    static async Task CheckAsync(HttpContext context, Domain domain)
    {
        DnsAsk ask;
        try
        {
            ask = new DnsAsk(context.Room<Settings>(), context.Room<TimeProvider>(), [.. context.Request.Query["server"].OfType<string>()]);
        }
        catch (FormatException)
        {
            await context.RefuseAsync(Refusal.Invalid.Because($"\"{context.Request.Query["server"]}\" is no address of a DNS server; write 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53"));
            return;
        }
        var records = await context.Room<DomainZone>().RecordsAsync(domain, context.RequestAborted);
        var wish = new DnsCheckWish(context.Request.Query["language"] == "ru", context.Request.Query["blocklists"] == "true");
        var check = new DnsCheck(context.Room<Settings>(), domain, records, ask, context.Room<AcmeRenewals>(), context.Room<Certificates>(), context.Room<TimeProvider>(), wish);
        var report = await check.RunAsync(context.RequestAborted);
        await context.Room<SigningKeys>().LookAsync(domain, context.RequestAborted); // what was seen just now may sign from now on
        await context.JsonAsync(report);
    }
}
