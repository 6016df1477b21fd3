using System.Globalization;
using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Faults;

/// <summary>A message as a client sees it: its text and its flags.</summary>
internal sealed record KeptMessage(string Text, string Flags);

/// <summary>A mailbox as a client sees it.</summary>
internal sealed partial record KeptMailbox(long UidValidity, long UidNext, SortedDictionary<long, KeptMessage> Messages)
{
    [GeneratedRegex(@"UID (\d+)")] private static partial Regex Uid { get; }
    [GeneratedRegex(@"FLAGS \(([^)]*)\)")] private static partial Regex Flags { get; }
    [GeneratedRegex(@"\[UIDVALIDITY (\d+)\]")] private static partial Regex Validity { get; }
    [GeneratedRegex(@"\[UIDNEXT (\d+)\]")] private static partial Regex Next { get; }

    /// <summary>Selects it and reads all messages from a UID on.</summary>
    public static async Task<KeptMailbox> ReadAsync(WireClient client, string name, long from = 1)
    {
        var selected = string.Join('\n', await client.ImapAsync($"SELECT {name}", "OK"));
        var messages = new SortedDictionary<long, KeptMessage>();
        foreach (var line in await client.ImapAsync($"UID FETCH {from}:* (UID FLAGS BODY.PEEK[])", "OK"))
        {
            if (!line.StartsWith("* ", StringComparison.Ordinal) || !line.Contains(" FETCH (", StringComparison.Ordinal)) continue;
            var uid = Number(Uid, line);
            if (uid < from) continue; // "n:*" gives the last one in any case (RFC 9051 9, seq-range)
            Assert.True(messages.TryAdd(uid, new(TextOf(line), Sorted(Flags.Match(line).Groups[1].Value))), $"UID {uid} stands twice in {name}");
        }
        return new(Number(Validity, selected), Number(Next, selected), messages);
    }

    public static string Sorted(string flags) => string.Join(' ', flags.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(flag => flag != "\\Recent").Order(StringComparer.Ordinal));

    private static long Number(Regex regex, string text) => long.Parse(regex.Match(text).Groups[1].Value, CultureInfo.InvariantCulture);

    private static string TextOf(string line)
    {
        var start = line.IndexOf("}\r\n", StringComparison.Ordinal) + 3;
        var open = line.LastIndexOf('{', start - 3);
        return line.Substring(start, int.Parse(line.AsSpan(open + 1, start - open - 4), CultureInfo.InvariantCulture));
    }
}
