using System.Net;
using System.Text;
using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Delivery.Remote;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Queue;
using CbaMail.Reports;
using CbaMail.Storage;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>DNS as a test writes it down: "mx NAME", "a NAME" to what they say; what is not there does not exist.</summary>
internal sealed class PaperDns : Dictionary<string, string>, IResolver
{
    public bool Failing { get; set; }
    public int Questions { get; private set; }
    /// <summary>Of which names the answers are authenticated.</summary>
    public Func<string, bool> Secure { get; set; } = _ => false;
    /// <summary>Names whose look-up fails, as a bogus answer does.</summary>
    public HashSet<string> FailingNames { get; } = [];

    DnsAnswer<T> Look<T>(string type, string name, Func<string, T> read)
    {
        Questions++;
        if (Failing || FailingNames.Contains(name)) return new DnsAnswer<T>(DnsStatus.Failed, []);
        var secure = Secure(name);
        // an alias leads on, but for the question about itself
        if (type != "cname" && TryGetValue($"cname {name}", out var alias))
        {
            var end = Look(type, alias, read);
            return end with { Alias = end.Alias ?? alias, Authenticated = secure && end.Authenticated };
        }
        if (TryGetValue($"{type} {name}", out var value)) return new DnsAnswer<T>(DnsStatus.Found, [.. value.Split(", ").Select(read)], secure);
        return new DnsAnswer<T>(Keys.Any(key => key.EndsWith($" {name}", StringComparison.Ordinal)) ? DnsStatus.NoData : DnsStatus.NoSuchName, [], secure);
    }

    public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) =>
        new(Look("mx", name, text => new MxRecord(int.Parse(text.Split(' ')[0]), text.Split(' ')[1])));
    public ValueTask<DnsAnswer<IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) => new(Look(v6 ? "aaaa" : "a", name, IPAddress.Parse));
    public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) => new(Look("txt", name, text => text));
    public ValueTask<DnsAnswer<string>> CnameAsync(string name, CancellationToken cancel) => new(Look("cname", name, text => text));
    public ValueTask<DnsAnswer<TlsaRecord>> TlsaAsync(string name, CancellationToken cancel) => new(Look("tlsa", name, text =>
    {
        var words = text.Split(' ');
        return new TlsaRecord(name, 60, byte.Parse(words[0]), byte.Parse(words[1]), byte.Parse(words[2]), Convert.FromHexString(words[3]));
    }));
    public ValueTask<DnsAnswer<string>> PtrAsync(IPAddress address, CancellationToken cancel) => new(Look("ptr", address.ToString(), text => text));
}

