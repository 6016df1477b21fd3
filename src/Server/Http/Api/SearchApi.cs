using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes.Search;

namespace CbaMail.Http.Api;

/// <summary>/v1/search: the full-text indexes of accounts.</summary>
static class SearchApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/search", context => AnswerAsync(context, rebuild: false));
        routes.MapPost("/v1/search/rebuild", context => AnswerAsync(context, rebuild: true));
    }

    // ?account=ADDRESS, or all
    static async Task AnswerAsync(HttpContext context, bool rebuild)
    {
        var directory = context.Room<UserDirectory>();
        IReadOnlyList<Account> accounts = directory.ListAccounts();
        if (context.Request.Query["account"] is [{ Length: > 0 } address])
        {
            if (!MailAddress.TryParse(address, out var parsed) || directory.FindAccount(parsed) is not { } account)
            {
                await context.RefuseAsync(Refusal.NoSuchUser.Because($"There is no account {address}"));
                return;
            }
            accounts = [account];
        }
        var index = context.Room<TextIndex>();
        var rows = new List<object>();
        foreach (var account in accounts)
        {
            if (rebuild) await index.RebuildAsync(account.Id, context.RequestAborted);
            var status = await index.StatusAsync(account.Id, context.RequestAborted);
            rows.Add(new { address = account.Address.ToString(), messages = status.Messages, pending = status.Pending, bytes = status.Size.Bytes, segments = status.Size.Segments });
        }
        await context.JsonAsync(rows);
    }
}
