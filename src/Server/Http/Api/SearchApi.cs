using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes.Search;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/search: the full-text indexes of accounts.</summary>
static class SearchApi
{
    /// <param name="Pending">Messages that are not in the index yet.</param>
    sealed record IndexView(string Address, long Messages, long Pending, long Bytes, int Segments);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/search", Permissions.SearchRead, About.Server, "Full-text indexes of accounts", context => AnswerAsync(context, rebuild: false)) { Query = ["account"], Gives = typeof(IndexView[]) },
        new("POST", "/search/rebuild", Permissions.SearchWrite, About.Server, "Make full-text indexes anew", context => AnswerAsync(context, rebuild: true)) { Query = ["account"], Gives = typeof(IndexView[]) },
    ];

    // ?account=ADDRESS, or a domain for its public folders; or all
    static async Task AnswerAsync(HttpContext context, bool rebuild)
    {
        var directory = context.Room<UserDirectory>();
        var owners = directory.ListAccounts().Select(account => (account.Id, Name: account.Address.ToString())).ToList();
        // public folders are mailboxes of their domain's number with a minus
        var folders = directory.ListDomains().Select(domain => (Id: -domain.Id, domain.Name)).ToList();
        var isOne = false;
        if (context.Request.Query["account"] is [{ Length: > 0 } name])
        {
            isOne = true;
            if (MailAddress.TryParse(name, out var address) && directory.FindAccount(address) is { } account) (owners, folders) = ([(account.Id, account.Address.ToString())], []);
            else if (directory.FindDomain(name) is { } domain) (owners, folders) = ([], [(-domain.Id, domain.Name)]);
            else
            {
                await context.RefuseAsync(Refusal.NoSuchUser.Because($"There is no account {name}"));
                return;
            }
        }
        var index = context.Room<TextIndex>();
        var rows = new List<IndexView>();
        foreach (var (id, owner) in owners.Concat(folders))
        {
            var status = await index.StatusAsync(id, context.RequestAborted);
            if (id < 0 && status.Messages == 0 && !isOne) continue;
            if (rebuild)
            {
                await index.RebuildAsync(id, context.RequestAborted);
                status = await index.StatusAsync(id, context.RequestAborted);
            }
            rows.Add(new IndexView(owner, status.Messages, status.Pending, status.Size.Bytes, status.Size.Segments));
        }
        await context.JsonAsync(rows);
    }
}
