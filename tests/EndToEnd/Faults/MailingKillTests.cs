using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>
/// kill -9 again and again in a mailing to local and remote people; then ledger, mailboxes and what the remote side took are compared.
/// CBAMAIL_MAILING_KILLS=50 CBAMAIL_MAILING_PEOPLE=2500 makes it longer, CBAMAIL_SEED repeats one.
/// </summary>
[Trait("Category", "Slow")]
public sealed class MailingKillTests(ITestOutputHelper output) : IAsyncDisposable
{
    const int Connections = 3;
    readonly ScriptedPeer peer = new() { Extensions = ["PIPELINING", "8BITMIME"] };
    TestServer server = null!;

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await peer.DisposeAsync();
    }

    static int From(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    [Fact]
    public async Task Killed_in_the_middle_again_and_again_it_sends_to_everybody_once()
    {
        var (kills, people, seed) = (From("CBAMAIL_MAILING_KILLS", 4), From("CBAMAIL_MAILING_PEOPLE", 300), From("CBAMAIL_SEED", Random.Shared.Next()));
        output.WriteLine($"seed {seed} (CBAMAIL_SEED={seed}), {kills} kills, {people} local and as many remote");
        var random = new Random(seed);
        var course = await PrepareAsync(people);
        var (mailings, killed, twice) = (new List<string>(), 0, 0);
        while (killed < kills)
        {
            var mailing = await CourseSetup.MailingAsync(server, course, subject: $"Mailing {mailings.Count} for {{{{name}}}}");
            mailings.Add(mailing);
            (await server.CliAsync("mailing", "send", mailing)).Succeeded();
            while (killed < kills && !await IsDoneAsync(mailing))
            {
                await Task.Delay(random.Next(0, 700)); // when the cut comes is the point of the test
                await server.KillAsync();
                killed++;
                await server.StartAgainAsync();
            }
            await Wait.UntilAsync(() => IsDoneAsync(mailing), $"mailing {mailing} is done", 180);
        }
        foreach (var mailing in mailings)
        {
            var ledger = await CourseSetup.LedgerAsync(server, mailing);
            Assert.Equal(2 * people, ledger.Count);
            Assert.All(ledger, row => Assert.Equal("delivered", row.GetProperty("state").GetString()));
            Assert.Equal(2 * people, ledger.Select(row => row.GetProperty("messageId").GetString()).Distinct().Count());
            twice += CompareTaken(ledger, mailing, people);
        }
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(mailings.Count, pair.Value));
        var verified = await server.CliAsync("", ["verify"], 300);
        Assert.True(verified.ExitCode == 0, verified.All);
        output.WriteLine($"{killed} kills in {mailings.Count} mailings to {people} local and {people} remote people: nobody without a copy, no mailbox with two, {twice} taken twice by the remote side under one Message-ID");
        // SMTP cannot do better (RFC 1047): what the peer has taken while nobody was there to note it
        Assert.True(twice <= killed * Connections, $"{twice} copies left twice, with {Connections} connections at {killed} kills");
    }

    [Fact]
    public async Task Restored_from_a_backup_taken_in_the_middle_it_goes_on_when_told_to_and_no_mailbox_has_two()
    {
        const int people = 250;
        var course = await PrepareAsync(people);
        var mailing = await CourseSetup.MailingAsync(server, course);
        (await server.CliAsync("mailing", "send", mailing)).Succeeded();
        await Wait.UntilAsync(async () => (await CourseSetup.StatusAsync(server, mailing))["delivered"].GetInt32() > 0, "it is under way", 60);
        var shelf = Path.Combine(server.Folder, "shelf");
        (await server.CliAsync("backup", shelf)).Succeeded();
        await server.KillAsync();

        System.IO.Directory.Move(server.Data, server.Data + ".lost");
        (await server.CliAsync("", ["restore", shelf], 300)).Succeeded();
        await server.StartAgainAsync();
        var restored = await CourseSetup.StatusAsync(server, mailing);
        if (restored["state"].GetString() == "paused") (await server.CliAsync("mailing", "resume", mailing)).Succeeded();
        (await server.CliAsync("queue", "release", "--state", "held", "--all-matching")).Succeeded();
        await Wait.UntilAsync(() => IsDoneAsync(mailing), "the rest is sent", 180);

        var ledger = await CourseSetup.LedgerAsync(server, mailing);
        Assert.Equal(2 * people, ledger.Count(row => row.GetProperty("state").GetString() == "delivered"));
        Assert.All(await CourseSetup.CopiesAsync(server), pair => Assert.Equal(1, pair.Value));
        CompareTaken(ledger, mailing, people);
    }

    async Task<string> PrepareAsync(int people)
    {
        server = await TestServer.StartAsync($$"""
            queue:
              connections-per-destination: {{Connections}}
              retry-after: [1s, 1s]
              routes: [{domain: "*.sink.test", host: 127.0.0.1, port: {{peer.Port}}}]
            """);
        var course = await CourseSetup.MakeAsync(server, people);
        var remote = new StringBuilder("address,name,group,code\n");
        for (var i = 1; i <= people; i++) remote.Append(CultureInfo.InvariantCulture, $"r{i}@d{i % 7}.sink.test,Участник {i},г-{i % 10},code-{i}-end\n");
        (await server.CliAsync("course", "import", course, await CourseSetup.WriteAsync(server, "remote.csv", remote.ToString()))).Succeeded();
        return course;
    }

    async Task<bool> IsDoneAsync(string mailing)
    {
        var status = await CourseSetup.StatusAsync(server, mailing);
        return status["delivered"].GetInt32() == status["total"].GetInt32();
    }

    /// <summary>Everybody remote has been sent to, each by his own address and the Message-ID of the ledger.</summary>
    /// <returns>How many left more than once.</returns>
    int CompareTaken(List<JsonElement> ledger, string mailing, int people)
    {
        var expected = ledger.Where(row => row.GetProperty("address").GetString()!.EndsWith(".sink.test", StringComparison.Ordinal))
            .ToDictionary(row => row.GetProperty("messageId").GetString()!.Trim('<', '>'), row => row.GetProperty("address").GetString()!);
        var taken = peer.Mails.Select(mail => (Id: MessageId(mail.Data), To: mail.To[0].Trim('<', '>'))).Where(one => expected.ContainsKey(one.Id)).ToList();
        Assert.All(taken, one => Assert.Equal(expected[one.Id], one.To));
        var distinct = taken.Select(one => one.Id).Distinct().Count();
        Assert.True(distinct == people, $"mailing {mailing}: {distinct} of {people} were taken");
        return taken.Count - distinct;
    }

    static string MessageId(string text)
    {
        var start = text.IndexOf("\nMessage-ID:", StringComparison.OrdinalIgnoreCase); // not the name that a signature lists
        var open = text.IndexOf('<', start);
        return text[(open + 1)..text.IndexOf('>', open)];
    }
}
