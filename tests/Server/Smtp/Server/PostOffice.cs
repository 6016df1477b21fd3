using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Inbound;
using CbaMail.Mailboxes;
using CbaMail.Net;
using CbaMail.Queue;
using CbaMail.Sasl;
using CbaMail.Smtp.Server;
using CbaMail.Storage;
using CbaMail.Submission;
using CbaMail.Tests.Server.Net;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Server;

/// <summary>
/// A server without sockets, in the evaluation profile but for <c>smtp.sender-must-own</c>: ivan, anna (admin), full (quota 1,000 bytes, 100 left) and "плюс" at example.test,
/// the aliases team (ivan, anna) and away (far@elsewhere.test), and a domain catch.test of which ivan gets all.
/// </summary>
public sealed class PostOffice : IAsyncLifetime
{
    public const string Password = "secret-Пароль1";

    readonly string data = System.IO.Directory.CreateTempSubdirectory("cbamail-smtp-").FullName;

    public Settings Settings { get; private set; } = null!;
    public Store Store { get; private set; } = null!;
    public MailStore Mail { get; private set; } = null!;
    public UserDirectory Directory { get; private set; } = null!;
    public MailQueue Queue { get; private set; } = null!;
    public LocalDelivery Delivery { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Settings = new Settings
        {
            Data = data,
            Hostname = "mail.example.test",
            Evaluation = true,
            Smtp = new SmtpSettings { MessageSize = 100_000, Recipients = 5, Hops = 10, SenderMustOwn = true },
        };
        Store = new Store(Settings, NullLogger<Store>.Instance);
        Mail = new MailStore(Store, Settings, new Notifier(), TimeProvider.System);
        Directory = new UserDirectory(Store, TimeProvider.System);
        MailboxesRoom.Attach(Mail, Directory);
        Queue = new MailQueue(Store, Mail, TimeProvider.System, Settings);
        Delivery = new LocalDelivery(Store, Mail, Queue, Directory, TimeProvider.System, NullLogger<LocalDelivery>.Instance, Settings);
        await Directory.AddDomainAsync("example.test");
        await AddAsync("ivan");
        await AddAsync("anna", Role.Admin);
        await AddAsync("full", quota: 1000);
        await AddAsync("плюс");
        await Directory.AddDomainAsync("catch.test", catchAll: "ivan@example.test");
        await Directory.AddAliasAsync("team@example.test", ["ivan@example.test", "anna@example.test"]);
        await Directory.AddAliasAsync("away@example.test", ["far@elsewhere.test"]);
        Assert.Null(await Delivery.DeliverAsync(null, Address("full@example.test"), Encoding.ASCII.GetBytes("Subject: x\r\n\r\n" + new string('x', 820) + "\r\n"), default));
    }

    async Task AddAsync(string local, Role role = Role.User, long quota = 0)
    {
        var added = await Directory.AddAccountAsync(new NewAccount(local + "@example.test", Password: Password, Role: role, Quota: quota));
        Assert.True(added.Ok, added.Refusal?.Sentence);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(data, recursive: true);
    }

    public static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    public Account Account(string local) => Directory.FindAccount(Address(local + "@example.test"))!;

    /// <summary>Text of all messages in an inbox, oldest first.</summary>
    public List<string> Inbox(string local, string name = "INBOX")
    {
        using var reader = Mail.Read();
        var inbox = reader.Find(Account(local).Id, name)!;
        var texts = new List<string>();
        foreach (var row in reader.Messages(inbox.Id))
            texts.Add(Encoding.UTF8.GetString(reader.Content(inbox.Id, row)!.Read(0, (int)row.Size)));
        return texts;
    }

    public SmtpParts Parts(Deliver? deliver = null, Settings? settings = null)
    {
        settings ??= Settings;
        return new SmtpParts(
            settings, new Pipeline(settings, Directory, Mail), new Submit(settings, Directory, TimeProvider.System),
            new SignIn(settings, Directory, new LoginLimits(settings, TimeProvider.System), TimeProvider.System, NullLogger<SignIn>.Instance),
            new Spool(settings), deliver ?? Delivery.DeliverAsync, TimeProvider.System, NullLogger.Instance);
    }

    /// <summary>
    /// Plays a dialogue: "C: " is sent with CRLF, "C| " as it stands with \r, \n, \0 and \xHH as bytes, "S: " is the next line, where "*" is anything;
    /// "S!" is the end of the connection. Returns the orders that reached delivery.
    /// </summary>
    public async Task<List<Delivered>> PlayAsync(
        Protocol protocol, string script, Func<DeliveryOrder, IReadOnlyList<Refusal?>>? answer = null, Settings? settings = null, string remote = "127.0.0.1",
        Pipeline? pipeline = null)
    {
        var orders = new List<Delivered>();
        var parts = Parts(
            (order, _) =>
            {
                orders.Add(new Delivered(order, Encoding.UTF8.GetString(order.Message.Span)));
                return ValueTask.FromResult(answer?.Invoke(order) ?? new Refusal?[order.Recipients.Count]);
            }, settings);
        if (pipeline is not null) parts = parts with { Pipeline = pipeline };
        var transport = new MemoryTransport();
        var connection = Connection.Over(transport.Server, new ListenerSettings { Protocol = protocol, Port = 25 }, new IPEndPoint(IPAddress.Parse(remote), 4000));
        var session = Task.Run(async () =>
        {
            try { await new SmtpSession(parts, connection).RunAsync(); }
            finally { await transport.Server.Output.CompleteAsync(); }
        });
        var number = 0;
        foreach (var line in script.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            number++;
            if (line.StartsWith("C: ", StringComparison.Ordinal)) await transport.SendAsync(Bytes(line[3..]) + "\r\n");
            else if (line == "C:") await transport.SendAsync("\r\n");
            else if (line.StartsWith("C| ", StringComparison.Ordinal)) await transport.SendAsync(Bytes(line[3..]));
            else
            {
                var said = await transport.ReadLineAsync();
                var expected = line == "S!" ? null : line[3..].TrimEnd();
                var matches = expected is null ? said is null : said is not null && Regex.IsMatch(said.TrimEnd(), "^" + Regex.Escape(expected).Replace("\\*", ".*", StringComparison.Ordinal) + "$");
                if (!matches) Assert.Fail($"line {number}: expected \"{expected ?? "the end"}\", got \"{said ?? "the end"}\"\n{(script.Length > 4000 ? "" : script)}");
            }
        }
        transport.HalfClose();
        await session.WaitAsync(Wait.Patience);
        return orders;
    }

    // what goes over the wire as UTF-8 is handed to the transport an octet a character
    static string Bytes(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(
        Regex.Replace(text.Replace("\\r", "\r", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\0", "\0", StringComparison.Ordinal),
            @"\\x([0-9a-f]{2})", m => ((char)Convert.ToInt32(m.Groups[1].Value, 16)).ToString())));
}

/// <summary>An order with its text, which is gone from the spool when the session goes on.</summary>
public sealed record Delivered(DeliveryOrder Order, string Text);
