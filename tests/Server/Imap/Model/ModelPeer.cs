using System.Text.RegularExpressions;

namespace CbaMail.Tests.Server.Imap.Model;

/// <summary>What one command was answered.</summary>
sealed record Answer(string Command)
{
    /// <summary>OK, NO, BAD, or nothing where the server has closed.</summary>
    public string Kind { get; set; } = "";
    public bool IsBye { get; set; }
    /// <summary>The response code of the tagged response.</summary>
    public string Code { get; set; } = "";
    /// <summary>Codes of untagged OK responses.</summary>
    public List<string> Codes { get; } = [];
    /// <summary>Entries in the order of their FETCH responses; the same one can be there twice.</summary>
    public List<(Entry Entry, int? Flags, long? ModSeq)> Fetched { get; } = [];
    public List<uint>? Found { get; set; }
    public long? FoundModSeq { get; set; }
    public string? Status { get; set; }
    public List<uint> Earlier { get; } = [];
    public int? Exists { get; set; }
    public string? Flags { get; set; }

    public string? CodeOf(string name) => Codes.Find(c => c.StartsWith(name + " ", StringComparison.Ordinal))?[(name.Length + 1)..];
}

/// <summary>What a connection has turned on.</summary>
enum Manner { Plain, CondStore, QResync, Rev2, UidOnly }

/// <summary>One client: sends commands, takes every response apart and lays it beside its view.</summary>
sealed partial class ModelPeer(ModelWorld world, int number, Random random)
{
    ImapClient client = null!;
    int tags;
    string? idle;

    public int Number => number;
    public Manner Manner { get; private set; }
    /// <summary>MODSEQ goes with every FETCH (RFC 7162 3.1.2).</summary>
    public bool CondStore { get; set; }
    public bool TellsVanished => Manner is Manner.QResync or Manner.UidOnly;
    public bool IsUidOnly => Manner == Manner.UidOnly;
    public ModelView? View { get; set; }
    public bool IsIdle => idle is not null;
    /// <summary>Its mailbox has been deleted by another: it will hear BYE (RFC 2180 3.3).</summary>
    public bool IsDoomed => View is { Box.IsDeleted: true };
    public List<Keepsake> Keepsakes { get; } = [];

    [GeneratedRegex(@"^\* (?<n>\d+) (?<what>EXISTS|RECENT|EXPUNGE)$")]
    private static partial Regex Count { get; }

    [GeneratedRegex(@"^\* (?<n>\d+) (?<uid>UID)?FETCH \((?<items>.*)\)$")]
    private static partial Regex Fetch { get; }

    [GeneratedRegex(@"(?:^| )UID (?<uid>\d+)")]
    private static partial Regex UidItem { get; }

    [GeneratedRegex(@"(?:^| )FLAGS \((?<flags>[^)]*)\)")]
    private static partial Regex FlagsItem { get; }

    [GeneratedRegex(@"(?:^| )MODSEQ \((?<modseq>\d+)\)")]
    private static partial Regex ModSeqItem { get; }

    [GeneratedRegex(@"(?:^| )RFC822\.SIZE (?<size>\d+)")]
    private static partial Regex SizeItem { get; }

    [GeneratedRegex(@"^\* ESEARCH \(TAG ""(?<tag>[^""]*)""\)(?: UID)?(?: ALL (?<set>[0-9:,]+))?(?: MODSEQ (?<modseq>\d+))?$")]
    private static partial Regex Esearch { get; }

    [GeneratedRegex(@"^\* SEARCH(?<list>(?: \d+)*)(?: \(MODSEQ (?<modseq>\d+)\))?$")]
    private static partial Regex Search { get; }

    public async Task ConnectAsync()
    {
        (client, View, idle, CondStore) = (world.Fixture.Connect(), null, null, false);
        Manner = (Manner)random.Next(5);
        await client.LineAsync();
        await client.OkAsync($"LOGIN {world.Account.Address} \"{ImapFixture.Password}\"");
        var words = Manner switch { Manner.Plain => null, Manner.CondStore => "CONDSTORE", Manner.QResync => "QRESYNC", Manner.Rev2 => "IMAP4REV2", _ => "UIDONLY CONDSTORE" };
        world.Say($"{number} connects, {Manner}");
        if (words is null) return;
        await client.OkAsync("ENABLE " + words);
        CondStore = Manner is Manner.CondStore or Manner.QResync or Manner.UidOnly;
    }

