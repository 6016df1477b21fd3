using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Api;

/// <summary>An administrator's term: twenty domains with 2,500 accounts, made and run from the shell and by the API alone.</summary>
public sealed class TwentyDomainsTests
{
    const int Domains = 20, Accounts = 2500;

    static string Domain(int i) => $"school{i:00}.test";

    static Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body = null) => ApiFixture.AskAsync(client, method, "/api/v1/" + path, body);

    [Fact]
    public async Task Twenty_domains_with_2500_accounts_are_run_from_the_shell_and_by_the_api()
    {
        await using var server = await TestServer.StartAsync();
        using var control = server.Control();

        // twenty domains in one request, each with an administrator of its own
        var made = await AskAsync(control, HttpMethod.Post, "batch", new
        {
            requests = Enumerable.Range(1, Domains).SelectMany(i => new object[]
            {
                new { method = "POST", path = "/domains", body = new { name = Domain(i), maxAccounts = 200, quota = 1_000_000_000L, tags = new[] { i % 2 == 0 ? "even" : "odd" } } },
                new { method = "POST", path = "/accounts", body = new { address = "dean@" + Domain(i), role = "domain-admin", password = ServerFixture.Password } },
            }),
        });
        Assert.All(Items(made), one => Assert.Equal(201, one.GetProperty("status").GetInt32()));

        // 2,500 accounts from a table, by the shell; again it changes nothing
        var table = new StringBuilder("address,name,groups\n");
        for (var i = 0; i < Accounts - Domains; i++) table.Append($"u{i:0000}@{Domain(i % Domains + 1)},Student {i},students year{i % 4 + 1}\n");
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "people.csv"), table.ToString());
        Assert.Contains("2480", (await server.CliAsync("", ["account", "import", "people.csv"], 300)).Succeeded().Output);
        (await server.CliAsync("", ["account", "import", "people.csv"], 300)).Succeeded();
        var list = await AskAsync(control, HttpMethod.Get, "accounts?limit=5000&fields=address");
        Assert.Equal(Accounts, Items(list).Count);

        // each dean sees and changes his own, to the limit, and nothing beside
        var key = (await AskAsync(control, HttpMethod.Post, "api-keys", new { name = "dean", account = "dean@" + Domain(7) })).GetProperty("key").GetString();
        using var dean = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };
        dean.DefaultRequestHeaders.Authorization = new("Bearer", key);
        Assert.Equal(Accounts / Domains, Items(await AskAsync(dean, HttpMethod.Get, "accounts?limit=5000")).Count);
        var asked = await AskAsync(dean, HttpMethod.Post, "batch", new
        {
            requests = Enumerable.Range(0, 80).Select(i => (object)new { method = "POST", path = "/accounts", body = new { address = $"new{i}@{Domain(7)}", password = ServerFixture.Password } })
                .Append(new { method = "POST", path = "/accounts", body = new { address = $"new@{Domain(8)}", password = ServerFixture.Password } }),
        });
        Assert.Equal((75, 5, 1), (Count(asked, 201), Items(asked).Count(one => one.GetProperty("status").GetInt32() is not (201 or 403)), Count(asked, 403)));

        // a page at a time, each account once
        var seen = new HashSet<string>();
        for (string? cursor = null; ;)
        {
            var page = await AskAsync(control, HttpMethod.Get, $"accounts?domain={Domain(3)}&limit=40{(cursor is null ? "" : "&cursor=" + cursor)}");
            Assert.All(Items(page), one => Assert.True(seen.Add(one.GetProperty("address").GetString()!)));
            if ((cursor = page.GetProperty("next").GetString()) is null) break;
        }
        Assert.Equal(Accounts / Domains, seen.Count);

        // a year ends: the fourth goes, the others rise, by one request each hundred; one is brought back
        var fourth = Items(await AskAsync(control, HttpMethod.Get, "accounts?group=year4&limit=5000")).Select(one => one.GetProperty("address").GetString()!).ToList();
        Assert.Equal(620, fourth.Count);
        foreach (var part in fourth.Chunk(500))
            Assert.Equal(part.Length, Count(await AskAsync(control, HttpMethod.Post, "batch", new { requests = part.Select(address => new { method = "DELETE", path = "/accounts/" + address }) }), 200));
        foreach (var year in new[] { 3, 2, 1 })
            foreach (var part in Items(await AskAsync(control, HttpMethod.Get, $"accounts?group=year{year}&limit=5000")).Select(one => one.GetProperty("address").GetString()!).Chunk(500))
                Assert.Equal(part.Length, Count(await AskAsync(control, HttpMethod.Post, "batch", new { requests = part.Select(address => new { method = "PATCH", path = "/accounts/" + address, body = new { groups = $"students year{year + 1}" } }) }), 200));
        Assert.Equal(620, Items(await AskAsync(control, HttpMethod.Get, "removed-accounts")).Count);
        Assert.Equal(0, (await server.CliAsync("account", "undelete", fourth[0])).ExitCode);
        Assert.Equal((620 + 1, 620, 620), (Items(await AskAsync(control, HttpMethod.Get, "accounts?group=year4&limit=5000")).Count, Items(await AskAsync(control, HttpMethod.Get, "accounts?group=year3&limit=5000")).Count, Items(await AskAsync(control, HttpMethod.Get, "accounts?group=year2&limit=5000")).Count));

        // a domain is renamed away and another ends
        foreach (var part in Items(await AskAsync(control, HttpMethod.Get, $"accounts?domain={Domain(20)}&limit=5000")).Select(one => one.GetProperty("address").GetString()!).Chunk(500))
            Assert.Equal(part.Length, Count(await AskAsync(control, HttpMethod.Post, "batch", new { requests = part.Select(address => new { method = "POST", path = $"/accounts/{address}/rename", body = new { to = "moved." + address.Replace(Domain(20), Domain(19)), alias = false } }) }), 200));
        (await server.CliAsync("domain", "remove", Domain(20))).Succeeded();
        Assert.Equal(Domains - 1, (await server.CliAsync("domain", "list", "--csv")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length - 1);

        // all of it stands in the log, in an unbroken chain, and lasts
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Contains("entries are as they were written", (await server.CliAsync("audit", "verify")).Succeeded().Output);
        using var after = server.Control();
        Assert.Equal(Accounts + 75 - 620 + 1, Items(await AskAsync(after, HttpMethod.Get, "accounts?limit=5000&fields=address")).Count);
        Assert.Contains("u0000@", (await server.CliAsync("audit", "list", "--text", "u0000@", "--csv")).Output);
    }

    static IReadOnlyList<JsonElement> Items(JsonElement answer) => [.. (answer.ValueKind == JsonValueKind.Array ? answer : answer.TryGetProperty("items", out var items) ? items : answer.GetProperty("results")).EnumerateArray()];

    static int Count(JsonElement batch, int status) => Items(batch).Count(one => one.GetProperty("status").GetInt32() == status);
}
