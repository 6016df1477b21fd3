using System.Globalization;
using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>
/// One IMAP client with two mailboxes of its own, who appends, flags, copies, moves and expunges, and knows at each moment what it has been
/// told, and what it has asked for and not been told. After the server was killed both mailboxes must be as it was told, or as
/// they would be with the one open command done, wholly.
/// </summary>
internal sealed partial class ImapWorker(string address, Random random)
{
    private readonly Dictionary<string, SortedDictionary<long, KeptMessage>> told = new() { ["INBOX"] = [], ["Box"] = [] };
    private readonly Dictionary<string, long> highest = new() { ["INBOX"] = 0, ["Box"] = 0 };
    private readonly Dictionary<string, long> validity = [];
    private (string Kind, string From, string To, List<long> Uids, string Detail)? open;
    private int counter;

    public int Acknowledged { get; private set; }

    [GeneratedRegex(@"APPENDUID \d+ (\d+)")] private static partial Regex AppendUid { get; }
    [GeneratedRegex(@"COPYUID \d+ ([\d,:]+) ([\d,:]+)")] private static partial Regex CopyUid { get; }

    public static async Task PrepareAsync(int port, string address)
    {
        await using var client = await WireClient.ImapLoginAsync(port, address);
        await client.ImapAsync("CREATE Box", "OK");
    }

    /// <summary>Works until the connection breaks.</summary>
    public async Task RunAsync(int port)
    {
        try
        {
            await using var client = await WireClient.ImapLoginAsync(port, address);
            await client.ImapAsync("SELECT INBOX", "OK");
            while (true) await NextAsync(client);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            return; // the server was killed
        }
    }

    private async Task NextAsync(WireClient client)
    {
        var inbox = told["INBOX"];
        var choice = random.Next(10);
        if (inbox.Count < 5 || choice < 4) await AppendAsync(client, random.Next(4) == 0 ? "Box" : "INBOX");
        else if (choice < 6) await StoreAsync(client, random.Next(3) switch { 0 => "\\Flagged", 1 => "\\Answered", _ => "k" + random.Next(3) });
        else if (choice < 7) await TransferAsync(client, "COPY");
        else if (choice < 8) await TransferAsync(client, "MOVE");
        else await ExpungeAsync(client);
        open = null;
        Acknowledged++;
    }

    private List<long> Some()
    {
        var uids = told["INBOX"].Keys.ToList();
        var first = random.Next(uids.Count);
        return uids.GetRange(first, Math.Min(random.Next(1, 6), uids.Count - first));
    }

    private async Task AppendAsync(WireClient client, string mailbox)
    {
        var token = $"{address}-{++counter}";
        var text = $"From: {address}\r\nSubject: {token}\r\n\r\n" + string.Concat(Enumerable.Repeat(token + "\r\n", random.Next(1, random.Next(10) == 0 ? 8000 : 60)));
        open = ("APPEND", "", mailbox, [], text);
        var answer = (await client.ImapAsync($"APPEND {mailbox} (\\Seen) {{{text.Length}+}}\r\n{text}", "OK"))[^1];
        Learn(mailbox, long.Parse(AppendUid.Match(answer).Groups[1].Value, CultureInfo.InvariantCulture), new(text, "\\Seen"));
    }

    private void Learn(string mailbox, long uid, KeptMessage message)
    {
        Assert.True(uid > highest[mailbox], $"{address} {mailbox}: UID {uid} came after {highest[mailbox]}");
        highest[mailbox] = uid;
        told[mailbox].Add(uid, message);
    }

    private async Task StoreAsync(WireClient client, string flag)
    {
        var uids = Some();
        open = ("STORE", "INBOX", "", uids, flag);
        await client.ImapAsync($"UID STORE {string.Join(',', uids)} +FLAGS.SILENT ({flag})", "OK");
        foreach (var uid in uids) told["INBOX"][uid] = With(told["INBOX"][uid], flag);
    }

    private static KeptMessage With(KeptMessage message, string flag) =>
        message.Flags.Split(' ').Contains(flag) ? message : message with { Flags = KeptMailbox.Sorted(message.Flags + " " + flag) };

    private async Task TransferAsync(WireClient client, string verb)
    {
        var uids = Some();
        open = (verb, "INBOX", "Box", uids, "");
        var lines = await client.ImapAsync($"UID {verb} {string.Join(',', uids)} Box", "OK");
        var match = CopyUid.Match(string.Join('\n', lines));
        var (sources, targets) = (Numbers(match.Groups[1].Value), Numbers(match.Groups[2].Value));
        for (var i = 0; i < sources.Count; i++) Learn("Box", targets[i], told["INBOX"][sources[i]]);
        if (verb == "MOVE") foreach (var uid in sources) told["INBOX"].Remove(uid);
    }

