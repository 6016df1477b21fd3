using System.Text;

namespace CbaMail.Bench.Fuzz;

/// <summary>
/// Makes a bad message out of good ones: flipped bits, two messages in one, blocks doubled and cut out, surgery on boundaries and
/// header fields, huge tokens, deep nesting, other line ends. The same random numbers make the same message.
/// </summary>
internal sealed class MimeMutator(IReadOnlyList<byte[]> seeds)
{
    /// <summary>No message grows beyond this.</summary>
    const int MaxBytes = 1 << 20;

    static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "\r", "\n", "\r\n", "\r\n\r\n", "\n\n", "--", "--\n", ":", ";", "\"", "=", "(", "<", ">", ",", "\\", " ", "\t", "\0", "\u00FF", "\u0080", "=?", "?=", "=?utf-8?B?", "=?utf-8?Q?=", "=?iso-2022-jp?B?GyRC",
            "=\n", "==", "=3D", "From ", "begin 644 x\n", "end\n", "boundary=", "boundary=\"", "charset=utf-7;", "charset=iso-2022-kr;", "name*0*=utf-8''%", "name*1=", "filename*=",
            "Content-Type: multipart/mixed; boundary=b\n", "Content-Type: multipart/digest; boundary=\"\"\n", "Content-Type: message/rfc822\n\n", "Content-Type: text/html; charset=x\n",
            "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "Content-Transfer-Encoding: x-uuencode\n", "Content-Disposition: attachment; filename=",
            "Subject: ", "From: ", "To: Group: a@b, \"c\" <d@e>;\n", "Date: ", "Message-ID: <", "\n--b\n", "\n--b--\n", "<!--", "<style>", "&#", "<br", "+AAAA-", "\u001B$B", "~{",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    /// <summary>One message; a seed as it is in one case of 50.</summary>
    public byte[] Next(Random random)
    {
        var text = new List<byte>(seeds[random.Next(seeds.Count)]);
        if (random.Next(50) == 0) return [.. text];
        if (random.Next(3) == 0) LineEnds(text, random);
        for (var i = 1 + random.Next(6); i > 0; i--)
        {
            Change(text, random);
            if (text.Count > MaxBytes) text.RemoveRange(MaxBytes, text.Count - MaxBytes);
        }

        return [.. text];
    }

    void Change(List<byte> text, Random random)
    {
        var at = random.Next(text.Count + 1);
        var length = Math.Min(text.Count - at, 1 + random.Next(random.Next(4) == 0 ? 4000 : 60));
        switch (random.Next(14))
        {
            case 0 or 1:
                for (var i = random.Next(1, 20); i > 0 && text.Count > 0; i--) text[random.Next(text.Count)] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                var other = seeds[random.Next(seeds.Count)];
                var from = random.Next(other.Length + 1);
                text.RemoveRange(at, text.Count - at);
                text.AddRange(other.AsSpan(from).ToArray());
                break;
            case 3:
                text.InsertRange(random.Next(text.Count + 1), text.GetRange(at, length));
                break;
            case 4:
                text.RemoveRange(at, length);
                break;
            case 5 or 6:
                text.InsertRange(at, Tokens[random.Next(Tokens.Length)]);
                break;
            case 7 or 8:
                Boundary(text, random);
                break;
            case 9 or 10:
                HeaderLine(text, random);
                break;
            case 11:
                var token = Tokens[random.Next(Tokens.Length)];
                var times = random.Next(20) == 0 ? 20_000 : random.Next(1, 400);
                text.InsertRange(at, Enumerable.Repeat(token, Math.Min(times, 200_000 / token.Length)).SelectMany(t => t));
                break;
            case 12:
                Wrap(text, random);
                break;
            default:
                text.RemoveRange(at, text.Count - at);
                break;
        }
    }

    /// <summary>A line that begins with two hyphens is doubled, moved, cut, lengthened, or becomes another's.</summary>
    static void Boundary(List<byte> text, Random random)
    {
        var lines = Starts(text, at => at + 1 < text.Count && text[at] == '-' && text[at + 1] == '-');
        if (lines.Count == 0) return;
        var (start, end) = lines[random.Next(lines.Count)];
        var line = text.GetRange(start, end - start);
        switch (random.Next(5))
        {
            case 0: text.RemoveRange(start, end - start); break;
            case 1: text.InsertRange(start, line); break;
            case 2: text.InsertRange(random.Next(text.Count + 1), line); break;
            case 3: text.InsertRange(Math.Max(start, end - random.Next(1, 4)), "--"u8.ToArray()); break;
            default:
                var (otherStart, otherEnd) = lines[random.Next(lines.Count)];
                var other = text.GetRange(otherStart, otherEnd - otherStart);
                text.RemoveRange(start, end - start);
                text.InsertRange(start, other);
                break;
        }
    }

    /// <summary>A header field is doubled, moved, cut, emptied or unfolded wrongly.</summary>
    static void HeaderLine(List<byte> text, Random random)
    {
        var lines = Starts(text, at => at < text.Count && char.IsAsciiLetterUpper((char)text[at]) && text.IndexOf((byte)':', at, Math.Min(40, text.Count - at)) > 0);
        if (lines.Count == 0) return;
        var (start, end) = lines[random.Next(Math.Min(lines.Count, 60))];
        var line = text.GetRange(start, end - start);
        switch (random.Next(5))
        {
            case 0: text.RemoveRange(start, end - start); break;
            case 1: text.InsertRange(start, line); break;
            case 2: text.InsertRange(lines[random.Next(lines.Count)].Start, line); break;
            case 3: text.Insert(start, (byte)" \t:-\r"[random.Next(5)]); break;
            default: text.InsertRange(start + random.Next(line.Count), Tokens[random.Next(Tokens.Length)]); break;
        }
    }

    /// <summary>The message within messages or multiparts, up to deeper than the reader goes.</summary>
    static void Wrap(List<byte> text, Random random)
    {
        var depth = random.Next(6) == 0 ? random.Next(150) : random.Next(1, 5);
        var head = new StringBuilder();
        var same = random.Next(3) == 0;
        for (var i = 0; i < depth; i++)
            head.Append(random.Next(2) == 0 ? "Content-Type: message/rfc822\n\n" : $"Content-Type: multipart/mixed; boundary=w{(same ? 0 : i)}\n\n--w{(same ? 0 : i)}\n");
        text.InsertRange(0, Encoding.ASCII.GetBytes(head.ToString()));
        if (random.Next(2) == 0)
            for (var i = depth - 1; i >= 0; i--) text.AddRange(Encoding.ASCII.GetBytes($"\n--w{(same ? 0 : i)}--\n"));
    }

    static void LineEnds(List<byte> text, Random random)
    {
        var every = random.Next(2) == 0 ? 1 : random.Next(2, 5);
        var output = new List<byte>(text.Count + text.Count / 20);
        for (var i = 0; i < text.Count; i++)
        {
            if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r') && random.Next(every) == 0) output.Add((byte)'\r');
            output.Add(text[i]);
        }

        text.Clear();
        text.AddRange(output);
    }

    static List<(int Start, int End)> Starts(List<byte> text, Func<int, bool> wanted)
    {
        List<(int, int)> lines = [];
        for (var at = 0; at < text.Count && lines.Count < 200;)
        {
            var end = text.IndexOf((byte)'\n', at);
            end = end < 0 ? text.Count : end + 1;
            if (wanted(at)) lines.Add((at, end));
            at = end;
        }

        return lines;
    }
}
