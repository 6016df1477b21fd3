using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Inbound;
using CbaMail.Net;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/bans, /api/v1/allowed and /api/v1/greylist: who is not let in, who is asked nothing, who was told to come again.</summary>
static class DoorsApi
{
    sealed record NewBan(string Address, double? Seconds, string? Reason);
    /// <param name="From"><c>settings</c> or <c>added</c>.</param>
    sealed record AllowedView(string Client, string Note, DateTimeOffset? Since, string From);
    sealed record ClientDone(string Client);

    /// <param name="Until">Mail that comes before is told to come again.</param>
    sealed record GreylistView(string Client, string Sender, string Recipient, DateTimeOffset First, DateTimeOffset Last, bool Passed, DateTimeOffset Until);
    sealed record AllForgotten(int Forgotten);
    sealed record NewAllowed(string Client, string? Note);

    const int MostShown = 10_000;

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/bans", Permissions.BansRead, About.Server, "Who is not let in", context => context.JsonAsync(context.Room<Bans>().List())) { Gives = typeof(Ban[]) },
        new("POST", "/bans", Permissions.BansWrite, About.Server, "Let an address or a network in no more", BanAsync) { Takes = typeof(NewBan), Gives = typeof(Ban) },
        new("DELETE", "/bans/{address}", Permissions.BansWrite, About.Server, "Let it in again", UnbanAsync) { Gives = typeof(AddressDone) },
        new("GET", "/allowed", Permissions.BansRead, About.Server, "Who is asked nothing", context => context.JsonAsync(Allowed(context.Room<AllowList>()))) { Gives = typeof(AllowedView[]) },
        new("POST", "/allowed", Permissions.BansWrite, About.Server, "Ask somebody nothing", AllowAsync) { Takes = typeof(NewAllowed), Gives = typeof(ClientDone) },
        new("DELETE", "/allowed/{client}", Permissions.BansWrite, About.Server, "Ask him again", DisallowAsync) { Gives = typeof(ClientDone) },
        new("GET", "/greylist", Permissions.BansRead, About.Server, "Who was told to come again", context => context.JsonAsync(Greylist(context.Room<Acquaintances>(), context.Room<Settings>()))) { Gives = typeof(GreylistView[]) },
        new("DELETE", "/greylist", Permissions.BansWrite, About.Server, "Forget all of them", ForgetAsync) { Gives = typeof(AllForgotten) },
    ];

    static Refusal NoNetwork(string text) => Refusal.Invalid.Because($"\"{Shown(text)}\" is no address and no network; write it as in 192.0.2.1 or 192.0.2.0/24");

    static string Shown(string text) => text.Length > 100 ? text[..100] : text;

    static async Task BanAsync(HttpContext context)
    {
        if (await context.ReadAsync<NewBan>() is not { } wanted) return;
        if (!Networks.TryParse(wanted.Address, out var network))
        {
            await context.RefuseAsync(NoNetwork(wanted.Address));
            return;
        }
        // whoever bans half the world has mistyped himself
        if (network.PrefixLength < (network.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? 16 : 8))
        {
            await context.RefuseAsync(Refusal.Invalid.Because($"{network} is too large a network to ban"));
            return;
        }
        if (wanted.Seconds is <= 0 or > 3e9)
        {
            await context.RefuseAsync(Refusal.Invalid.Because("A ban lasts at least a second; without a time it lasts until it is removed"));
            return;
        }
        var ban = context.Room<Bans>().Add(network, wanted.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, wanted.Reason ?? "by an administrator");
        await context.Room<EdgeKeeper>().WriteAsync();
        await context.JsonAsync(ban, 201);
    }

    static async Task UnbanAsync(HttpContext context)
    {
        var text = context.Part("address");
        if (!Networks.TryParse(text, out var network)) await context.RefuseAsync(NoNetwork(text));
        else if (!context.Room<Bans>().Remove(network)) await context.RefuseAsync(Refusal.NoSuchThing.Because($"{Shown(text)} is not banned"));
        else
        {
            await context.Room<EdgeKeeper>().WriteAsync();
            await context.JsonAsync(new AddressDone(text));
        }
    }

    static IEnumerable<AllowedView> Allowed(AllowList list) =>
    [
        .. list.Own.Select(client => new AllowedView(client, "", null, "settings")),
        .. list.Added.All().OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => new AllowedView(entry.Key, entry.Memo.Note, entry.Memo.Since, "added")),
    ];

    static async Task AllowAsync(HttpContext context)
    {
        if (await context.ReadAsync<NewAllowed>() is not { } wanted) return;
        if (!AllowList.TryRead(wanted.Client, out var written))
        {
            await context.RefuseAsync(Refusal.Invalid.Because($"\"{Shown(wanted.Client)}\" is neither an address, nor a network, nor a host name such as mail.example.org or *.example.org"));
            return;
        }
        context.Room<AllowList>().Add(written, wanted.Note ?? "");
        await context.Room<EdgeKeeper>().WriteAsync();
        await context.JsonAsync(new ClientDone(written), 201);
    }

    static async Task DisallowAsync(HttpContext context)
    {
        var text = context.Part("client");
        if (!AllowList.TryRead(text, out var written) || !context.Room<AllowList>().Remove(written))
        {
            var own = context.Room<AllowList>().Own.Contains(written);
            await context.RefuseAsync(own
                ? Refusal.NoSuchThing.Because($"{written} is allowed by the settings file: remove it from inbound.allow")
                : Refusal.NoSuchThing.Because($"{Shown(text)} is not on the list"));
            return;
        }
        await context.Room<EdgeKeeper>().WriteAsync();
        await context.JsonAsync(new ClientDone(written));
    }

    static IEnumerable<GreylistView> Greylist(Acquaintances met, Settings settings) =>
        met.Attempts.All().OrderByDescending(entry => entry.Memo.Last).Take(MostShown).Select(entry =>
        {
            var words = entry.Key.Split(' ', 3);
            var until = entry.Memo.Since + settings.Inbound.Greylist.Delay;
            return new GreylistView(words[0], words[1], words[2], entry.Memo.Since, entry.Memo.Last, entry.Memo.Count > 0, until);
        });

    static async Task ForgetAsync(HttpContext context)
    {
        var met = context.Room<Acquaintances>();
        var entries = met.Attempts.All();
        foreach (var (key, _) in entries) met.Attempts.Remove(key);
        foreach (var (key, _) in met.Pools.All()) met.Pools.Remove(key);
        await context.Room<EdgeKeeper>().WriteAsync();
        await context.JsonAsync(new AllForgotten(entries.Count));
    }
}
