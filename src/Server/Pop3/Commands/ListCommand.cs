using System.Globalization;

namespace CbaMail.Pop3.Commands;

/// <summary>STAT, LIST (RFC 1939 5) and UIDL (RFC 1939 7): from the snapshot of the sign-in, however long, without a look into the store.</summary>
internal static class ListCommand
{
    public static ValueTask<Answer> Stat(Pop3Session session, string argument)
    {
        if (argument.Trim(' ').Length > 0) return new(Answer.Bad(Phrases.NoArgument));
        var maildrop = session.Maildrop;
        return new(Answer.Ok(Phrase.Plain(string.Create(CultureInfo.InvariantCulture, $"{maildrop.Left} {maildrop.Octets}"))));
    }

    public static ValueTask<Answer> Run(Pop3Session session, string argument) =>
        RunAsync(session, argument, static (writer, maildrop, number) => writer.Write(number).Space().Write(maildrop.Size(number)),
            static maildrop => Phrases.ScanList(maildrop.Left, maildrop.Octets));

    /// <summary>Unlike any other of this account's INBOX, for ever: neither UIDs nor validities are used twice (RFC 1939 7: 1 to 70 characters of 0x21 to 0x7E).</summary>
    public static ValueTask<Answer> UniqueIds(Pop3Session session, string argument) =>
        RunAsync(session, argument, static (writer, maildrop, number) => writer.Write(number).Space().Write(maildrop.UidValidity).Write("."u8).Write(maildrop.Uid(number)),
            static maildrop => Phrases.UniqueIds(maildrop.Left));

    static async ValueTask<Answer> RunAsync(Pop3Session session, string argument, Action<Pop3Writer, Maildrop, int> write, Func<Maildrop, Phrase> head)
    {
        var (writer, maildrop) = (session.Writer, session.Maildrop);
        var words = Pop3Line.Words(argument);
        if (words.Length > 1) return Answer.Bad(Phrases.NumberNeeded);
        if (words.Length == 1)
        {
            var one = session.Number(words[0], out var refusal);
            if (one == 0) return refusal;
            writer.Write("+OK "u8);
            write(writer, maildrop, one);
            writer.EndLine();
            return Answer.Said;
        }
        session.Say(Answer.Ok(head(maildrop)));
        writer.InAnswer = true;
        for (var number = 1; number <= maildrop.Count; number++)
        {
            if (maildrop.IsDeleted(number)) continue;
            write(writer, maildrop, number);
            writer.EndLine();
            if (writer.IsFull) await writer.FlushAsync(session.Cancel);
        }
        writer.Write(".\r\n"u8);
        writer.InAnswer = false;
        return Answer.Said;
    }
}