    private static List<long> Numbers(string set) =>
    [
        .. set.Split(',').SelectMany(part =>
        {
            var ends = part.Split(':').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            return Enumerable.Range(0, (int)(ends[^1] - ends[0]) + 1).Select(i => ends[0] + i);
        }),
    ];

    private async Task ExpungeAsync(WireClient client)
    {
        await StoreAsync(client, "\\Deleted");
        var uids = told["INBOX"].Where(pair => pair.Value.Flags.Contains("\\Deleted", StringComparison.Ordinal)).Select(pair => pair.Key).ToList();
        open = ("EXPUNGE", "INBOX", "", uids, "");
        await client.ImapAsync($"UID EXPUNGE {string.Join(',', uids)}", "OK");
        foreach (var uid in uids) told["INBOX"].Remove(uid);
    }

    /// <summary>Compares, and takes what is there as told from here on.</summary>
    /// <returns>Whether the open command has been done.</returns>
    public async Task<bool> CheckAsync(int port)
    {
        await using var client = await WireClient.ImapLoginAsync(port, address);
        var found = new Dictionary<string, SortedDictionary<long, KeptMessage>>();
        foreach (var name in told.Keys)
        {
            var mailbox = await KeptMailbox.ReadAsync(client, name);
            Assert.Equal(validity.TryAdd(name, mailbox.UidValidity) ? mailbox.UidValidity : validity[name], mailbox.UidValidity);
            Assert.True(mailbox.UidNext > highest[name], $"{address} {name}: UIDNEXT {mailbox.UidNext} after UID {highest[name]}");
            found[name] = mailbox.Messages;
        }
        var done = !IsAsTold(found);
        if (done) IsAsOpen(found);
        foreach (var (name, messages) in found)
        {
            told[name] = messages;
            highest[name] = Math.Max(highest[name], messages.Keys.LastOrDefault());
        }
        open = null;
        return done;
    }

    private bool IsAsTold(Dictionary<string, SortedDictionary<long, KeptMessage>> found) => told.All(pair => pair.Value.SequenceEqual(found[pair.Key]));

    private void IsAsOpen(Dictionary<string, SortedDictionary<long, KeptMessage>> found)
    {
        if (open is not var (kind, from, to, uids, detail)) throw Different(found, "no command was open");
        // what the command would have done; UIDs that it would have given are taken from what is there
        var expected = told.ToDictionary(pair => pair.Key, pair => new SortedDictionary<long, KeptMessage>(pair.Value));
        if (kind == "STORE") foreach (var uid in uids) expected[from][uid] = With(expected[from][uid], detail);
        if (kind is "COPY" or "MOVE" or "APPEND")
        {
            var texts = kind == "APPEND" ? [new KeptMessage(detail, "\\Seen")] : uids.ConvertAll(uid => told[from][uid]);
            var fresh = found[to].Keys.Where(uid => uid > highest[to]).ToList();
            if (fresh.Count != texts.Count) throw Different(found, $"{kind} was open for {texts.Count} messages");
            for (var i = 0; i < fresh.Count; i++) expected[to].Add(fresh[i], texts[i]);
        }
        if (kind is "MOVE" or "EXPUNGE") foreach (var uid in uids) expected[from].Remove(uid);
        foreach (var (name, messages) in expected)
            if (!messages.SequenceEqual(found[name])) throw Different(found, $"{kind} {string.Join(',', uids)} {to} was open");
    }

    private InvalidOperationException Different(Dictionary<string, SortedDictionary<long, KeptMessage>> found, string why)
    {
        var lines = told.SelectMany(pair =>
        {
            var there = found[pair.Key];
            return pair.Value.Where(m => !there.TryGetValue(m.Key, out var now) || now != m.Value).Select(m => $"  {pair.Key} {m.Key} was told ({m.Value.Flags}), {(there.TryGetValue(m.Key, out var now) ? $"is ({now.Flags}), text {(now.Text == m.Value.Text ? "the same" : "another")}" : "is missing")}")
                .Concat(there.Keys.Except(pair.Value.Keys).Select(uid => $"  {pair.Key} {uid} is there and was not told"));
        });
        return new InvalidOperationException($"{address}: {why}\n{string.Join('\n', lines.Take(40))}");
    }
}