/// <summary>Vault, directory, queue and workers over a real data directory: domain example.test with anna, and a clock of the test's own.</summary>
internal sealed class PostOffice : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-post").FullName;

    PostOffice(Settings settings, TimeProvider? time, IResolver? dns)
    {
        Settings = settings with { Data = directory, Hostname = "mail.example.test" };
        Clock = time ?? Time;
        Store = new Store(Settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, Settings, new Notifier(), Clock);
        Directory = new UserDirectory(Store, Clock);
        MailboxesRoom.Attach(Mail, Directory);
        Queue = new MailQueue(Store, Mail, Clock, Settings);
        Workers = new RemoteDelivery(Queue, Mail, dns ?? Dns, new BounceDelivery(Mail, Queue, Directory, Settings, Clock), Settings, Clock, NullLogger<RemoteDelivery>.Instance);
    }

    public Settings Settings { get; }
    public ManualTime Time { get; } = new();
    public TimeProvider Clock { get; }
    public PaperDns Dns { get; } = [];
    public Store Store { get; }
    public MailStore Mail { get; }
    public UserDirectory Directory { get; }
    public MailQueue Queue { get; }
    public RemoteDelivery Workers { get; }

    static readonly QueueSettings Usual = new();

    /// <summary>The test's clock leaps by minutes while a peer is at work: what is under way must not time out for that, as its message would leave twice (RFC 5321 4.5.3.2.6).</summary>
    static QueueSettings Patient(QueueSettings queue)
    {
        var never = TimeSpan.FromDays(40);
        TimeSpan Of(TimeSpan set, TimeSpan usual) => set == usual ? never : set;
        return queue with
        {
            ConnectTimeout = Of(queue.ConnectTimeout, Usual.ConnectTimeout),
            GreetingTimeout = Of(queue.GreetingTimeout, Usual.GreetingTimeout),
            CommandTimeout = Of(queue.CommandTimeout, Usual.CommandTimeout),
            DataTimeout = Of(queue.DataTimeout, Usual.DataTimeout),
            BlockTimeout = Of(queue.BlockTimeout, Usual.BlockTimeout),
            FinalTimeout = Of(queue.FinalTimeout, Usual.FinalTimeout),
        };
    }

    public static async Task<PostOffice> OpenAsync(QueueSettings queue, TimeProvider? time = null, IResolver? dns = null, ListenerSettings? listener = null, bool start = true, SendingSettings? sending = null)
    {
        var office = new PostOffice(new Settings { Queue = Patient(queue) with { RetryJitter = 0 }, Sending = sending ?? new SendingSettings(), Listeners = listener is null ? [] : [listener] }, time, dns);
        await office.Directory.AddDomainAsync("example.test");
        await office.Directory.AddAccountAsync(new NewAccount("anna@example.test"));
        if (start) await office.Workers.StartAsync(default);
        return office;
    }

    /// <summary>What TLS-RPT has counted today.</summary>
    public IReadOnlyList<TlsReportEntry> Reported()
    {
        using var read = Store.Read();
        return TlsReportTable.OfDay(read, TlsReports.Day(Clock.GetUtcNow()));
    }

    public static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    public const string Text = "Subject: hello\r\nMessage-ID: <1@example.test>\r\n\r\nbody\r\n";

    public ValueTask<long> SendAsync(string to, string? from = "anna@example.test", string text = Text, string? notify = null, string? ret = null, bool bulk = false, bool requireTls = false) =>
        Store.CommitAsync(transaction =>
        {
            using var staged = Mail.Stage(Encoding.UTF8.GetBytes(text));
            return Queue.Enqueue(transaction, new NewQueueEntry(from is null ? null : Address(from), Mail.AddContent(transaction, staged),
                [.. to.Split(' ').Select(one => new QueueRecipient(Address(one), notify))], Return: ret, Class: bulk ? MailClass.Bulk : MailClass.Interactive)
            { RequireTls = requireTls });
        });

    /// <summary>An entry as the test would have it.</summary>
    public ValueTask<long> SendAsync(string to, Func<NewQueueEntry, NewQueueEntry> with, string text = Text) =>
        Store.CommitAsync(transaction =>
        {
            using var staged = Mail.Stage(Encoding.UTF8.GetBytes(text));
            return Queue.Enqueue(transaction, with(new NewQueueEntry(Address("anna@example.test"), Mail.AddContent(transaction, staged), [.. to.Split(' ').Select(one => new QueueRecipient(Address(one)))])));
        });

    /// <summary>Moves the clock once the workers wait for it.</summary>
    public async Task PassAsync(TimeSpan span, int attemptsBefore)
    {
        // a worker that read the clock just before it was moved waits its longest pause from then on: move it by that once more
        var looks = 0;
        await Wait.UntilAsync(() =>
        {
            if (++looks % 100 == 0) Time.Advance(TimeSpan.FromMinutes(10));
            return Tried(attemptsBefore);
        }, $"{attemptsBefore} attempts");
        Time.Advance(span);
    }

    /// <summary>Moves the clock on by a step whenever nothing is under way or due, until it comes about: the clock does not run away from workers that take their time.</summary>
    public Task HurryAsync(TimeSpan step, Func<bool> until, string what)
    {
        var looks = 0;
        return Wait.UntilAsync(() =>
        {
            if (until()) return true;
            var now = Time.GetUtcNow();
            // as above: who read the clock just before it was moved sleeps on until it is moved again
            if (++looks % 100 == 0 || Queue.List().All(entry => entry.Recipients.All(r => r.State != "active" && r.NextAttempt > now))) Time.Advance(step);
            return false;
        }, what, 120);
    }

    /// <summary>Waits until every recipient in the queue has been tried that often.</summary>
    public Task AttemptsAsync(int attempts) => Wait.UntilAsync(() => Tried(attempts), $"{attempts} attempts");

    bool Tried(int attempts) => Queue.List() is { Count: > 0 } list && list.All(entry => entry.Recipients.All(r => r.Attempts >= attempts && r.State == "deferred"));

    public Task EmptyAsync(double seconds = 30) => Wait.UntilAsync(() => Queue.Counts().Messages == 0, "the queue is empty", seconds);

    public IReadOnlyList<string> Inbox(string address = "anna@example.test")
    {
        var account = Directory.FindAccount(Address(address))!;
        using var reader = Mail.Read();
        if (reader.Find(account.Id, "INBOX") is not { } inbox) return [];
        return [.. reader.Messages(inbox.Id).Select(row => reader.Content(inbox.Id, row)!).Select(content => Encoding.UTF8.GetString(content.Read(0, (int)content.Size)))];
    }

    public async ValueTask DisposeAsync()
    {
        await Workers.StopAsync(default);
        Workers.Dispose();
        await Store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
