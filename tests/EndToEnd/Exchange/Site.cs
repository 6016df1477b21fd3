using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd.Exchange;

/// <summary>One of the four mail servers: its domain and person, how a test puts mail in and finds it again.</summary>
internal abstract class Site(string domain, string person, IPAddress address)
{
    public string Domain => domain;
    public string Person => $"{person}@{domain}";
    public string Host => "mx." + domain;
    public IPAddress Address => address;
    public IPEndPoint Door => new(address, 25);

    /// <summary>The four, itself among them: what one waits for another may keep.</summary>
    public IReadOnlyList<Site> World { get; set; } = [];

    /// <summary>All that it has written down.</summary>
    public abstract string Log { get; }

    /// <summary>The messages of a person of its, oldest first, header fields unfolded.</summary>
    public abstract Task<List<string>> MailAsync(string person);

    /// <summary>What waits in its queue, as text; empty when nothing does.</summary>
    public abstract Task<string> QueueAsync();

    /// <summary>Takes what waits for somebody out of the queue.</summary>
    public abstract Task DropAsync(string recipient);

    /// <summary>Where its own people send: signed in at ours; at the others this machine may relay.</summary>
    public abstract Task<WireClient> OpenAsync(string account);

    /// <summary>As its own person does it. Gives the reply to the text, or the first refusal.</summary>
    public async Task<string> TrySendAsync(string from, string to, string text, string parameters = "", string? account = null)
    {
        await using var client = await OpenAsync(account ?? from);
        foreach (var command in (string[])[$"MAIL FROM:<{from}>{parameters}", $"RCPT TO:<{to}>", "DATA"])
            if (await client.SmtpAsync(command) is var reply && reply[0] > '3') return reply;
        await client.SendAsync(text.Replace("\r\n.", "\r\n..", StringComparison.Ordinal));
        var taken = await client.SmtpAsync(".");
        await client.SmtpAsync("QUIT");
        return taken;
    }

    public async Task SendAsync(string from, string to, string text, string parameters = "") => Xunit.Assert.StartsWith("250", await TrySendAsync(from, to, text, parameters));

    /// <summary>What waits at each of the four and what each wrote last, for a wait that was in vain.</summary>
    private async Task<string> TellAsync()
    {
        var text = new StringBuilder();
        foreach (var site in World)
            text.Append("==== ").Append(site.Host).Append(", queue: ").AppendLine(await site.QueueAsync()).AppendJoin('\n', site.Log.TrimEnd().Split('\n').TakeLast(40)).AppendLine();
        return text.ToString();
    }

    private Task UntilAsync(Func<Task<bool>> holds, string what, double seconds) => Wait.UntilAsync(holds, what, seconds, TellAsync);

    /// <summary>Waits for the message with the subject.</summary>
    public async Task<string> ReceivedAsync(string subject, string? who = null, double seconds = 30)
    {
        string? found = null;
        await UntilAsync(async () =>
        {
            found = (await MailAsync(who ?? Person)).FirstOrDefault(mail => mail.Contains(subject, StringComparison.Ordinal));
            return found is not null;
        }, $"{who ?? Person} gets \"{subject}\"", seconds);
        return found!;
    }

    public Task UntilLogAsync(string words, double seconds = 30) => UntilAsync(() => Task.FromResult(Log.Contains(words, StringComparison.Ordinal)), $"the log of {Host} says \"{words}\"", seconds);

    public Task UntilEmptyAsync(double seconds = 30) => UntilAsync(async () => (await QueueAsync()).Length == 0, $"the queue of {Host} is empty", seconds);

    /// <summary>Fails with the whole message where a line of it fits nothing.</summary>
    public static void AssertLine(string pattern, string mail) => Xunit.Assert.True(System.Text.RegularExpressions.Regex.IsMatch(mail, pattern, System.Text.RegularExpressions.RegexOptions.Multiline), $"no line fits {pattern} in\n{mail}");

    /// <summary>A message with its header fields unfolded.</summary>
    protected static string Unfolded(string message)
    {
        var text = message.ReplaceLineEndings("\n");
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0) return text;
        return text[..end].Replace("\n\t", " ", StringComparison.Ordinal).Replace("\n ", " ", StringComparison.Ordinal) + text[end..];
    }
}

/// <summary>A server of ours.</summary>
internal sealed class OurSite(string domain, string person, IPAddress address, TestServer server) : Site(domain, person, address)
{
    public TestServer Server => server;
    public override string Log => server.Log;

    public override async Task<List<string>> MailAsync(string person) => [.. (await Letter.AllAsync(server.Imap, person)).Select(one => Unfolded(one[(one.IndexOf('\n') + 1)..]))];

    public Task<List<string>> JunkAsync(string person) => Letter.AllAsync(server.Imap, person, "Junk");

    public override async Task<string> QueueAsync()
    {
        // the control socket itself: it is asked again and again
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(server.Data, "control.sock")), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var list = JsonDocument.Parse(await http.GetStringAsync("http://control/v1/queue")).RootElement;
        return list.GetArrayLength() == 0 ? "" : list.GetRawText();
    }

    public override Task DropAsync(string recipient) => CliAsync("queue", "drop", "--to", recipient, "--all-matching");

    public override async Task<WireClient> OpenAsync(string account)
    {
        var client = await WireClient.SmtpHelloAsync(server.Submissions, tls: true);
        await client.SmtpAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{TestServer.Password}")), "235");
        return client;
    }

    /// <summary>Runs a verb and gives what it prints.</summary>
    public async Task<string> CliAsync(params string[] verb) => (await server.CliAsync(verb)).Succeeded().Output;
}

/// <summary>A server of somebody else's, for which this machine is one of its own.</summary>
internal abstract class ForeignSite(string domain, string person, IPAddress address) : Site(domain, person, address)
{
    public override async Task<WireClient> OpenAsync(string account)
    {
        var client = await WireClient.ConnectAsync(Door);
        await client.ReplyAsync();
        await client.SmtpAsync("EHLO laptop." + Domain, "250");
        return client;
    }
}

internal sealed class PostfixSite(string domain, string person, IPAddress address, PostfixServer server) : ForeignSite(domain, person, address)
{
    public override string Log => server.Log;
    public override Task<List<string>> MailAsync(string person) => Task.FromResult(server.Mail(person).ConvertAll(Unfolded));
    public override Task<string> QueueAsync() => server.QueueAsync();
    public override Task DropAsync(string recipient) => server.DropAsync();
}

internal sealed class EximSite(string domain, string person, IPAddress address, EximServer server) : ForeignSite(domain, person, address)
{
    public override string Log => server.Log;
    public override Task<List<string>> MailAsync(string person) => Task.FromResult(server.Mail(person[..person.IndexOf('@')]).ConvertAll(Unfolded));
    public override Task<string> QueueAsync() => Task.FromResult(string.Join('\n', server.Queue()));
    public override Task DropAsync(string recipient) => server.DropAsync();
}
