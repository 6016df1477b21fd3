namespace CbaMail.Imap.Commands;

/// <summary>
/// APPEND (RFC 9051 6.3.12) of one message or of many, all or none (RFC 3502), of new text and of parts that the server has (RFC 4469).
/// Contents are streamed into the spool, and refused before they are sent wherever the client waits to be asked.
/// </summary>
internal static class AppendCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var mailbox = arguments.Mailbox();
        var fragment = AppendGrammar.Parse(ref arguments, AppendPhase.First);
        return arguments.Failed || fragment is null ? RefuseAsync(session, Outcome.Bad(arguments)) : RunAsync(session, mailbox, fragment);
    }

    /// <summary>Refuses the command, whose first content may be on its way.</summary>
    public static async ValueTask<Outcome> RefuseAsync(ImapSession session, Outcome refusal) => await SkipAsync(session, Pending(session), refusal);

    /// <summary>Whether the literal at the end of the arguments of APPEND, or of REPLACE, is content: all that stands before it has been understood.</summary>
    public static bool IsAtContent(ReadOnlySpan<byte> arguments, bool replaces)
    {
        var reader = new ImapReader(arguments);
        reader.Space();
        if (replaces)
        {
            reader.Set();
            reader.Space();
        }
        reader.Mailbox();
        return AppendGrammar.Parse(ref reader, AppendPhase.First)?.Literal is not null;
    }

    static bool IsAtContent(ReadOnlySpan<byte> text, AppendPhase phase)
    {
        var reader = new ImapReader(text);
        return AppendGrammar.Parse(ref reader, phase)?.Literal is not null;
    }

    static async ValueTask<Outcome> RunAsync(ImapSession session, string mailbox, AppendFragment fragment)
    {
        using var uploads = new Uploads(session, mailbox);
        if (await TakeAsync(session, uploads, fragment) is { } refusal) return refusal;
        var appended = await uploads.AppendAsync();
        if (!appended.Ok) return Outcome.NoTarget(appended.Refusal);
        // RFC 3502 6.3.11: a UID for each, in their order
        return Outcome.Ok($"APPENDUID {appended.Value[0].UidValidity} {ImapWriter.Set([.. appended.Value.Select(one => one.Uid)])}", "APPEND completed");
    }

    /// <summary>Takes in all messages.</summary>
    /// <returns>Why none of them can be kept, or null.</returns>
    public static async ValueTask<Outcome?> TakeAsync(ImapSession session, Uploads uploads, AppendFragment fragment)
    {
        while (true)
        {
            foreach (var step in fragment.Steps) await uploads.DoAsync(step);
            if (fragment.Literal is not { } literal) return uploads.Close();
            uploads.Expect(literal);
            if (uploads.Refusal is { } refusal) return await SkipAsync(session, literal, refusal); // a client that waits will not send it (RFC 9051 4.3)
            if (!literal.NonSynchronizing) session.Writer.Write("+ Send the message\r\n"u8);
            var status = await session.Input.CopyAsync(literal.Length, uploads, static (piece, to) => to.Append(piece));
            if (status != InputStatus.Ok) return End(session, status);
            if (fragment.IsMessage) uploads.Finish();

            session.Text.Clear();
            status = await session.Input.ReadLineAsync(session.Text, session.Settings.MaxLine);
            if (status is InputStatus.TooLong or InputStatus.BareLineEnd) return Outcome.Bad("The line after the message is badly ended");
            if (status != InputStatus.Ok) return End(session, status);
            if (uploads.Refusal is { } late) return await SkipAsync(session, Pending(session), late);
            var phase = fragment.Then;
            (status, var wrong) = await session.GatherAsync(null, text => IsAtContent(text, phase));
            if (status != InputStatus.Ok) return End(session, status);
            if (wrong is not null) return wrong;
            fragment = Next(session, phase, out var error)!;
            if (error is { } no) return await RefuseAsync(session, no);
        }
    }

    // synchronous: the reader cannot live over an await
    static AppendFragment? Next(ImapSession session, AppendPhase phase, out Outcome? error)
    {
        var reader = new ImapReader(session.Text.Span) { Utf8 = session.Dialect.Utf8 };
        var fragment = AppendGrammar.Parse(ref reader, phase);
        error = fragment is null ? Outcome.Bad(reader) : null;
        return fragment;
    }

    static PendingLiteral? Pending(ImapSession session) => PendingLiteral.TryFind(session.Text.Span, out var literal) ? literal : null;

    /// <summary>Reads over what comes unasked, within reason (RFC 7888 4), up to the end of the command or to a literal that waits for us.</summary>
    static async ValueTask<Outcome> SkipAsync(ImapSession session, PendingLiteral? pending, Outcome refusal)
    {
        while (pending is { NonSynchronizing: true } literal)
        {
            if (literal.Length > 2 * session.Settings.MaxMessage) return End(session, InputStatus.TooLong);
            var status = await session.Input.SkipAsync(literal.Length);
            if (status != InputStatus.Ok) return End(session, status);
            session.Text.Clear();
            status = await session.Input.ReadLineAsync(session.Text, session.Settings.MaxLine);
            if (status is InputStatus.TooLong or InputStatus.BareLineEnd) return refusal;
            if (status != InputStatus.Ok) return End(session, status);
            pending = Pending(session);
        }
        return refusal;
    }

    static Outcome End(ImapSession session, InputStatus status)
    {
        session.Farewell(status);
        session.LogOut();
        return Outcome.Silent;
    }
}
