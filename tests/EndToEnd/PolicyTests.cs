using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>What domains and accounts ask for, set by the command line and seen at the doors.</summary>
public sealed class PolicyTests : IAsyncDisposable
{
    const string Anna = "anna@example.test", Boris = "boris@example.test";
    readonly ScriptedPeer peer = new();
    TestServer server = null!;

    async Task StartAsync(string more = "")
    {
        server = await TestServer.StartAsync($$"""
            queue:
              retry-after: [1s]
              routes: [{domain: "*", host: 127.0.0.1, port: {{peer.Port}}}]
            {{more}}
            """);
        await server.AddAccountsAsync(Anna, Boris);
    }

    async Task SetAsync(params string[] words) => (await server.CliAsync(["policy", "set", .. words])).Succeeded();

    async Task<string> RecipientAsync(string from, string to, bool tls = false, string parameters = "")
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Smtp);
        if (tls)
        {
            await client.SmtpAsync("STARTTLS", "220");
            await client.StartTlsAsync();
            await client.SmtpAsync("EHLO client.example.org", "250");
        }
        await client.SmtpAsync($"MAIL FROM:<{from}>{parameters}", "250");
        return await client.SmtpAsync($"RCPT TO:<{to}>");
    }

    async Task SubmitAsync(string account, string to, string text)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{TestServer.Password}")), "235");
        await client.SmtpAsync($"MAIL FROM:<{account}>", "250");
        await client.SmtpAsync($"RCPT TO:<{to}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync(text);
        await client.SmtpAsync(".", "250");
    }

    [Fact]
    public async Task Mail_may_be_taken_over_TLS_only_from_some_and_up_to_a_size()
    {
        await StartAsync();
        await SetAsync(Anna, "require-tls", "yes");
        Assert.StartsWith("550 5.7.10", await RecipientAsync("x@elsewhere.test", Anna));
        Assert.StartsWith("250", await RecipientAsync("x@elsewhere.test", Anna, tls: true));
        Assert.StartsWith("250", await RecipientAsync("x@elsewhere.test", Boris));
        await SetAsync(Boris, "allowed-senders", "@friends.test", "members");
        Assert.StartsWith("550 5.7.1", await RecipientAsync("x@elsewhere.test", Boris));
        Assert.StartsWith("550 5.7.1", await RecipientAsync(Anna, Boris)); // whoever has not signed in is no member
        Assert.StartsWith("250", await RecipientAsync("x@friends.test", Boris));
        await SetAsync("example.test", "max-size", "10K");
        Assert.StartsWith("552 5.3.4", await RecipientAsync("x@friends.test", Boris, parameters: " SIZE=20000"));
        await SubmitAsync(Anna, Boris, Letter.Text(Anna, Boris, "from a member"));
        Assert.Single(await Letter.AllAsync(server.Imap, Boris));
        Assert.Contains("no key of a policy", (await server.CliAsync("policy", "set", Anna, "nonsense", "1")).Error);
        Assert.Contains("10K", (await server.CliAsync("policy", "show", "example.test")).Succeeded().Output);
        (await server.CliAsync("policy", "clear", "example.test", "max-size")).Succeeded();
        Assert.StartsWith("250", await RecipientAsync("x@friends.test", Boris, parameters: " SIZE=20000"));
    }

    [Fact]
    public async Task Forwarded_mail_leaves_in_our_name_and_its_bounce_goes_back()
    {
        await StartAsync();
        await SetAsync(Anna, "forward", "anna@elsewhere.test");
        await Letter.SendAsync(server.Smtp, "writer@origin.test", Anna, Letter.Text("writer@origin.test", Anna, "to be passed on"));
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "it was passed on");
        var mail = peer.Mails[0];
        Assert.Matches(@"^<SRS0=[a-z2-7]{8}=[a-z2-7]{2}=origin\.test=writer@example\.test>", mail.From);
        Assert.Single(await Letter.AllAsync(server.Imap, Anna));
        var back = mail.From[1..mail.From.IndexOf('>', StringComparison.Ordinal)];
        Assert.StartsWith("550", await RecipientAsync("spam@elsewhere.test", back)); // bounces only
        Assert.StartsWith("550", await RecipientAsync("", back.Replace("writer", "victim", StringComparison.Ordinal)));
        await Letter.SendAsync(server.Smtp, "", back, Letter.Text("mailer-daemon@elsewhere.test", back, "undelivered"));
        await Wait.UntilAsync(() => peer.Mails.Count == 2, "the bounce went back");
        Assert.Equal(["<writer@origin.test>"], peer.Mails[1].To.Select(to => to.Split(' ')[0]));
        Assert.StartsWith("<>", peer.Mails[1].From);
    }

    [Fact]
    public async Task The_author_of_forwarded_mail_is_told_where_the_next_server_refuses_it()
    {
        peer.Script = line => line.StartsWith("RCPT TO:<anna@elsewhere.test>", StringComparison.OrdinalIgnoreCase) ? "550 5.1.1 who is that" : null;
        await StartAsync();
        await SetAsync(Anna, "forward", "anna@elsewhere.test");
        await Letter.SendAsync(server.Smtp, "writer@origin.test", Anna, Letter.Text("writer@origin.test", Anna, "to be passed on in vain"));
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "the author is told");
        Assert.StartsWith("<>", peer.Mails[0].From);
        Assert.Equal(["<writer@origin.test>"], peer.Mails[0].To.Select(to => to.Split(' ')[0]));
        Assert.Contains("To: writer@origin.test", peer.Mails[0].Data.Replace("<writer@origin.test>", "writer@origin.test", StringComparison.Ordinal));
        Assert.Contains("Action: failed", peer.Mails[0].Data);
    }

    [Fact]
    public async Task A_relay_domains_names_are_asked_of_its_server_and_its_mail_goes_there()
    {
        await using var branch = new ScriptedPeer();
        branch.Script = line => line.StartsWith("RCPT TO:<nobody@", StringComparison.OrdinalIgnoreCase) ? "550 5.1.1 who is that" : null;
        await StartAsync();
        (await server.CliAsync("domain", "add", "branch.test")).Succeeded();
        await SetAsync("branch.test", "relay-to", $"127.0.0.1:{branch.Port}");
        Assert.StartsWith("550 5.1.1", await RecipientAsync("x@elsewhere.test", "nobody@branch.test"));
        await Letter.SendAsync(server.Smtp, "writer@origin.test", "who@branch.test", Letter.Text("writer@origin.test", "who@branch.test", "relayed"));
        await Wait.UntilAsync(() => branch.Mails.Count == 1, "it was passed on");
        Assert.StartsWith("<writer@origin.test>", branch.Mails[0].From); // a relay changes nothing
        Assert.Empty(peer.Mails);
        await branch.DisposeAsync();
        Assert.StartsWith("250", await RecipientAsync("x@elsewhere.test", "another@branch.test")); // that is what a backup MX is for
    }

    [Fact]
    public async Task A_name_of_ours_may_be_mapped_to_one_elsewhere()
    {
        await StartAsync();
        (await server.CliAsync("recipient-map", "add", "gone@example.test", "gone@elsewhere.test")).Succeeded();
        await Letter.SendAsync(server.Smtp, "writer@origin.test", "gone@example.test", Letter.Text("writer@origin.test", "gone@example.test", "moved"));
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "it was passed on");
        Assert.Contains("gone@elsewhere.test", peer.Mails[0].To[0]);
        Assert.Contains("@example.test>", peer.Mails[0].From); // in our name
    }

    [Fact]
    public async Task Domain_aliases_copies_and_the_recipient_map_lead_mail()
    {
        await StartAsync();
        (await server.CliAsync("domain", "add", "alias.test", "--alias-of", "example.test")).Succeeded();
        (await server.CliAsync("recipient-map", "add", "@old.test", "@example.test")).Succeeded();
        await SetAsync("example.test", "bcc-outgoing", Boris);
        await Letter.SendAsync(server.Smtp, "x@elsewhere.test", "anna@alias.test", Letter.Text("x@elsewhere.test", Anna, "by the alias"));
        await Letter.SendAsync(server.Smtp, "x@elsewhere.test", "anna@old.test", Letter.Text("x@elsewhere.test", Anna, "by the map"));
        await SubmitAsync(Anna, "far@elsewhere.test", Letter.Text(Anna, "far@elsewhere.test", "copied"));
        var annas = await Letter.AllAsync(server.Imap, Anna);
        Assert.Equal(2, annas.Count);
        Assert.Contains("Subject: copied", Assert.Single(await Letter.AllAsync(server.Imap, Boris)));
    }

    [Fact]
    public async Task What_is_sent_has_the_footer_and_tells_nothing_of_the_client()
    {
        await StartAsync();
        await SetAsync("example.test", "footer-text", "Учебный центр, Москва");
        await SubmitAsync(Anna, "far@elsewhere.test", Letter.Text(Anna, "far@elsewhere.test", "footer", "Добрый день\r\n",
            "User-Agent: Secret 1.0\r\nBcc: hidden@example.test\r\nX-Originating-IP: 10.1.2.3\r\n"));
        await Wait.UntilAsync(() => peer.Mails.Count == 1, "it has left");
        var text = peer.Mails[0].Data;
        Assert.EndsWith("Добрый день\n\nУчебный центр, Москва\n", text);
        Assert.DoesNotContain("Secret", text);
        Assert.DoesNotContain("hidden@", text);
        Assert.DoesNotContain("10.1.2.3", text);
        Assert.DoesNotContain("client.example.org (", text);
        Assert.Contains("with ESMTPSA", text);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        await peer.DisposeAsync();
    }
}
