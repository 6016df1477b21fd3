using CbaMail.Authorization;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/certificates: the certificates.</summary>
static class TlsApi
{
    /// <param name="Expires">Null while an authority has given none yet.</param>
    /// <param name="Origin">The file, or the names that an authority was asked for.</param>
    sealed record CertificateView(IReadOnlyList<string> Names, string Issuer, string Key, DateTimeOffset? Begins, DateTimeOffset? Expires, int? DaysLeft, CertificateSource Source, string Origin, bool Default, DateTimeOffset? Renews, string? Problem);
    sealed record Renewal(string? Name = null, bool Rotate = false);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/certificates", Permissions.TlsRead, About.Server, "Certificates in use, and those that an authority was asked for", context => context.JsonAsync(List(context))) { Gives = typeof(CertificateView[]) },
        new("POST", "/certificates/reload", Permissions.TlsWrite, About.Server, "Read certificates again from their files", ReloadAsync) { Gives = typeof(CertificateView[]) },
        new("POST", "/certificates/renew", Permissions.TlsWrite, About.Server, "Ask the authority for new ones now", RenewAsync) { Takes = typeof(Renewal), Gives = typeof(CertificateView[]) },
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
    static List<CertificateView> List(HttpContext context)
    {
        var acme = context.Room<AcmeRenewals>().List();
        var served = context.Room<Certificates>().List();
        var rows = new List<CertificateView>();
        foreach (var one in served)
        {
            var about = one.Source == CertificateSource.Acme ? acme.FirstOrDefault(other => other.Group == one.Origin) : null;
            rows.Add(new(one.Names, one.Issuer, one.Key, one.Begins, one.Expires, one.DaysLeft, one.Source, one.Origin, one.Default, about?.Next, one.Problem ?? about?.Problem));
        }
        foreach (var one in acme.Where(one => !served.Any(other => other.Source == CertificateSource.Acme && other.Origin == one.Group)))
            rows.Add(new(one.Names, "", "", null, null, null, CertificateSource.Acme, one.Group, false, one.Next, one.Problem));
        return rows;
    }
}
