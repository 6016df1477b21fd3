using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Two servers of ours over sockets and DNS: one takes mail in the name of the other's domain and reports it, the other reads that.</summary>
[Trait("Category", "Slow")]
public sealed class ReportTests : IAsyncDisposable
{
    readonly ZonePeer dns = new();
    TestServer owner = null!, receiver = null!;

    async Task StartAsync()
    {
        dns.Text("example.test", "v=spf1 ip4:127.0.0.1 -all").Text("other.test", "v=spf1 ip4:127.0.0.1 -all").Text("spam.test", "v=spf1 -all").Text("provider.test", "v=spf1 ip4:127.0.0.1 -all")
            .Text("_dmarc.example.test", "v=DMARC1; p=none; rua=mailto:dmarc-reports@example.test").Text("_smtp._tls.example.test", "v=TLSRPTv1; rua=mailto:tls-reports@example.test")
            .Exchange("example.test", "mx.example.test").Host("mx.example.test", "127.0.0.1").Pointer("127.0.0.1", "liar.test");
        owner = await TestServer.StartAsync($$"""
            dns: {servers: ["{{dns.Address}}"]}
            """);
        await owner.AddAccountsAsync("anna@example.test");
        receiver = await TestServer.StartAsync($$"""
            hostname: mail.other.test
            dns: {servers: ["{{dns.Address}}"]}
            queue: {port: {{owner.Smtp}}, retry-after: [1s]}
            reports: {send-dmarc: yes, send-tls: yes}
            """);
        await receiver.AddAccountsAsync("ben@other.test");
    }

    static async Task<List<JsonElement>> ListAsync(TestServer server, params string[] verb)
    {
        var text = (await server.CliAsync([.. verb, "--json"])).Succeeded().Output;
        return [.. JsonDocument.Parse(text).RootElement.EnumerateArray()];
    }

    static async Task<List<JsonElement>> UntilAsync(TestServer server, Func<List<JsonElement>, bool> enough, params string[] verb)
    {
        List<JsonElement> found = [];
        await Wait.UntilAsync(async () => enough(found = await ListAsync(server, verb)), string.Join(' ', verb), 60);
        return found;
    }

    [Fact]
    public async Task What_one_server_saw_the_other_one_shows()
    {
        await StartAsync();
        foreach (var sender in (string[])["anna@example.test", "anna@example.test", "x@spam.test"])
            await Letter.SendAsync(receiver.Smtp, sender, "ben@other.test", Letter.Text("anna@example.test", "ben@other.test", "hello"));
        var trial = (await receiver.CliAsync("report", "send", "--domain", "example.test", "--dry-run")).Succeeded().Output;
        Assert.Contains("<count>2</count>", trial);
        Assert.Contains("report on example.test", (await receiver.CliAsync("report", "send", "--domain", "example.test")).Succeeded().Output);

        var report = Assert.Single(await UntilAsync(owner, list => list.Count > 0, "report", "list"));
        Assert.Equal(("dmarc", "example.test", "other.test", 2, 1, true, "other.test"), (report.GetProperty("kind").GetString(), report.GetProperty("domain").GetString(), report.GetProperty("organization").GetString(),
            report.GetProperty("passed").GetInt32(), report.GetProperty("failed").GetInt32(), report.GetProperty("trusted").GetBoolean(), report.GetProperty("author").GetString()));
        var shown = (await owner.CliAsync("report", "show", "example.test")).Succeeded().Output;
        Assert.Contains("127.0.0.1 (liar.test) as example.test: 3 messages, 1 FAIL", shown);

        // the report itself went over TLS, which is reported in turn
        (await receiver.CliAsync("report", "send", "--domain", "example.test")).Succeeded();
        var both = await UntilAsync(owner, list => list.Count > 1, "report", "list");
        Assert.Contains(both, one => one.GetProperty("kind").GetString() == "tls" && one.GetProperty("passed").GetInt32() + one.GetProperty("failed").GetInt32() > 0);
        Assert.Empty(await ListAsync(owner, "report", "unread"));
    }

    [Fact]
    public async Task An_address_that_only_takes_reports_takes_nothing_larger()
    {
        await StartAsync();
        await using var wire = await WireClient.ConnectAsync(owner.Smtp);
        await wire.ReplyAsync();
        await wire.SmtpAsync("EHLO liar.test", "250");
        await wire.SmtpAsync("MAIL FROM:<x@provider.test> SIZE=25000000", "250");
        await wire.SmtpAsync("RCPT TO:<anna@example.test>", "250");
        await wire.SmtpAsync("RCPT TO:<dmarc-reports@example.test>", "552 5.3.4");
        await wire.SmtpAsync("RCPT TO:<fbl@example.test>", "552 5.3.4 This address takes reports of at most 20M");
    }

    [Fact]
    public async Task Who_complains_about_a_mailing_is_taken_off()
    {
        await StartAsync();
        var course = await CourseSetup.MakeAsync(owner, 2);
        var mailing = await CourseSetup.MailingAsync(owner, course);
        (await owner.CliAsync("mailing", "send", mailing, "--wait")).Succeeded();
        var copy = (await CourseSetup.LedgerAsync(owner, mailing)).First(row => row.GetProperty("address").GetString()!.StartsWith("u0001@", StringComparison.Ordinal));
        var text = Server.Reports.ComplaintTests.Text("teacher@course.test", copy.GetProperty("messageId").GetString()!);
        await Letter.SendAsync(owner.Smtp, "feedback@provider.test", "fbl@example.test", text);
        var complaint = Assert.Single(await UntilAsync(owner, list => list.Count > 0, "report", "complaints"));
        Assert.Equal(("provider.test", "u0001@course.test", "Message-ID"), (complaint.GetProperty("author").GetString(), complaint.GetProperty("recipient").GetString(), complaint.GetProperty("tied").GetString()));
        Assert.Contains("u0001@course.test", (await owner.CliAsync("suppression", "list")).Succeeded().Output);
        Assert.Contains("complained to provider.test", (await owner.CliAsync("mailing", "ledger", mailing, "--json")).Succeeded().Output);
        Assert.Contains("1 complained", (await owner.CliAsync("mailing", "responses", mailing)).Succeeded().Output);
        var line = (await owner.CliAsync("course", "timeline", course, "u0001@course.test")).Succeeded().Output;
        Assert.Matches("delivered .*250 2.0.0 Stored in the mailbox\n.*complained .*complained to provider.test", line);
        // the next mailing leaves him out, a mandatory one does not
        var next = await CourseSetup.MailingAsync(owner, course);
        (await owner.CliAsync("mailing", "send", next, "--wait")).Succeeded();
        Assert.Equal(["skipped", "delivered"], (await CourseSetup.LedgerAsync(owner, next)).Select(row => row.GetProperty("state").GetString()));
        var urgent = await CourseSetup.MailingAsync(owner, course, more: ["--class", "mandatory"]);
        (await owner.CliAsync("mailing", "send", urgent, "--wait")).Succeeded();
        Assert.Equal(2, (await CourseSetup.StatusAsync(owner, urgent))["delivered"].GetInt32());
    }

    public async ValueTask DisposeAsync()
    {
        if (owner is not null) await owner.DisposeAsync();
        if (receiver is not null) await receiver.DisposeAsync();
        dns.Dispose();
    }
}
