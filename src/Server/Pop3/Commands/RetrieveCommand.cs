using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;

namespace CbaMail.Pop3.Commands;

/// <summary>RETR (RFC 1939 5) and TOP (RFC 1939 7): streamed from the store, whatever the size.</summary>
internal static class RetrieveCommand
{
    public static ValueTask<Answer> Run(Pop3Session session, string argument)
    {
        var words = Pop3Line.Words(argument);
        if (words.Length != 1) return new(Answer.Bad(Phrases.NumberNeeded));
        var number = session.Number(words[0], out var refusal);
        return number == 0 ? new(refusal) : SendAsync(session, number, null);
    }

    public static ValueTask<Answer> Top(Pop3Session session, string argument)
    {
        var words = Pop3Line.Words(argument);
        if (words.Length != 2 || !Pop3Line.TryNumber(words[1], out var lines)) return new(Answer.Bad(Phrases.TopNeeds));
        var number = session.Number(words[0], out var refusal);
        return number == 0 ? new(refusal) : SendAsync(session, number, lines);
    }

    static async ValueTask<Answer> SendAsync(Pop3Session session, int number, long? lines)
    {
        var (writer, maildrop) = (session.Writer, session.Maildrop);
        if (Find(session, maildrop, number, out var content, out var refusal) is not { } wire) return refusal;
        session.Say(Answer.Ok(lines is null ? Phrases.Octets(maildrop.Size(number)) : Phrases.TopFollows));
        writer.InAnswer = true;
        var stuffer = new LineStuffer(writer, lines);
        if (stuffer.Take(wire.Header.Span)) await content.ReadToAsync(stuffer, wire.From, content.Size - wire.From, session.Cancel);
        stuffer.Finish();
        writer.InAnswer = false;
        if (lines is not null) return Answer.Said;
        maildrop.Retrieved(number);
        Pop3Telemetry.Retrieved.Add(1);
        return Answer.Said;
    }

    /// <summary>Everything that can fail comes before the first octet: an answer that has begun cannot be taken back.</summary>
    static WireForm? Find(Pop3Session session, Maildrop maildrop, int number, out MessageContent content, out Answer refusal)
    {
        content = null!;
        refusal = default;
        try
        {
            using var reader = session.Mail.Read();
            if (reader.Message(maildrop.MailboxId, maildrop.Uid(number)) is not { } row)
            {
                refusal = Answer.No(Phrases.Gone); // the client goes on with the next; RFC 1939 has no word for it
                return null;
            }
            content = reader.Content(maildrop.MailboxId, row) ?? throw new DamageError("The row of the body is gone; run 'cbamail verify'.");
            content.Check(0, content.Size);
            return reader.Wire(content, ascii: !session.IsUtf8);
        }
        catch (DamageError error)
        {
            Pop3Telemetry.Damaged(session.Log, session.Connection.Id, session.Account.Address.ToString(), maildrop.MailboxId, maildrop.Uid(number), error.Message);
            refusal = Answer.No(Phrases.Damaged, "SYS/PERM");
            return null;
        }
    }
}
