using System.Text;
using CbaMail.Text;

namespace CbaMail.Mime;

/// <summary>One mailbox of an address field (RFC 5322 3.4).</summary>
/// <param name="Name">Display name as text, encoded-words decoded; empty where there is none.</param>
/// <param name="LocalPart">Unquoted; empty for <c>&lt;&gt;</c>.</param>
/// <param name="Domain">As written; empty where the address has none.</param>
public sealed record HeaderAddress(string Name, string LocalPart, string Domain)
{
    /// <summary>The name as it stood, unquoted but with its encoded-words.</summary>
    public string RawName { get; init; } = Name;

    /// <summary>Obsolete source route, <c>@a,@b</c> (RFC 5322 4.4), or empty.</summary>
    public string Route { get; init; } = "";

    /// <summary>local-part@domain with the local part quoted where it must be; empty for <c>&lt;&gt;</c>.</summary>
    public string Address => Domain.Length == 0 && LocalPart.Length == 0 ? "" : Domain.Length == 0 ? AddressList.Local(LocalPart) : AddressList.Local(LocalPart) + "@" + Domain;

    public bool Equals(HeaderAddress? other) => other is not null && Name == other.Name && LocalPart == other.LocalPart && Domain == other.Domain;

    public override int GetHashCode() => HashCode.Combine(Name, LocalPart, Domain);
}

/// <summary>Mailboxes that stand together: a named group (RFC 5322 3.4), or with a null name those outside of groups.</summary>
public sealed record AddressGroup(string? Name, IReadOnlyList<HeaderAddress> Members)
{
    public string? RawName { get; init; } = Name;

    public bool Equals(AddressGroup? other) => other is not null && Name == other.Name && Members.SequenceEqual(other.Members);

    public override int GetHashCode() => HashCode.Combine(Name, Members.Count);
}

/// <summary>
/// The addresses of a From, To, ... field. Reading takes groups, comments, quoted strings, routes, encoded-words anywhere,
/// raw UTF-8 and what mailers get wrong; writing gives RFC 5322 back.
/// </summary>
public sealed class AddressList
{
    public static readonly AddressList Empty = new([]);

    public AddressList(IReadOnlyList<AddressGroup> groups) => Groups = groups;

    /// <summary>Groups in order; runs of mailboxes outside of groups are one nameless group each.</summary>
    public IReadOnlyList<AddressGroup> Groups { get; }

    /// <summary>All mailboxes, in and out of groups.</summary>
    public IEnumerable<HeaderAddress> Mailboxes => Groups.SelectMany(group => group.Members);

    /// <summary>Reads a field's raw value.</summary>
    public static AddressList Parse(ReadOnlySpan<byte> value) => Parse(LineFolding.UnfoldText(value));

    /// <summary>Reads a field's value that is text already, encoded-words not decoded.</summary>
    public static AddressList Parse(string value) => new(new AddressParser(value).Read());

    /// <summary>The field's value, unfolded; names are encoded (RFC 2047) where they must be.</summary>
    public override string ToString()
    {
        var output = new StringBuilder();
        foreach (var piece in Pieces())
        {
            if (output.Length > 0) output.Append(' ');
            output.Append(piece);
        }

        return output.ToString();
    }

    /// <summary>What a folder may put on a line each: mailboxes with their commas, beginnings and ends of groups.</summary>
    public IEnumerable<string> Pieces()
    {
        for (var i = 0; i < Groups.Count; i++)
        {
            var group = Groups[i];
            var comma = i + 1 < Groups.Count ? "," : "";
            if (group.Name is not null && group.Members.Count == 0) yield return Phrase(group.Name) + ":;" + comma;
            else if (group.Name is not null) yield return Phrase(group.Name) + ":";
            for (var j = 0; j < group.Members.Count; j++)
                yield return Format(group.Members[j].Name, group.Members[j].Address)
                    + (j + 1 < group.Members.Count ? "," : group.Name is not null ? ";" + comma : comma);
        }
    }

    /// <summary>One mailbox as it is written: <c>Name &lt;address&gt;</c> or the bare address.</summary>
    public static string Format(string name, string address) => name.Length == 0 ? address.Length == 0 ? "<>" : address : $"{Phrase(name)} <{address}>";

