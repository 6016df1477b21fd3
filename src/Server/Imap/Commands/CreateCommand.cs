namespace CbaMail.Imap.Commands;

/// <summary>CREATE (RFC 9051 6.3.4) with USE (RFC 6154 3).</summary>
internal static class CreateCommand
{
    // RFC 6154 2, RFC 8457: those that may be given to a new mailbox
    static readonly string[] Uses = ["\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash"];

    /// <summary>The use as it is written here, or null: mailboxes cannot have it.</summary>
    public static string? UseOf(string word) => Uses.FirstOrDefault(use => use.Equals(word, StringComparison.OrdinalIgnoreCase));

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var name = arguments.Mailbox();
        var oldName = arguments.OldName;
        string? use = null, wrong = null;
        if (arguments.Take((byte)' ') && arguments.TakeOpen()) Parameters(ref arguments, ref use, ref wrong);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (wrong is not null) return new(Outcome.No(wrong, "USEATTR")); // RFC 6154 3

        // RFC 9051 6.3.4: a trailing delimiter says that names will be made below; it is not part of the name
        if (name.EndsWith('/')) name = name[..^1];
        if (MailboxName.WhyNot(name) is { } reason) return new(Outcome.No(reason, "CANNOT"));
        return CreateAsync(session, name, use, oldName);
    }

    static void Parameters(ref ImapReader arguments, ref string? use, ref string? wrong)
    {
        if (arguments.Keyword() != "USE") arguments.Fail("USE");
        arguments.Space();
        arguments.Open();
        if (!arguments.TakeClose())
        {
            do
            {
                arguments.Expect((byte)'\\');
                var word = "\\" + arguments.Atom();
                var known = UseOf(word);
                if (known is null) wrong ??= $"{word} is not a use that a mailbox can have here";
                else if (use is not null && use != known) wrong ??= "A mailbox has one use here, not several"; // RFC 6154 3: several are the server's choice
                use = known ?? use;
            }
            while (!arguments.Failed && arguments.Take((byte)' '));
            arguments.Close();
        }
        arguments.Close();
    }

    static async ValueTask<Outcome> CreateAsync(ImapSession session, string name, string? use, string? oldName)
    {
        if (session.Mail.Store.Condition.Refusal is { } trouble) return Outcome.No(trouble);
        if (session.Settle(name, out var place) is { } refusal) return refusal;
        session.Watch?.Own(place.Prefix + place.Name);
        var created = await session.Mail.CreateAsync(place.OwnerId, place.Name, use, session.Cancel);
        if (!created.Ok) return Outcome.No(created.Refusal);
        ListLine.Correlate(session, place.Prefix + created.Value.Name, oldName);
        return Outcome.Ok($"MAILBOXID ({created.Value.ObjectId})", "CREATE completed"); // RFC 8474 4.1
    }
}
