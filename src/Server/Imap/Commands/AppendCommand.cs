using System.Buffers;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Imap.Commands;

/// <summary>
/// APPEND (RFC 9051 6.3.12; APPENDUID: RFC 4315 3). The message is not part of the command's text: it is streamed into the spool,
/// and refused before it is sent wherever the client waits to be asked.
/// </summary>
internal static class AppendCommand
{
    sealed record Request(string Mailbox, MessageFlags Flags, List<string> Keywords, DateTimeOffset? Received, PendingLiteral Literal);

    /// <summary>Whether the literal at the end of the text is the message: all that stands before it has been understood.</summary>
    public static bool IsAtMessage(ReadOnlySpan<byte> arguments)
    {
        var reader = new ImapReader(arguments);
        Parse(ref reader);
        return !reader.Failed;
    }

    static Request? Parse(ref ImapReader arguments)
    {
        arguments.Space();
        var mailbox = arguments.Mailbox();
        arguments.Space();
        var (flags, keywords) = (MessageFlags.None, new List<string>());
        if (arguments.Next == '(')
        {
            (flags, keywords) = arguments.Flags(recentIgnored: true);
            arguments.Space();
        }
        DateTimeOffset? received = null;
        if (arguments.Next == '"')
        {
            received = arguments.DateTime();
            arguments.Space();
        }
        return arguments.LastLiteral() is { } literal ? new Request(mailbox, flags, keywords, received, literal) : null;
    }

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        var request = Parse(ref arguments);
        // no literal has been left unread here: the session stops before one only when the text parses
        return request is null ? new(Outcome.Bad(arguments.Error ?? "expected a literal")) : AppendAsync(session, request);
    }

    static async ValueTask<Outcome> AppendAsync(ImapSession session, Request request)
    {
        var (refusal, target, quota) = Check(session, request);
        var literal = request.Literal;
        if (refusal is { } early && !literal.NonSynchronizing) return early; // the client will not send it (RFC 9051 4.3)
        if (refusal is { } late) return await SkipAsync(session, literal, late);

        if (!literal.NonSynchronizing) session.Writer.Write("+ Send the message\r\n"u8);
        using var spooled = session.Context.Spool.Create();
        var taking = new Taking(spooled);
        var status = await session.Input.CopyAsync(literal.Length, taking, static (piece, to) => to.Append(piece));
        if (status != InputStatus.Ok) return End(session, status);
        if (await RestAsync(session) is { } wrong) return wrong;
        if (taking.Trouble is { } trouble) return Outcome.No(trouble);
        if (literal.Length == 0) return Outcome.No("An empty message is not kept", "CANNOT"); // RFC 9051 6.3.12: a zero-length one is a cancelled one
        // RFC 9051 4.3.1: NUL stands in literal8 only
        if (!literal.Binary && spooled.Content.Span.Contains((byte)0)) return Outcome.No("The message holds NUL octets, which mail cannot have", "CANNOT");

        using var turn = await session.Mail.StagingRoom.EnterAsync(spooled.Length);
        using var staged = session.Mail.Stage(spooled.Content);
        var appended = await session.Mail.AppendAsync(target!.Mailbox.Id, staged, request.Flags & target.Flags, target.Keywords ? request.Keywords : [], request.Received, quota, session.Cancel, target.Reader);
        return appended.Ok
            ? Outcome.Ok($"APPENDUID {appended.Value.UidValidity} {appended.Value.Uid}", "APPEND completed")
            : Outcome.NoTarget(appended.Refusal);
    }

    /// <summary>The message on its way to the spool; after the first trouble the rest is read over, for it must not become commands.</summary>
    sealed class Taking(SpooledMessage spooled)
    {
        public Refusal? Trouble { get; private set; }

        public void Append(in ReadOnlySequence<byte> piece)
        {
            if (Trouble is not null) return;
            try
            {
                foreach (var segment in piece) spooled.Append(segment.Span);
            }
            catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
            {
                Trouble = trouble;
            }
        }
    }

    static (Outcome? Refusal, Access? Target, long Quota) Check(ImapSession session, Request request)
    {
        if (request.Literal.Length > session.Settings.MaxMessage) return (Outcome.No(Refusal.TooLarge), null, 0); // RFC 7889 4: TOOBIG
        if (session.Context.Memory is { IsShort: true }) return (Outcome.No(StoreTrouble.Memory), null, 0);
        if (session.Mail.Store.Condition.RefusalFor(request.Literal.Length) is { } trouble) return (Outcome.No(trouble), null, 0);
        using var reader = session.Mail.Read();
        if (session.RefusingTarget(reader, request.Mailbox, out var target) is { } refusal)
            return (MailboxName.WhyNot(request.Mailbox) is { } reason ? Outcome.No(reason, "CANNOT") : refusal, null, 0);
        var (owner, quota) = (target.Mailbox.AccountId, session.QuotaOf(target.Mailbox.AccountId));
        if (quota > 0 && reader.Usage(owner).Bytes + request.Literal.Length > quota) return (Outcome.No(Refusal.OverQuota), null, 0);
        return (null, target, quota);
    }

    static async ValueTask<Outcome> SkipAsync(ImapSession session, PendingLiteral literal, Outcome refusal)
    {
        // RFC 7888 4: what comes unasked is read over, within reason
        if (literal.Length > 2 * session.Settings.MaxMessage) return End(session, InputStatus.TooLong);
        var status = await session.Input.SkipAsync(literal.Length);
        if (status != InputStatus.Ok) return End(session, status);
        return await RestAsync(session) ?? refusal;
    }

    /// <summary>The rest of the line after the message: nothing.</summary>
    static async ValueTask<Outcome?> RestAsync(ImapSession session)
    {
        session.Text.Clear();
        var status = await session.Input.ReadLineAsync(session.Text, session.Settings.MaxLine);
        if (status is InputStatus.TooLong or InputStatus.BareLineEnd) return Outcome.Bad("The line after the message is badly ended");
        if (status != InputStatus.Ok) return End(session, status);
        if (session.Text.Span.TrimEnd((byte)' ').IsEmpty) return null;
        // RFC 3502, MULTIAPPEND, is not offered
        if (PendingLiteral.TryFind(session.Text.Span, out var more) && more.NonSynchronizing) return await SkipAsync(session, more, Outcome.Bad("One message at a time"));
        return Outcome.Bad("Nothing may follow the message");
    }

    static Outcome End(ImapSession session, InputStatus status)
    {
        session.Farewell(status);
        session.LogOut();
        return Outcome.Silent;
    }
}
