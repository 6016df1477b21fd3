using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>
/// LIST (RFC 9051 6.3.9, RFC 3501 6.3.8) with the selection and return options of RFC 5258, STATUS (RFC 5819)
/// and SPECIAL-USE (RFC 6154).
/// </summary>
internal static class ListCommand
{
    sealed record Request
    {
        public List<ListPattern> Patterns { get; } = [];
        public bool Empty { get; set; }
        public bool OnlySubscribed { get; set; }
        public bool OnlySpecialUse { get; set; }
        public bool Recursive { get; set; }
        /// <summary>Who asks so knows what \NonExistent implies.</summary>
        public bool IsExtended { get; set; }
        public bool ReturnSubscribed { get; set; }
        public StatusItems Status { get; set; }
        public bool MyRights { get; set; }
        public List<string> Metadata { get; set; } = [];

        public bool Chooses(ListEntry entry) => (!OnlySubscribed || entry.Subscribed) && (!OnlySpecialUse || entry.SpecialUse is not null);
    }

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        var request = new Request();
        arguments.Space();
        if (request.IsExtended = arguments.TakeOpen()) Selection(ref arguments, request);
        var reference = MailboxName.Canonical(arguments.Mailbox());
        arguments.Space();
        if (arguments.TakeOpen())
        {
            do Pattern(ref arguments, request, reference);
            while (!arguments.Failed && arguments.Take((byte)' '));
            arguments.Close();
        }
        else request.Empty = Pattern(ref arguments, request, reference);
        if (arguments.Take((byte)' ') && !arguments.AtEnd) Return(ref arguments, request);
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (request.Patterns.Any(p => p.IsTooLong)) return new(Outcome.No("The pattern is too long", "LIMIT"));
        if (request.Status.HasFlag(StatusItems.HighestModSeq)) session.EnableCondStore();
        if (!request.Empty) return ListAsync(session, request);
        // RFC 9051 6.3.9: an empty pattern asks for the delimiter
        session.Writer.Write("* LIST (\\Noselect) \"/\" \"\"\r\n"u8);
        return new(Outcome.Done);
    }

    /// <returns>Whether the pattern is empty.</returns>
    static bool Pattern(ref ImapReader arguments, Request request, string reference)
    {
        var pattern = arguments.ListMailbox();
        request.Patterns.Add(new ListPattern(reference, pattern));
        if (request.Patterns.Count > 100) arguments.Refuse("Too many patterns");
        return pattern.Length == 0;
    }

    // RFC 5258 3.1
    static void Selection(ref ImapReader arguments, Request request)
    {
        if (!arguments.TakeClose())
        {
            do
            {
                switch (arguments.Keyword())
                {
                    case "SUBSCRIBED": request.OnlySubscribed = request.ReturnSubscribed = true; break;
                    case "REMOTE": break;
                    case "RECURSIVEMATCH": request.Recursive = true; break;
                    case "SPECIAL-USE": request.OnlySpecialUse = true; break;
                    case var word: arguments.Refuse($"{word} is not a selection option here"); break;
                }
            }
            while (!arguments.Failed && arguments.Take((byte)' '));
            arguments.Close();
        }
        if (request is { Recursive: true, OnlySubscribed: false, OnlySpecialUse: false }) arguments.Refuse("RECURSIVEMATCH needs another option");
        arguments.Space();
    }

    // RFC 5258 3.2
    static void Return(ref ImapReader arguments, Request request)
    {
        if (arguments.Keyword() != "RETURN") arguments.Fail("RETURN");
        arguments.Space();
        arguments.Open();
        if (arguments.TakeClose()) return;
        do
        {
            switch (arguments.Keyword())
            {
                case "SUBSCRIBED": request.ReturnSubscribed = true; break;
                case "CHILDREN" or "SPECIAL-USE": break; // told always
                case "METADATA": request.Metadata = MetadataCommands.ListEntries(ref arguments); break; // RFC 9590
                case "MYRIGHTS": request.MyRights = true; break; // RFC 8440
                case "STATUS":
                    arguments.Space();
                    request.Status = StatusCommand.Items(ref arguments);
                    break;
                case var word: arguments.Refuse($"{word} is not a return option here"); break;
            }
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
    }

    static async ValueTask<Outcome> ListAsync(ImapSession session, Request request)
    {
        IReadOnlyList<Access> mailboxes;
        IReadOnlyList<string> lost;
        var counted = new Dictionary<long, StatusCounts>();
        var notes = new Dictionary<long, List<Annotation>>();
        using (var reader = session.Mail.Read())
        {
            mailboxes = session.Context.Access.All(reader, session.Viewer());
            lost = reader.LostSubscriptions(session.Account.Id);
            foreach (var access in mailboxes)
            {
                if (!request.Patterns.Any(p => p.Matches(access.Name))) continue;
                counted[access.Mailbox.Id] = StatusCommand.Count(session, reader, access.Mailbox, request.Status);
                if (request.Metadata.Count > 0) notes[access.Mailbox.Id] = MetadataCommands.OfMailbox(session, reader, access);
            }
        }
        var entries = ListEntry.Of(mailboxes, lost).ToList();
        var hidden = request.Recursive ? AboveHidden(entries, request) : [];
        foreach (var entry in entries)
        {
            if (!request.Patterns.Any(p => p.Matches(entry.Name))) continue;
            var chosen = request.Chooses(entry);
            // RFC 5258 3.5: a parent that is not chosen itself tells of chosen ones below, which the pattern may hide
            var below = request.Recursive && (!request.OnlySubscribed || entry.SubscribedBelow) && (!request.OnlySpecialUse || entry.SpecialUseBelow);
            if (!chosen && !(below && hidden.Contains(entry.Name))) continue;
            if (entry.Mailbox is null && !entry.HasChildren && !(request.OnlySubscribed && entry.Subscribed)) continue;
            Write(session.Writer, entry, request, below);
            // RFC 5819 2, RFC 8440 3: not of those that only show the way to others
            if (chosen && entry.Access is { } access)
            {
                if (request.MyRights) session.Writer.Write("* MYRIGHTS "u8).Mailbox(access.Name).Space().Write(RightsText.Show(access.Rights)).EndLine();
                if (request.Status != StatusItems.None && access.Has(Rights.Read)) StatusCommand.Write(session, access, request.Status, counted[access.Mailbox.Id]);
                if (request.Metadata.Count > 0) MetadataCommands.Write(session, access, notes[access.Mailbox.Id], request.Metadata);
            }
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
        return Outcome.Done;
    }

    // RFC 5258 3.5: CHILDINFO alone is redundant where all that it could mean are listed themselves
    static HashSet<string> AboveHidden(List<ListEntry> entries, Request request) =>
        [.. entries.Where(e => request.Chooses(e) && !request.Patterns.Any(p => p.Matches(e.Name))).SelectMany(e => Mailboxes.MailboxName.Above(e.Name))];

    static void Write(ImapWriter writer, ListEntry entry, Request request, bool below)
    {
        writer.Write("* LIST ("u8).Write(entry.HasChildren ? "\\HasChildren"u8 : "\\HasNoChildren"u8); // RFC 3348
        if (entry.Mailbox is null) writer.Write(request.IsExtended ? " \\NonExistent"u8 : " \\NonExistent \\Noselect"u8); // RFC 5258 3: implied
        if (request.ReturnSubscribed && entry.Subscribed) writer.Write(" \\Subscribed"u8);
        if (entry.Mailbox is not null)
        {
            if (entry.SpecialUse is { } use) writer.Space().Write(use);
        }
        writer.Write(") \"/\" "u8).Mailbox(entry.Name);
        if (below && request.OnlySubscribed && entry.SubscribedBelow) writer.Write(" (\"CHILDINFO\" (\"SUBSCRIBED\"))"u8);
        else if (below) writer.Write(" (\"CHILDINFO\" (\"SPECIAL-USE\"))"u8);
        writer.EndLine();
    }
}

/// <summary>A name in the list of mailboxes: one that exists, or a level above one that does.</summary>
internal sealed class ListEntry(string name)
{
    public string Name => name;
    public Access? Access { get; private set; }
    public Mailbox? Mailbox => Access?.Mailbox;
    /// <summary>The mailbox is subscribed, or the name still is (RFC 9051 6.3.5).</summary>
    public bool Subscribed { get; private set; }
    public bool HasChildren { get; private set; }
    public string? SpecialUse => Access is { IsOwn: true } ? Access.Mailbox.SpecialUse : null;
    public bool SubscribedBelow { get; private set; }
    public bool SpecialUseBelow { get; private set; }

    /// <summary>All names with the levels above them, INBOX first, then in order.</summary>
    /// <param name="lost">Subscribed names without a mailbox.</param>
    public static IEnumerable<ListEntry> Of(IReadOnlyList<Access> mailboxes, IReadOnlyList<string> lost)
    {
        var entries = new Dictionary<string, ListEntry>(StringComparer.Ordinal);
        ListEntry Entry(string name) => entries.TryGetValue(name, out var entry) ? entry : entries[name] = new ListEntry(name);
        foreach (var access in mailboxes)
        {
            // whether it is subscribed, and what it is for, is its owner's own matter
            var (entry, subscribed) = (Entry(access.Name), access.IsOwn && access.Mailbox.Subscribed);
            (entry.Access, entry.Subscribed) = (access, subscribed);
            foreach (var name in Mailboxes.MailboxName.Above(access.Name))
            {
                var parent = Entry(name);
                parent.HasChildren = true;
                parent.SubscribedBelow |= subscribed;
                parent.SpecialUseBelow |= entry.SpecialUse is not null;
            }
        }
        foreach (var name in lost)
        {
            Entry(name).Subscribed = true;
            foreach (var above in Mailboxes.MailboxName.Above(name)) Entry(above).SubscribedBelow = true;
        }
        return entries.Values.OrderBy(e => e.Name == "INBOX" ? 0 : 1).ThenBy(e => e.Name, StringComparer.Ordinal);
    }
}
