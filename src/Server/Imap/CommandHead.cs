using System.Text;

namespace CbaMail.Imap;

/// <summary>Tag and name of a command, and its row where there is one.</summary>
/// <param name="ArgumentsAt">Where in the text the arguments begin: at the space, or at the end.</param>
/// <param name="Refusal">Why the command is not run, or null; then there is a row.</param>
internal readonly record struct CommandHead(string Tag, string Name, int ArgumentsAt, ImapCommand? Row, Outcome? Refusal)
{
    /// <summary>RFC 9051 9: tag SP command. The name of a UID command takes in the next word.</summary>
    public static CommandHead Parse(ReadOnlySpan<byte> text, ImapState state)
    {
        var end = text.IndexOf((byte)' ');
        var tag = end < 0 ? text : text[..end];
        // RFC 9051 9, tag: astring characters except "+"
        if (tag.IsEmpty || tag.Length > 256 || tag.ContainsAnyExceptInRange((byte)'!', (byte)'~') || tag.IndexOfAny("(){%*\"\\+"u8) >= 0)
            return Bad("*", "A command begins with a tag");
        var name = Encoding.ASCII.GetString(tag);
        if (end < 0) return Bad(name, "A command is missing after the tag");

        var position = end + 1;
        var word = Word(text, ref position);
        if (word == "UID" && position < text.Length)
        {
            position++;
            word = "UID " + Word(text, ref position);
        }
        if (ImapCommands.Find(word) is not { } row) return Bad(name, word.Length == 0 ? "A command is missing after the tag" : "There is no such command");
        if ((row.States & state) == 0) return Bad(name, WrongState(row, state)) with { Row = row, Name = word };
        return new CommandHead(name, word, position, row, null);
    }

    static string Word(ReadOnlySpan<byte> text, ref int position)
    {
        var rest = text[position..];
        var length = rest.IndexOf((byte)' ');
        if (length < 0) length = rest.Length;
        position += length;
        return length > 32 ? "?" : Encoding.Latin1.GetString(rest[..length]).ToUpperInvariant();
    }

    static string WrongState(ImapCommand row, ImapState state) =>
        state == ImapState.NotAuthenticated ? "Sign in first"
        : row.States == ImapState.NotAuthenticated ? "You have signed in already"
        : "Select a mailbox first";

    static CommandHead Bad(string tag, string text) => new(tag, "command", 0, null, Outcome.Bad(text));
}
