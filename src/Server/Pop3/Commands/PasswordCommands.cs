using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Pop3.Commands;

/// <summary>USER, PASS and APOP (RFC 1939 7), and the one way into a maildrop.</summary>
internal static class PasswordCommands
{
    /// <summary>Never says whether there is such a user.</summary>
    public static ValueTask<Answer> User(Pop3Session session, string argument)
    {
        session.UserName = null;
        if (argument.Length == 0) return new(Answer.Bad(Phrases.NameMissing));
        if (!session.MaySignIn) return new(Answer.No(Phrases.StartTlsFirst));
        session.UserName = argument;
        return new(Answer.Ok(Phrases.SayPassword));
    }

    public static async ValueTask<Answer> Pass(Pop3Session session, string argument)
    {
        if (!session.MaySignIn) return Answer.No(Phrases.StartTlsFirst);
        if (session.UserName is not { } user) return Answer.Bad(Phrases.NameFirst);
        session.UserName = null;
        var result = await session.Context.SignIn.TryAsync(new Credentials(user, argument), session.Connection, session.Cancel);
        return await EnterAsync(session, result, "USER");
    }

    /// <summary>A digest of the password needs the password (RFC 1939 13); the server has a hash of it.</summary>
    public static ValueTask<Answer> Apop(Pop3Session session, string argument) => new(Answer.No(Phrases.NoApop));

    /// <summary>Opens the maildrop of whom has signed in (RFC 1939 4).</summary>
    public static async ValueTask<Answer> EnterAsync(Pop3Session session, Result<Account> result, string mechanism)
    {
        if (!result.Ok) return session.FailSignIn(Refused(result.Refusal));
        var account = result.Value;
        var (locks, settings) = (session.Context.Locks, session.Settings);
        var hold = await locks.EnterAsync(account.Id, settings.LockWait, session.Cancel);
        if (hold is null) return Answer.No(Phrases.InUse, "IN-USE"); // RFC 2449 8.1.2
        try
        {
            // RFC 2449 8.1.1: said to nobody who has not proved who he is
            if (locks.Admit(account.Id, settings.LoginDelay) is var left && left > TimeSpan.Zero) return Answer.No(Phrases.TooEarly(left), "LOGIN-DELAY");
            if (Open(session, account) is not { } maildrop) return Answer.No(Phrases.NoInbox, "SYS/PERM");
            session.SignedIn(account, maildrop, hold, mechanism);
            hold = null;
            return Answer.Ok(Phrases.Welcome(maildrop.Left, maildrop.Octets));
        }
        finally
        {
            hold?.Dispose();
        }
    }

    static Maildrop? Open(Pop3Session session, Account account)
    {
        using var reader = session.Mail.Read();
        return reader.Find(account.Id, "INBOX") is { } inbox ? Maildrop.Open(reader, inbox.Id, ascii: !session.IsUtf8) : null;
    }

    // RFC 3206 4: whether it is the password, or the server, and whether it passes
    static Answer Refused(Refusal refusal) =>
        refusal == Refusal.SignInFailed ? Answer.No(Phrases.WrongPassword, "AUTH")
        : refusal.Status == Refusal.SignInFailed.Status ? Answer.No(Phrase.Plain(refusal.Sentence), "AUTH")
        : refusal == SignIn.TooManyFailures ? Answer.No(Phrases.TooManyFailures, "SYS/TEMP")
        : Answer.No(Phrase.Plain(refusal.Sentence), refusal.IsTemporary ? "SYS/TEMP" : "SYS/PERM");
}
