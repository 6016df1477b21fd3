namespace CbaMail.Imap.Commands;

/// <summary>COMPRESS (RFC 4978): from its tagged OK on both sides send deflate, below the commands and above TLS.</summary>
internal static class CompressCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var mechanism = arguments.Keyword();
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (mechanism != "DEFLATE") return new(Outcome.Bad("Only DEFLATE is known here")); // RFC 4978 3
        if (session.Connection.IsCompressed) return new(Outcome.Bad("COMPRESS is active already", "COMPRESSIONACTIVE"));
        return StartAsync(session);
    }

    static async ValueTask<Outcome> StartAsync(ImapSession session)
    {
        // RFC 4978 3: compressed is what comes behind the CRLF of this
        session.Say(Outcome.Ok(null, "DEFLATE active"));
        await session.Writer.FlushAsync(session.Cancel);
        session.Connection.StartCompression();
        session.Writer.Attach();
        return Outcome.Answered;
    }
}
