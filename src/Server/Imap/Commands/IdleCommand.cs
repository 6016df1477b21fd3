namespace CbaMail.Imap.Commands;

/// <summary>IDLE (RFC 2177, RFC 9051 6.3.13): tells what happens until the client says DONE.</summary>
internal static class IdleCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.End();
        return arguments.Failed ? new(Outcome.Bad(arguments.Error!)) : IdleAsync(session);
    }

    static async ValueTask<Outcome> IdleAsync(ImapSession session)
    {
        session.Writer.Write("+ idling\r\n"u8);
        var word = session.Input.WaitAsync(); // stays pending while we write
        while (true)
        {
            var notice = session.NoticeAsync(); // RFC 5465 4: exactly what NOTIFY has asked for
            await session.TellAsync(expunges: true);
            if (session.State == ImapState.Logout) return Outcome.Silent;
            if (await FirstAsync(session, word, notice)) break;
            // a sign of life, so that no router on the way forgets the connection
            if (notice is not { IsCompleted: true }) session.Writer.Write("* OK Still here\r\n"u8);
        }
        if (await word is not InputStatus.Ok and var status) return End(session, status);
        session.Text.Clear();
        status = await session.Input.ReadLineAsync(session.Text, 1024);
        if (status is InputStatus.Ok or InputStatus.TooLong or InputStatus.BareLineEnd)
            return System.Text.Ascii.EqualsIgnoreCase(session.Text.Span.TrimEnd((byte)' '), "DONE"u8) && status == InputStatus.Ok
                ? Outcome.Done : Outcome.Bad("expected DONE");
        return End(session, status);
    }

    /// <summary>Waits for the client's word, a notice or the time of a sign of life.</summary>
    /// <returns>Whether it was the word.</returns>
    static async ValueTask<bool> FirstAsync(ImapSession session, Task word, Task? notice)
    {
        if (word.IsCompleted) return true;
        var often = session.Settings.IdleKeepAlive;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(session.Cancel);
        var alive = Task.Delay(often > TimeSpan.Zero ? often : Timeout.InfiniteTimeSpan, session.Context.Time, stop.Token);
        await (notice is null ? Task.WhenAny(word, alive) : Task.WhenAny(word, notice, alive));
        await stop.CancelAsync();
        return word.IsCompleted || session.Cancel.IsCancellationRequested;
    }

    static Outcome End(ImapSession session, InputStatus status)
    {
        session.Farewell(status);
        session.LogOut();
        return Outcome.Silent;
    }
}