    // RFC 5322 3.2.5: atoms, else a quoted string; what is not ASCII as encoded-words (RFC 2047 5 (3))
    internal static string Phrase(string text)
    {
        text = Printable(text);
        if (EncodedWord.Needs(text) || text.Length > 900) return EncodedWord.Encode(text);
        var atoms = text.Length > 0 && text[0] != ' ' && text[^1] != ' ' && !text.Contains("  ", StringComparison.Ordinal);
        foreach (var c in text)
            if (!(IsAtom(c) || c == ' ')) atoms = false;
        return atoms ? text : Quote(text);
    }

    internal static string Local(string local)
    {
        var dots = local.Length > 0 && local[0] != '.' && local[^1] != '.' && !local.Contains("..", StringComparison.Ordinal);
        foreach (var c in local)
            if (!(IsAtom(c) || c is '.' or >= '\x80')) dots = false;
        return dots ? local : Quote(Printable(local));
    }

    static string Printable(string text) => text.AsSpan().IndexOfAnyInRange('\0', '\x1F') < 0 ? text : string.Concat(text.Select(c => c < ' ' ? ' ' : c));

    static string Quote(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    internal static bool IsAtom(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~".Contains(c);
}

/// <summary>The parser of <see cref="AddressList"/>: tokens into mailboxes, never failing, each character looked at a bounded number of times.</summary>
sealed class AddressParser(string text)
{
    const int MaxAddresses = 20_000;

    readonly List<AddressGroup> groups = [];
    readonly StringBuilder phrase = new();
    readonly StringBuilder local = new();
    readonly StringBuilder comment = new();
    List<HeaderAddress> current = [];
    string? groupName;
    int position;
    int count;

    public List<AddressGroup> Read()
    {
        while (position < text.Length && count < MaxAddresses) One();
        EndGroup();
        return groups;
    }

    void EndGroup()
    {
        if (groupName is not null || current.Count > 0) groups.Add(new AddressGroup(groupName is null ? null : EncodedWord.Decode(groupName), current) { RawName = groupName });
        groupName = null;
        current = [];
    }

    /// <summary>One mailbox, or the beginning or end of a group.</summary>
    void One()
    {
        phrase.Clear();
        comment.Clear();
        var lastWord = 0;
        var at = -1;
        var space = false;
        while (position < text.Length)
        {
            var c = text[position];
            switch (c)
            {
                case ',' or ';':
                    position++;
                    Bare(at, lastWord);
                    if (c == ';' && groupName is not null) EndGroup();
                    return;
                case '<':
                    position++;
                    Angle();
                    return;
                case ':' when groupName is null && at < 0:
                    // RFC 5322 3.4: display-name ":" [group-list] ";"
                    position++;
                    var name = AsName(phrase.ToString());
                    EndGroup();
                    groupName = name;
                    count++;
                    return;
                case ' ' or '\t' or '\r' or '\n':
                    position++;
                    space = true;
                    continue;
                case '(':
                    Comment();
                    space = true;
                    continue;
                case '"':
                    if (space && phrase.Length > 0) Space(c, at, ref lastWord);
                    Quoted(phrase);
                    space = false;
                    continue;
                case '[' when at >= 0:
                    // RFC 5322 3.4.1: a domain literal may hold colons
                    var close = text.IndexOf(']', position);
                    close = close < 0 ? text.Length : close + 1;
                    phrase.Append(text, position, close - position);
                    position = close;
                    continue;
            }

            if (space && phrase.Length > 0)
            {
                // "a@b c@d": a comma is missing
                if (at >= 0 && !IsGlue(c) && HasAtAhead())
                {
                    Bare(at, lastWord);
                    return;
                }

                Space(c, at, ref lastWord);
            }

            space = false;
            if (c == '@' && at < 0) at = phrase.Length;
            var word = EncodedWord.WordLength(text.AsSpan(position));
            phrase.Append(text, position, Math.Max(1, word));
            position += Math.Max(1, word);
        }

        Bare(at, lastWord);
    }

    /// <summary>White space around "." and "@": a space in a name, nothing in an address (RFC 5322 4.4).</summary>
    const char SoftSpace = '\u0001';

    bool IsGlue(char next) => next is '.' or '@' || phrase[^1] is '.' or '@';

    void Space(char next, int at, ref int lastWord)
    {
        var glue = IsGlue(next);
        phrase.Append(glue ? SoftSpace : ' ');
        if (at < 0 && !glue) lastWord = phrase.Length;
    }

    static string AsName(string text) => text.Replace(SoftSpace, ' ').Trim();

    static string AsAddress(string text) => text.Replace("\u0001", "");

    bool HasAtAhead()
    {
        for (var i = position; i < Math.Min(text.Length, position + 320); i++)
        {
            if (text[i] == '@') return true;
            if (text[i] is ' ' or ',' or ';' or '<' or '"') return false;
        }

        return false;
    }

    /// <summary>A mailbox without angle brackets: the last word before "@" is the local part, a comment the name.</summary>
    void Bare(int at, int lastWord)
    {
        var all = phrase.ToString();
        if (all.Length == 0 && comment.Length == 0) return;
        if (all.Length == 0) return;
        if (at < 0)
        {
            // RFC 5322 knows no address without domain; "root" and the like do occur
            Add(comment.ToString(), AsName(all), "", "");
            return;
        }

        var start = Math.Min(lastWord, at);
        var name = AsName(all[..start]);
        Add(name.Length > 0 ? name : comment.ToString(), AsAddress(all[start..at]), AsAddress(all[(at + 1)..]).Trim(), "");
    }

    /// <summary>After "&lt;": an optional route, then local part and domain up to "&gt;".</summary>
    void Angle()
    {
        var name = AsName(phrase.ToString());
        local.Clear();
        var at = -1;
        var route = "";
        while (position < text.Length)
        {
            var c = text[position];
            if (c == '>')
            {
                position++;
                break;
            }

            // A forgotten ">": the next address begins after the comma
            if (c is ',' or ';' && at > 0 && !IsAtEnd()) break;
            if (c == ':' && at == 0)
            {
                // RFC 5322 4.4: obs-route
                route = local.ToString();
                local.Clear();
                at = -1;
                position++;
                continue;
            }

            if (c is ' ' or '\t' or '\r' or '\n')
            {
                position++;
                // RFC 5322 4.4: white space around dots is nothing; between two words of an illegal local part it stays one
                if (at < 0 && local.Length > 0 && local[^1] is not ('.' or ' ') && position < text.Length && text[position] is not (' ' or '.' or '@' or '>' or ':' or '(' or '"')) local.Append(' ');
                continue;
            }

            if (c == '<') { position++; continue; }
            if (c == '(') { Comment(); continue; }
            if (c == '"') { Quoted(local); continue; }
            if (c == '[' && at >= 0)
            {
                var close = text.IndexOf(']', position);
                close = close < 0 ? text.Length : close + 1;
                local.Append(text, position, close - position);
                position = close;
                continue;
            }

            if (c == '@') at = route.Length == 0 && local.Length == 0 ? 0 : at == 0 ? 0 : local.Length;
            local.Append(c);
            position++;
        }

        // What follows the bracket up to the comma: comments, and words nobody can place
        while (position < text.Length && text[position] is not (',' or ';'))
        {
            if (text[position] == '(') Comment();
            else if (text[position] == '"') Quoted(new StringBuilder());
            else if (text[position] == '<') break;
            else position++;
        }

        if (position < text.Length && text[position] == ',') position++;
        var all = local.ToString();
        if (name.Length == 0) name = comment.ToString();
        if (at < 0) Add(name, all, "", route);
        else Add(name, all[..at], all[(at + 1)..], route);
    }

    /// <summary>"&lt;undisclosed-recipients:;&gt;", after a mailer put a domain behind it: the bracket comes after all.</summary>
    bool IsAtEnd() => position + 1 < text.Length && text[position + 1] == '>';

    void Add(string name, string localPart, string domain, string route)
    {
        count++;
        current.Add(new HeaderAddress(EncodedWord.Decode(name), localPart, domain) { RawName = name, Route = route });
    }

    // RFC 5322 3.2.4; a string that never ends is read up to the end
    void Quoted(StringBuilder into)
    {
        for (position++; position < text.Length && text[position] != '"'; position++)
        {
            if (text[position] == '\\' && position + 1 < text.Length) position++;
            into.Append(text[position]);
        }

        position++;
    }

    // RFC 5322 3.2.2: comments nest
    void Comment()
    {
        var depth = 0;
        if (comment.Length > 0) comment.Append(' ');
        for (; position < text.Length; position++)
        {
            var c = text[position];
            if (c == '(' && depth++ == 0) continue;
            if (c == ')' && --depth == 0)
            {
                position++;
                return;
            }

            if (c == '\\' && position + 1 < text.Length) c = text[++position];
            comment.Append(c);
        }
    }
}
