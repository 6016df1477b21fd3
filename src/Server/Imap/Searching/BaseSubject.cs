using System.Text;
using CbaMail.Text;

namespace CbaMail.Imap.Searching;

/// <summary>The subject without "Re:", "Fwd:", list names and what else mailers put around it (RFC 5256 2.1).</summary>
internal static class BaseSubject
{
    /// <param name="subject">The field's value, its encoded-words not yet decoded.</param>
    /// <returns>The base subject, and whether the message is a reply or a forward.</returns>
    public static (string Text, bool IsReply) Of(string subject)
    {
        var text = Spaced(EncodedWord.Decode(subject)); // RFC 5256 2.1 (1)
        var reply = false;
        var (from, to) = (0, text.Length);
        while (true)
        {
            Trailers(text, from, ref to, ref reply);
            Leaders(text, ref from, to, ref reply);
            // (6): "[fwd: ...]" as a whole, then again
            if (to - from < 6 || !text.AsSpan(from).StartsWith("[fwd:", StringComparison.OrdinalIgnoreCase) || text[to - 1] != ']') break;
            (from, to, reply) = (from + 5, to - 1, true);
        }
        return (text[from..to], reply);
    }

    // (1): tabs and folds are spaces, several are one
    static string Spaced(string text)
    {
        if (text.AsSpan().IndexOfAny('\t', '\r', '\n') < 0 && !text.Contains("  ", StringComparison.Ordinal)) return text;
        var spaced = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            var space = c is ' ' or '\t' or '\r' or '\n';
            if (!space) spaced.Append(c);
            else if (spaced.Length == 0 || spaced[^1] != ' ') spaced.Append(' ');
        }
        return spaced.ToString();
    }

    // (2), subj-trailer: "(fwd)" or a space
    static void Trailers(string text, int from, ref int to, ref bool reply)
    {
        while (to > from)
        {
            if (text[to - 1] == ' ') to--;
            else if (to - from >= 5 && text.AsSpan(to - 5, 5).Equals("(fwd)", StringComparison.OrdinalIgnoreCase)) (to, reply) = (to - 5, true);
            else return;
        }
    }

    // (3) to (5)
    static void Leaders(string text, ref int from, int to, ref bool reply)
    {
        while (from < to)
        {
            if (text[from] == ' ') { from++; continue; }
            // (3), subj-leader: blobs before a "re:"
            var (at, last) = (from, from);
            while (Blob(text, at, to) is var after and >= 0) (last, at) = (at, after);
            if (Reply(text, at, to) is var end and >= 0)
            {
                (from, reply) = (end, true);
                continue;
            }
            // (4): blobs go, one after the other, unless nothing would be left
            from = at < to ? at : last;
            return;
        }
    }

    // subj-blob: "[" without brackets inside "]" and spaces; -1 where there is none
    static int Blob(string text, int at, int to)
    {
        if (at >= to || text[at] != '[') return -1;
        var end = text.AsSpan(at + 1, to - at - 1).IndexOfAny('[', ']');
        if (end < 0 || text[at + 1 + end] == '[') return -1;
        return Spaces(text, at + end + 2, to);
    }

    // subj-refwd: ("re" / "fw" / "fwd") spaces [blob] ":"
    static int Reply(string text, int at, int to)
    {
        var rest = text.AsSpan(at, to - at);
        if (rest.StartsWith("fwd", StringComparison.OrdinalIgnoreCase)) at += 3;
        else if (rest.StartsWith("re", StringComparison.OrdinalIgnoreCase) || rest.StartsWith("fw", StringComparison.OrdinalIgnoreCase)) at += 2;
        else return -1;
        at = Spaces(text, at, to);
        if (Blob(text, at, to) is var after and >= 0) at = after;
        return at < to && text[at] == ':' ? at + 1 : -1;
    }

    static int Spaces(string text, int at, int to)
    {
        while (at < to && text[at] == ' ') at++;
        return at;
    }
}
