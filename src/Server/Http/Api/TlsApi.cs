using CbaMail.Authorization;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/certificates: the certificates.</summary>
static class TlsApi
{
    sealed record Renewal(string? Name = null, bool Rotate = false);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/certificates", Permissions.TlsRead, About.Server, "Certificates in use, and those that an authority was asked for", context => context.JsonAsync(List(context))),
        new("POST", "/certificates/reload", Permissions.TlsWrite, About.Server, "Read certificates again from their files", ReloadAsync),
        new("POST", "/certificates/renew", Permissions.TlsWrite, About.Server, "Ask the authority for new ones now", RenewAsync) { Takes = typeof(Renewal) },
    ];

    static async Task ReloadAsync(HttpContext context)
    {
        var problems = context.Room<Certificates>().Reload(always: true);
        if (problems.Count > 0) await context.RefuseAsync(409, string.Join("; ", problems));
        else await context.JsonAsync(List(context));
    }

    static async Task RenewAsync(HttpContext context)
    {
        if (await context.ReadAsync<Renewal>() is not { } wanted) return;
        if (await context.Room<AcmeRenewals>().RenewAsync(wanted.Name?.Trim().TrimEnd('.').ToLowerInvariant(), wanted.Rotate, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(List(context));
    }

    /// <summary>What is in use, and then what an authority was asked for and has not given yet.</summary>
    static List<object> List(HttpContext context)
    {
        var acme = context.Room<AcmeRenewals>().List();
        var served = context.Room<Certificates>().List();
        var rows = new List<object>();
        foreach (var one in served)
        {
            var about = one.Source == CertificateSource.Acme ? acme.FirstOrDefault(other => other.Group == one.Origin) : null;
            rows.Add(new { one.Names, one.Issuer, one.Key, one.Begins, Expires = (DateTimeOffset?)one.Expires, DaysLeft = (int?)one.DaysLeft, Source = (CertificateSource?)one.Source, one.Origin, one.Default, Renews = about?.Next, Problem = one.Problem ?? about?.Problem });
        }
        foreach (var one in acme.Where(one => !served.Any(other => other.Source == CertificateSource.Acme && other.Origin == one.Group)))
            rows.Add(new { one.Names, Issuer = "", Key = "", Begins = (DateTimeOffset?)null, Expires = (DateTimeOffset?)null, DaysLeft = (int?)null, Source = (CertificateSource?)CertificateSource.Acme, Origin = one.Group, Default = false, Renews = (DateTimeOffset?)one.Next, one.Problem });
        return rows;
    }
}
