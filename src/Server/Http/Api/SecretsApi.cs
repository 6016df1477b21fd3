using CbaMail.Authorization;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/secrets: the key that secrets in the database are encrypted by.</summary>
static class SecretsApi
{
    sealed record SecretsRenewed(bool Renewed);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/secrets/renew", Permissions.Maintenance, About.Server, "Encrypt every secret in the database by a new key", RenewAsync) { Gives = typeof(SecretsRenewed) },
    ];

    static async Task RenewAsync(HttpContext context)
    {
        if (await context.Room<Secrets>().RenewAsync(context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
        else await context.JsonAsync(new SecretsRenewed(true));
    }
}
