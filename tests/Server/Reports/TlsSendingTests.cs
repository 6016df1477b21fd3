using System.Collections.Concurrent;
using System.Net;
using System.Text;
using CbaMail.MailAuth.Reports;
using CbaMail.Reports;
using CbaMail.Tests.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace CbaMail.Tests.Server.Reports;

public sealed class TlsSendingTests : IAsyncDisposable
{
    ReportOffice? opened;
    ReportOffice Office => opened!;

    public ValueTask DisposeAsync() => opened?.DisposeAsync() ?? default;

    async Task CountAsync(string domain)
    {
        var day = Office.Time.GetUtcNow().ToUnixTimeSeconds() / 86400;
        await Office.Store.CommitAsync(write =>
        {
            TlsReportTable.Add(write, day, new TlsReportKey(domain, TlsPolicyKind.Sts, domain, "version: STSv1\nmode: enforce", "*." + domain), 8, 2,
                [new TlsFailureDetail("certificate-expired", "192.0.2.25", "mx." + domain, "198.51.100.1", "expired on 2026-01-01", 2)]);
            return true;
        });
    }

    async Task<IReadOnlyList<ReportSending>> NextDayAsync()
    {
        Office.Time.Advance(TimeSpan.FromDays(1));
        return (await Office.Tls.SendAsync(null, today: false, trial: false, default)).Done;
    }

    [Fact]
    public async Task A_domain_with_a_record_gets_its_day_by_mail_and_others_get_nothing()
    {
        opened = await ReportOffice.OpenAsync();
        await CountAsync("away.test");
        await CountAsync("quiet.test");
        Office.Dns["txt _smtp._tls.away.test"] = "v=TLSRPTv1; rua=mailto:tls@away.test";
        await NextDayAsync();
        var (to, entry, message) = Assert.Single(Office.Queued());
        Assert.Equal(("tls@away.test", "dmarc-reports@example.test"), (to, entry.Sender));
        var text = Encoding.ASCII.GetString(message);
        Assert.Contains("TLS-Report-Domain: away.test\r\nTLS-Report-Submitter: example.test\r\n", text);
        Assert.Contains("report-type=tlsrpt", text);
        Assert.Contains("TLS-Required: No\r\n", text);
        var report = ReportMail.FindTls(message, out var problem);
        Assert.True(report is not null, problem);
        var policy = Assert.Single(report.Policies);
        Assert.Equal((TlsPolicyType.Sts, "away.test", 8L, 2L), (policy.Type, policy.Domain, policy.Successes, policy.Failures));
        Assert.Equal(["version: STSv1", "mode: enforce"], policy.Strings);
        Assert.Equal(("certificate-expired", 2L, "mx.away.test", "198.51.100.1"), (policy.Details[0].Result, policy.Details[0].Sessions, policy.Details[0].ReceivingHost, policy.Details[0].ReceivingIp));
        Assert.Empty((await Office.Run.PendingAsync(default)).Reports);
    }

    [Fact]
    public async Task A_report_is_posted_and_tried_again_for_a_day()
    {
        var (status, bodies) = (500, new ConcurrentQueue<(string? Type, byte[] Body)>());
        var authority = new TestAuthority();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, options => options.UseHttps(authority.Issue("reports.away.test"))));
        await using var web = builder.Build();
        web.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            bodies.Enqueue((context.Request.ContentType, body.ToArray()));
            context.Response.StatusCode = status;
        });
        await web.StartAsync();
        opened = await ReportOffice.OpenAsync(evaluation: true);
        await CountAsync("away.test");
        Office.Dns["a reports.away.test"] = "127.0.0.1";
        Office.Dns["txt _smtp._tls.away.test"] = $"v=TLSRPTv1; rua=https://reports.away.test:{new Uri(web.Urls.First()).Port}/tls";
        await NextDayAsync();
        await Office.Posting.PostAsync(default);
        Assert.Equal("500", Assert.Single((await Office.Run.PendingAsync(default)).Posts).Reply);
        status = 201;
        await Office.Posting.PostAsync(default); // it is not due
        Assert.Single(bodies);
        Office.Time.Advance(TimeSpan.FromMinutes(6));
        await Office.Posting.PostAsync(default);
        Assert.Empty((await Office.Run.PendingAsync(default)).Posts);
        var (type, sent) = bodies.Last();
        Assert.Equal("application/tlsrpt+gzip", type);
        Assert.Equal("away.test", TlsReportJson.Read(sent, out _)!.Policies[0].Domain);
        Assert.Equal($"https://reports.away.test:{new Uri(web.Urls.First()).Port}/tls", Assert.Single(Office.Run.Sent(null, 10)).Destination);

        await CountAsync("away.test");
        status = 404;
        await NextDayAsync();
        for (var i = 0; i < 60 && (await Office.Run.PendingAsync(default)).Posts.Count > 0; i++)
        {
            await Office.Posting.PostAsync(default);
            Office.Time.Advance(TimeSpan.FromMinutes(40));
        }
        Assert.Empty((await Office.Run.PendingAsync(default)).Posts);
        Assert.InRange(bodies.Count, 5, 40);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:192.168.1.1", true)]
    [InlineData("::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("192.0.2.1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("198.18.0.1", true)]
    [InlineData("2002:0a00:0001::1", true)]
    [InlineData("64:ff9b:1::a00:1", true)]
    public void Nothing_is_posted_into_our_own_net(string address, bool isPrivate) => Assert.Equal(isPrivate, CbaMail.Net.Outward.IsPrivate(IPAddress.Parse(address)));
}