    public async Task LeaveAsync()
    {
        world.Say($"{number} goes away");
        await client.DisposeAsync();
        (View, idle) = (null, null);
    }

    /// <summary>A command that may be answered by anything but a surprise.</summary>
    /// <param name="holds">No EXPUNGE may come (RFC 9051 7.5.1).</param>
    public async Task<Answer> SendAsync(string command, bool holds = false)
    {
        var tag = $"{number}.{++tags}";
        world.Say($"{number} C: {command.ReplaceLineEnds()}");
        await client.SendAsync($"{tag} {command}\r\n");
        return await ReadAsync(tag, command, holds);
    }

    /// <summary>A command that must succeed.</summary>
    public async Task<Answer> OkAsync(string command, bool holds = false)
    {
        var answer = await SendAsync(command, holds);
        world.Demand(answer.Kind == "OK", $"{command} was answered {answer.Kind} [{answer.Code}]");
        return answer;
    }

    public async Task IdleAsync()
    {
        idle = $"{number}.{++tags}";
        world.Say($"{number} C: IDLE");
        await client.SendAsync($"{idle} IDLE\r\n");
        View?.IsBlind = true;
    }

    public async Task<Answer> DoneAsync()
    {
        world.Say($"{number} C: DONE");
        await client.SendAsync("DONE\r\n");
        var answer = await ReadAsync(idle!, "IDLE", holds: false);
        idle = null;
        View?.IsBlind = false;
        return answer;
    }

    async Task<Answer> ReadAsync(string tag, string command, bool holds)
    {
        var (answer, lines, tagged) = (new Answer(command), new List<string>(), (string?)null);
        while (tagged is null && await client.TryLineAsync() is { } line)
        {
            while (line.EndsWith('}')) line += await client.LineAsync(); // a literal that is one piece of a line
            world.Say($"{number} S: {line}");
            if (line.StartsWith(tag + " ", StringComparison.Ordinal)) tagged = line[(tag.Length + 1)..];
            else lines.Add(line);
        }
        if (!world.IsWild) world.Compare(); // what is told now may be of the modification sequence that the deed has got
        foreach (var line in lines) Take(answer, line, tag, holds);
        if (tagged is not null) Tagged(answer, tagged);
        return answer;
    }

    void Tagged(Answer answer, string line)
    {
        answer.Kind = line[..line.IndexOf(' ', StringComparison.Ordinal)];
        world.Demand(!answer.IsBye || IsDoomed, "BYE");
        var bracket = line.IndexOf('[', StringComparison.Ordinal);
        if (bracket == answer.Kind.Length + 1) answer.Code = line[(bracket + 1)..line.IndexOf(']', bracket)];
        world.Demand(answer.Code != "SERVERBUG", "SERVERBUG");
    }

    void Take(Answer answer, string line, string tag, bool holds)
    {
        if (line.StartsWith("* OK [", StringComparison.Ordinal)) answer.Codes.Add(line[6..line.IndexOf(']', 6)]);
        else if (Count.Match(line) is { Success: true } count) TakeCount(answer, int.Parse(count.Groups["n"].ValueSpan, null), count.Groups["what"].Value, holds);
        else if (Fetch.Match(line) is { Success: true } fetch) TakeFetch(answer, fetch);
        else if (line.StartsWith("* VANISHED (EARLIER) ", StringComparison.Ordinal)) answer.Earlier.AddRange(NumberSets.Parse(line[21..]));
        else if (line.StartsWith("* VANISHED ", StringComparison.Ordinal))
        {
            world.Demand(TellsVanished && !holds, "VANISHED at a wrong time: " + line);
            View!.Vanished(NumberSets.Parse(line[11..]));
        }
        else if (Search.Match(line) is { Success: true } search)
        {
            world.Demand(Manner != Manner.Rev2 && answer.Found is null, "SEARCH for who has not asked: " + line);
            answer.Found = [.. search.Groups["list"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => NumberSets.Number(n))];
            answer.FoundModSeq = search.Groups["modseq"].Success ? long.Parse(search.Groups["modseq"].ValueSpan, null) : null;
        }
        else if (Esearch.Match(line) is { Success: true } extended)
        {
            world.Demand(extended.Groups["tag"].Value == tag && answer.Found is null, "ESEARCH of another command: " + line);
            answer.Found = NumberSets.Parse(extended.Groups["set"].Value);
            answer.FoundModSeq = extended.Groups["modseq"].Success ? long.Parse(extended.Groups["modseq"].ValueSpan, null) : null;
        }
        else if (line.StartsWith("* STATUS ", StringComparison.Ordinal)) answer.Status = line[9..];
        else if (line.StartsWith("* FLAGS (", StringComparison.Ordinal)) answer.Flags = line;
        else if (line.StartsWith("* BYE ", StringComparison.Ordinal)) answer.IsBye = true;
        else if (!line.StartsWith("* LIST ", StringComparison.Ordinal) && !line.StartsWith("* OK Still here", StringComparison.Ordinal) && line != "+ idling") throw world.Wrong("a response that nothing explains: " + line);
    }

