using System.Buffers;
using System.Net;
using System.Text;
using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;
using CbaMail.MailAuth.Reports;
using CbaMail.MailAuth.Spf;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Reports;
using CbaMail.Storage;
using CbaMail.Tests.Server.Delivery;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Tests.Server.Reports;

/// <summary>The room Reports over a real store: domain example.test with anna, DNS on paper and a clock of the test's own.</summary>
internal sealed class ReportOffice : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-reports").FullName;

    ReportOffice(ReportSettings reports, IResolver? resolver, bool evaluation)
    {
        Settings = new Settings { Data = directory, Hostname = "mail.example.test", Reports = reports, Evaluation = evaluation };
        Store = new Store(Settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, Settings, new Notifier(), Time);
        Users = new UserDirectory(Store, Time);
        MailboxesRoom.Attach(Mail, Users);
        Queue = new MailQueue(Store, Mail, Time, Settings);
        var dns = resolver ?? Dns;
        Counts = new AggregateCounts(Store, Time, Settings);
        Post = new ReportPost(Store, Mail, Queue, Users, Settings, Time);
        Aggregates = new AggregateSending(Store, Counts, Post, dns, Time, NullLogger<AggregateSending>.Instance);
        Tls = new TlsSending(Store, Post, dns, Time, NullLogger<TlsSending>.Instance);
        Posting = new ReportPosting(Store, dns, Settings, Time, NullLogger<ReportPosting>.Instance);
        Intake = new ReportIntake(Mail, Users, Time, Settings);
        Complaints = new Complaints(Store, Time, NullLogger<Complaints>.Instance);
        Reader = new ReportReader(Store, Mail, Users, Complaints, Settings, Time, NullLogger<ReportReader>.Instance);
        Received = new ReceivedReports(Store, Users, dns, Time);
        Delivery = new LocalDelivery(Store, Mail, Queue, Users, Time, NullLogger<LocalDelivery>.Instance, Settings, reports: Intake);
        Post.Local = Delivery.DeliverOwnAsync;
        Run = new ReportRun(Store, Counts, Aggregates, Tls, Post, Posting, Intake, Reader, Settings, Time, NullLogger<ReportRun>.Instance);
    }

    public Settings Settings { get; }
    public ManualTime Time { get; } = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));
    public PaperDns Dns { get; } = [];
    public Store Store { get; }
    public MailStore Mail { get; }
    public UserDirectory Users { get; }
    public MailQueue Queue { get; }
    public AggregateCounts Counts { get; }
    public ReportPost Post { get; }
    public AggregateSending Aggregates { get; }
    public TlsSending Tls { get; }
    public ReportPosting Posting { get; }
    public ReportIntake Intake { get; }
    public Complaints Complaints { get; }
    public ReportReader Reader { get; }
    public ReceivedReports Received { get; }
    public LocalDelivery Delivery { get; }
    public ReportRun Run { get; }

    public static async Task<ReportOffice> OpenAsync(ReportSettings? reports = null, IResolver? resolver = null, bool evaluation = false)
    {
        var office = new ReportOffice(reports ?? new ReportSettings(), resolver, evaluation);
        await office.Users.AddDomainAsync("example.test");
        await office.Users.AddAccountAsync(new NewAccount("anna@example.test"));
        return office;
    }

    public static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    /// <summary>Mail that failed, or passed, in the name of a domain with this record.</summary>
    public void See(string domain, string record, int times = 1, string source = "192.0.2.1", AuthResult result = AuthResult.Fail, DmarcPolicy asked = DmarcPolicy.None, DmarcPolicy applied = DmarcPolicy.None,
        string? sparedBy = null, string? recordDomain = null)
    {
        var discovery = new DmarcDiscovery(domain, domain, AuthResult.Pass) { Record = DmarcRecord.Parse(record, out var problem) ?? throw new ArgumentException(problem), RecordDomain = recordDomain ?? domain };
        var dmarc = new DmarcResult(result, discovery, SpfAligned: result == AuthResult.Pass, DkimAligned: false);
        for (var i = 0; i < times; i++)
            Counts.Add(new DmarcSighting(IPAddress.Parse(source), "bounces." + domain, dmarc, new SpfResult(result, SpfIdentity.MailFrom, "bounces." + domain), [], asked, applied, sparedBy));
    }

    public async Task<(IReadOnlyList<ReportSending> Done, bool Again)> NextDayAsync()
    {
        Time.Advance(TimeSpan.FromDays(1));
        return await Aggregates.SendAsync(null, today: false, trial: false, default);
    }

    /// <summary>The texts of what is queued, with the recipient in front.</summary>
    public IReadOnlyList<(string To, QueueEntry Entry, byte[] Message)> Queued()
    {
        using var reader = Mail.Read();
        var all = new List<(string, QueueEntry, byte[])>();
        foreach (var entry in Queue.List())
        {
            using var row = reader.Transaction.Prepare("SELECT content_id FROM queue_message WHERE id=?").Bind(1, entry.Id);
            row.Step();
            var content = reader.Content(row.Int64(0))!;
            all.Add((entry.Recipients[0].Address, entry, content.Read(0, (int)content.Size)));
        }
        return all;
    }

    public async Task<Refusal?> ArriveAsync(string to, byte[] message, ProvenSender? proven = null, string? sender = "noreply@reporter.test")
    {
        var targets = Users.Resolve(Address(to));
        if (!targets.Ok) return targets.Refusal;
        return (await Delivery.DeliverAsync(new DeliveryOrder { ReversePath = sender is null ? null : Address(sender), Recipients = [new(Address(to), targets.Value)], Message = message, Proven = proven }, default))[0];
    }

    /// <summary>A report of somebody on example.test.</summary>
    public static byte[] Aggregate(string id = "1", string domain = "example.test", params AggregateRow[] rows)
    {
        var (begin, end) = (new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 3, 1, 23, 59, 59, TimeSpan.Zero));
        var report = new AggregateReport("reporter.test", "noreply@reporter.test", id, begin, end, new PublishedPolicy(domain, DmarcPolicy.Quarantine, DmarcPolicy.Quarantine), rows);
        var buffer = new ArrayBufferWriter<byte>();
        new ReportMail("reporter.test", domain, begin, end, id).WriteAggregate(buffer, "noreply@reporter.test", "dmarc-reports@example.test", "m1@reporter.test", end, report);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] TlsText(string id = "1", string domain = "example.test")
    {
        var (begin, end) = (new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 3, 1, 23, 59, 59, TimeSpan.Zero));
        var report = new TlsReport("reporter.test", begin, end, "noreply@reporter.test", id,
            [new TlsPolicyReport(TlsPolicyType.Sts, ["version: STSv1"], domain, ["mx.example.test"], 10, 3, [new TlsFailure(TlsFailures.CertificateExpired, 3) { ReceivingHost = "mx.example.test", SendingIp = "192.0.2.9" }])]);
        var buffer = new ArrayBufferWriter<byte>();
        new ReportMail("reporter.test", domain, begin, end, id).WriteTls(buffer, "noreply@reporter.test", "tls-reports@example.test", "m2@reporter.test", end, report);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n"));

    public async ValueTask DisposeAsync()
    {
        Posting.Dispose();
        Run.Dispose();
        await Store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
