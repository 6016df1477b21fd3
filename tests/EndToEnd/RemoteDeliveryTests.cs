using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>
/// Mail that leaves: MX records of a real name server (nsd) with a zone of the tests' own, a real sink (Postfix's smtp-sink),
/// and a peer that says what the test wants. Nothing leaves loopback.
/// </summary>
[Trait("Category", "Slow")]
public sealed class RemoteDeliveryTests : IAsyncLifetime
{
    private readonly List<Process> started = [];
    private readonly int dnsPort = FreePorts.One();
    private readonly int sinkPort = FreePorts.One();
    private TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync($"""
            dns:
              servers: ["127.0.0.1:{dnsPort}"]
            queue:
              port: {sinkPort}
              retry-after: [1s]
            """);
        await server.AddAccountsAsync("anna@example.test");
        await StartNameServerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in started)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.Dispose();
        }
        await server.DisposeAsync();
    }

    private async Task StartNameServerAsync()
    {
        var folder = System.IO.Directory.CreateDirectory(Path.Combine(server.Folder, "nsd")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "away.zone"), """
            $ORIGIN away.test.
            $TTL 60
            @        SOA ns hostmaster 1 60 60 60 60
            @        NS  ns
            ns       A   127.0.0.1
            mail     A   127.0.0.1
            backup   A   127.0.0.1
            dead     A   127.0.0.2
            @        MX  10 mail
            second   MX  5 dead
            second   MX  10 backup
            onlya    A   127.0.0.1
            nomail   MX  0 .
            www      CNAME mail
            """ + "\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "nsd.conf"), $"""
            server:
              ip-address: 127.0.0.1@{dnsPort}
              port: {dnsPort}
              username: ""
              chroot: ""
              zonesdir: "{folder}"
              database: ""
              pidfile: ""
              xfrdfile: ""
              zonelistfile: "{folder}/zone.list"
              xfrdir: "{folder}"
              server-count: 1
              verbosity: 1
            remote-control:
              control-enable: no
            zone:
              name: away.test
              zonefile: away.zone
            """ + "\n");
        Start("nsd", "-d", "-c", Path.Combine(folder, "nsd.conf"));
        await Wait.UntilAsync(async () => (await Tool.RunAsync("dig", "+short", "+time=1", "+tries=1", "-p", $"{dnsPort}", "@127.0.0.1", "away.test", "MX")).Output.Contains("mail.away.test", StringComparison.Ordinal), "nsd answers");
    }

    private void Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(Tool.Find(program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = server.Folder })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        started.Add(process);
    }

    /// <summary>smtp-sink that keeps each message in a file; drops root's rights, so its folder belongs to everybody.</summary>
    private async Task<string> StartSinkAsync(params string[] options)
    {
        var folder = System.IO.Directory.CreateDirectory(Path.Combine(server.Folder, "sink")).FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)511);
        File.SetUnixFileMode(server.Folder, (UnixFileMode)493);
        string[] user = Environment.UserName == "root" ? ["-u", "nobody"] : [];
        Start("smtp-sink", [.. user, "-d", "sink/%M.", .. options, $"127.0.0.1:{sinkPort}", "100"]);
        await Wait.UntilAsync(CanConnectAsync, "smtp-sink listens");
        return folder;
    }

    private async Task<bool> CanConnectAsync()
    {
        try
        {
            await using var probe = await WireClient.ConnectAsync(sinkPort);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task SubmitAsync(string subject, params string[] to)
    {
        await using var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0anna@example.test\0{TestServer.Password}")), "235");
        await client.SmtpAsync("MAIL FROM:<anna@example.test>", "250");
        foreach (var recipient in to) await client.SmtpAsync($"RCPT TO:<{recipient}>", "250");
        await client.SmtpAsync("DATA", "354");
        await client.SendAsync(Letter.Text("anna@example.test", to[0], subject, "Hello out there.\r\n.dot\r\n"));
        await client.SmtpAsync(".", "250");
        await client.SmtpAsync("QUIT", "221");
    }

    private static List<string> Kept(string folder) => [.. System.IO.Directory.GetFiles(folder).Select(File.ReadAllText)];

    private async Task<bool> QueueIsEmptyAsync() => (await server.CliAsync("queue", "list", "--json")).Succeeded().Output.Trim() == "[]";

    private Task<List<string>> InboxAsync() => Letter.AllAsync(server.Imap, "anna@example.test");

    [Theory]
    [InlineData("somebody@away.test", "an MX record")]
    [InlineData("somebody@second.away.test", "the second MX where the first is dead")]
    [InlineData("somebody@onlya.away.test", "an address record where there is no MX")]
    public async Task Reaches_the_sink_through(string to, string way)
    {
        var folder = await StartSinkAsync();
        await SubmitAsync(way, to);
        await Wait.UntilAsync(() => Kept(folder).Any(m => m.Contains($"Subject: {way}", StringComparison.Ordinal)), way);
        await Wait.UntilAsync(QueueIsEmptyAsync, "the queue is empty");
        Assert.Contains("Received: ", Kept(folder)[0]);
        Assert.Empty(await InboxAsync());
    }

    [Fact]
    public async Task Several_recipients_of_a_domain_go_in_one_transaction()
    {
        var folder = await StartSinkAsync();
        await SubmitAsync("to three", "a@away.test", "b@away.test", "c@away.test");
        await Wait.UntilAsync(QueueIsEmptyAsync, "the queue is empty");
        Assert.Equal(3, Kept(folder).Single(m => m.Contains("to three", StringComparison.Ordinal)).Split("X-Rcpt-Args:").Length - 1);
    }

    [Theory]
    [InlineData("x@nomail.away.test", "5.1.10")]            // RFC 7505
    [InlineData("x@nosuch.away.test", "5.1.2")]
    public async Task A_domain_without_mail_comes_back_at_once(string to, string code)
    {
        await SubmitAsync("to nowhere", to);
        await Wait.UntilAsync(async () => (await InboxAsync()).Count == 1, "a bounce comes back");
        var bounce = (await InboxAsync())[0];
        Assert.Contains("Return-Path: <>", bounce);
        Assert.Contains("multipart/report", bounce);
        Assert.Contains("message/delivery-status", bounce);
        Assert.Contains($"Final-Recipient: rfc822; {to}", bounce.Replace("rfc822;" + to, "rfc822; " + to, StringComparison.Ordinal));
        Assert.Contains($"Status: {code}", bounce);
        Assert.Contains("Subject: to nowhere", bounce);
        Assert.True(await QueueIsEmptyAsync());
    }

    [Fact]
    public async Task A_refused_recipient_bounces_with_the_peers_words()
    {
        await StartSinkAsync("-f", "RCPT");
        await SubmitAsync("refused", "nobody@away.test");
        await Wait.UntilAsync(async () => (await InboxAsync()).Count == 1, "a bounce comes back");
        var bounce = (await InboxAsync())[0];
        Assert.Contains("Action: failed", bounce);
        Assert.Contains("Diagnostic-Code: smtp;", bounce);
        Assert.Contains("Remote-MTA: dns;", bounce);
    }

    [Fact]
    public async Task A_temporary_refusal_is_tried_again_until_it_is_taken()
    {
        await SubmitAsync("patience", "somebody@away.test");         // nobody listens yet
        await Wait.UntilAsync(async () => (await server.CliAsync("queue", "list", "--json")).Output.Contains("anna@example.test", StringComparison.Ordinal), "it waits in the queue");
        var folder = await StartSinkAsync();
        await Wait.UntilAsync(() => Kept(folder).Count > 0, "it is tried again", 60);
        await Wait.UntilAsync(QueueIsEmptyAsync, "the queue is empty");
        Assert.Empty(await InboxAsync());
    }

    [Fact]
    public async Task The_queue_survives_kill_9()
    {
        for (var i = 0; i < 5; i++) await SubmitAsync($"durable {i}", $"r{i}@away.test");
        await server.KillAsync();
        var folder = await StartSinkAsync();
        await server.StartAgainAsync();
        await Wait.UntilAsync(() => Kept(folder).Count == 5, "all five leave after the restart", 60);
        await Wait.UntilAsync(QueueIsEmptyAsync, "the queue is empty");
        Assert.Equal(5, Kept(folder).Count);
    }
}
