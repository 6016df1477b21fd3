using System.Text;
using System.Text.Json;
using CbaMail.Tests.EndToEnd.Api;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Mailing lists in the program as it is: made by the command line, written to by SMTP, killed in the middle of a post.</summary>
public sealed class ListTests : IAsyncLifetime
{
    const string Anna = "anna@school.test", Club = "club@school.test";
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync("");
        await server.AddAccountsAsync(Anna);
        await CliAsync("list", "add", Club, "--name", "Club", "--prefix", "[Club]", "--owners", Anna);
        await CliAsync("list", "join", Club, Anna);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    async Task<string> CliAsync(params string[] verb) => (await server.CliAsync(verb)).Succeeded().Output;

    async Task<List<JsonElement>> ItemsAsync(string path)
    {
        using var control = server.Control();
        return [.. (await ApiFixture.AskAsync(control, HttpMethod.Get, "/api/v1/" + path)).GetProperty("items").EnumerateArray()];
    }

    async Task PostAsync(string id)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{Anna}\0{TestServer.Password}")), "235");
        await client.SmtpAsync($"MAIL FROM:<{Anna}>", "250");
        await client.SmtpAsync($"RCPT TO:<{Club}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync($"From: {Anna}\r\nTo: {Club}\r\nSubject: a post\r\nMessage-ID: <{id}@school.test>\r\n\r\nHello\r\n");
        await client.SmtpAsync(".", "250");
    }

    async Task<List<string>> QueuedAsync()
    {
        using var control = server.Control();
        return [.. (await ApiFixture.AskAsync(control, HttpMethod.Get, "/api/v1/queue")).EnumerateArray().SelectMany(entry => entry.GetProperty("recipients").EnumerateArray()).Select(one => one.GetProperty("address").GetString()!)];
    }

    [Fact]
    public async Task A_server_killed_in_the_middle_of_a_post_to_five_hundred_leaves_nobody_out_and_writes_to_nobody_twice()
    {
        var members = Enumerable.Range(0, 500).Select(number => $"m{number}@elsewhere.test").ToList();
        Assert.Contains("500 are new", (await server.CliAsync(string.Join('\n', members), ["list", "join", Club, "-"])).Succeeded().Output, StringComparison.Ordinal);
        await PostAsync("one");
        await server.KillAsync();
        await server.StartAgainAsync();
        await Wait.UntilAsync(async () => (await QueuedAsync()).Count >= members.Count, "all copies are placed");
        await PostAsync("one"); // a client that saw no answer sends it again
        Assert.Equal(members.Order(StringComparer.Ordinal), (await QueuedAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_link_shows_a_page_and_only_its_button_does_what_it_says()
    {
        using var control = server.Control();
        using var gone = await control.GetAsync("/list/confirm/nothing");
        Assert.Equal(404, (int)gone.StatusCode);
        Assert.Contains("[Club]", await CliAsync("list", "show", Club), StringComparison.Ordinal);
        await CliAsync("list", "mode", Club, Anna, "nomail");
        Assert.Equal("nomail", Assert.Single(await ItemsAsync($"lists/{Club}/members")).GetProperty("mode").GetString());
        await CliAsync("list", "leave", Club, Anna);
        Assert.Empty(await ItemsAsync($"lists/{Club}/members"));
        await CliAsync("list", "remove", Club);
    }
}
