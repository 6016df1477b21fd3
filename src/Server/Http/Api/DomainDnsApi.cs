using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Directory.Publication;
using CbaMail.Envelope;
using CbaMail.Net.Dns;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Http.Api;

/// <summary>/v1/domains/{name}/dns and /v1/domains/{name}/dkim: what a domain publishes, and the keys that its mail is signed with.</summary>
static class DomainDnsApi
{
    sealed record ImportedKey(string Selector, string Pem);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/domains/{name}/dns", context => DomainsApi.WithAsync(context, async domain =>
            await context.JsonAsync((await context.Room<DomainZone>().RecordsAsync(domain, context.RequestAborted)).Select(record => new { record.Name, record.Type, Value = record.Rdata, record.Purpose, record.Required }))));
        routes.MapGet("/v1/domains/{name}/zone", context => DomainsApi.WithAsync(context, async domain =>
        {
            var zone = context.Room<DomainZone>();
            var text = zone.ZoneFile(domain, await zone.RecordsAsync(domain, context.RequestAborted), context.Request.Query["language"] == "ru");
            await context.TextAsync(text, "text/plain; charset=utf-8");
        }));
        routes.MapGet("/v1/domains/{name}/dns/check", context => DomainsApi.WithAsync(context, domain => CheckAsync(context, domain)));
        routes.MapGet("/v1/domains/{name}/dkim", context => DomainsApi.WithAsync(context, async domain =>
        {
            var keys = context.Room<SigningKeys>();
            await keys.EnsureAsync(domain, context.RequestAborted);
            await context.JsonAsync(keys.List(domain));
        }));
        routes.MapPost("/v1/domains/{name}/dkim/rotate", context => DomainsApi.WithAsync(context, async domain =>
        {
            var keys = context.Room<SigningKeys>();
            await keys.EnsureAsync(domain, context.RequestAborted);
            if (await keys.RotateAsync(domain, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
            else await context.JsonAsync(keys.List(domain));
        }));
        routes.MapPost("/v1/domains/{name}/dkim", context => DomainsApi.WithAsync(context, async domain =>
        {
            if (await context.ReadAsync<ImportedKey>() is not { } key) return;
            await context.ResultAsync(await context.Room<SigningKeys>().ImportAsync(domain, key.Selector, key.Pem, context.RequestAborted), report => report, 201);
        }));
        routes.MapGet("/v1/domains/{name}/dkim/{selector}", context => DomainsApi.WithAsync(context, domain =>
            context.ResultAsync(context.Room<SigningKeys>().Export(domain, context.Part("selector")), pem => new { pem })));
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