    bool IsSelecting(Answer answer) => View is null || answer.Command.StartsWith("SELECT", StringComparison.Ordinal) || answer.Command.StartsWith("EXAMINE", StringComparison.Ordinal);

    void TakeCount(Answer answer, int n, string what, bool holds)
    {
        if (what == "RECENT") world.Demand(Manner != Manner.Rev2, "RECENT for IMAP4rev2"); // RFC 9051 appendix E 12
        else if (what == "EXISTS" && IsSelecting(answer) && answer.Exists is null) answer.Exists = n;
        else if (View is not { } view) throw world.Wrong($"{what} while nothing is selected");
        else if (what == "EXISTS") view.Exists(n);
        else
        {
            world.Demand(!holds && !TellsVanished, $"EXPUNGE at a wrong time, while {answer.Command} runs");
            view.Expunge(n);
        }
    }

    void TakeFetch(Answer answer, Match fetch)
    {
        if (View is not { } view) throw world.Wrong("FETCH while nothing is selected");
        var items = fetch.Groups["items"].Value;
        var n = NumberSets.Number(fetch.Groups["n"].Value);
        world.Demand(fetch.Groups["uid"].Success == IsUidOnly, "FETCH and UIDFETCH are not the same"); // RFC 9586 3.2
        uint? uid = UidItem.Match(items) is { Success: true } u ? NumberSets.Number(u.Groups["uid"].Value) : null;
        int? flags = FlagsItem.Match(items) is { Success: true } f ? ModelFlags.Parse(f.Groups["flags"].Value) : null;
        long? modseq = ModSeqItem.Match(items) is { Success: true } m ? long.Parse(m.Groups["modseq"].ValueSpan, null) : null;
        long? size = SizeItem.Match(items) is { Success: true } s ? long.Parse(s.Groups["size"].ValueSpan, null) : null;
        var index = IsUidOnly ? view.IndexOf(n) : (int)n - 1;
        if (index < 0 && view.IsUnsure) return; // one of those of which only the number is known yet
        if (IsUidOnly) uid = n;
        // RFC 7162 3.2.4: with QRESYNC every FETCH names the UID; 3.1.2: who knows of CONDSTORE gets MODSEQ with every change of flags
        world.Demand(Manner != Manner.QResync || uid is not null, "FETCH without UID for who has enabled QRESYNC");
        world.Demand(Manner != Manner.Rev2 || ((flags ?? 0) & ModelFlags.Recent) == 0, "\\Recent for IMAP4rev2");
        world.Demand(!CondStore || flags is null || modseq is not null || answer.Command.Contains("FETCH", StringComparison.Ordinal), "FLAGS without MODSEQ for who has enabled CONDSTORE");
        view.Fetched(index, uid, flags, modseq, size);
        answer.Fetched.Add((view.Entries[index], flags, modseq));
    }
}

static class ModelText
{
    /// <summary>For a line of the log.</summary>
    public static string ReplaceLineEnds(this string text) => text.Length < 200 ? text.Replace("\r\n", "\\r\\n", StringComparison.Ordinal) : text[..60].Replace("\r\n", "\\r\\n", StringComparison.Ordinal) + "...";
}
