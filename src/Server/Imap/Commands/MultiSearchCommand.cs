using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>ESEARCH (MULTISEARCH, RFC 7377): one search in many mailboxes, one answer for each that has something.</summary>
internal static class MultiSearchCommand
{
    /// <summary>What IN names (RFC 7377 2.2, RFC 5465 6).</summary>
    sealed record Sources
    {
        public bool Selected { get; set; }
        public bool Inboxes { get; set; }
        public bool Personal { get; set; }
        public bool Subscribed { get; set; }
        public List<string> Subtrees { get; } = [];
        public List<string> Parents { get; } = [];
        public List<string> Names { get; } = [];

        public bool OnlySelected => Selected && !Inboxes && !Personal && !Subscribed && Subtrees.Count + Parents.Count + Names.Count == 0;

        public bool Has(Access access, IReadOnlyList<string> lost) =>
            Personal && access.IsOwn || Inboxes && access is { IsOwn: true, Name: "INBOX" }
            || Subscribed && (access.IsOwn && access.Mailbox.Subscribed || lost.Contains(access.Name))
            || Subtrees.Exists(top => MailboxName.Below(access.Name, top, access.IsOwn) is not null) || Parents.Exists(top => MailboxName.Below(access.Name, top, access.IsOwn) is { } rest && !rest.Contains('/'));
    }

    sealed record Request(Sources Sources, ReturnOptions Options, byte[] Program);

    const int MostNames = 1000;

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        var sources = new Sources();
        if (ReturnOptions.TakeWord(ref arguments, "IN")) In(ref arguments, sources);
        else sources.Selected = true; // RFC 7377 2.2
        var options = ReturnOptions.Take(ref arguments) ?? ReturnOptions.Everything; // RFC 7377 2.1
        if (!session.HasSelected && (sources.Selected || options.Has(SearchResults.Update))) arguments.Refuse("Select a mailbox first");
        // RFC 7377 2.2
        if (options.Has(SearchResults.Save) && !sources.OnlySelected) arguments.Refuse("SAVE goes with the selected mailbox alone");
        if (session.Selected is { } open && SearchFinish.IsTagUsed(session, open, options)) arguments.Refuse("An earlier search of this tag is still kept up to date");
        if (arguments.Failed) return new(Outcome.Bad(arguments));

        // the keys mean other messages in each mailbox: they are read anew for each, here to see that they can be
        var request = new Request(sources, options, arguments.Rest.ToArray());
        using var nothing = SelectedMailbox.Nothing(session.Mail.Notifier);
        return Program(session, session.Selected ?? nothing, request, out var refusal) is null
            ? new(SearchFinish.Refused(session.Selected ?? nothing, options, refusal)) : SearchAsync(session, request);
    }

    static void In(ref ImapReader arguments, Sources sources)
    {
        arguments.Open();
        do
        {
            switch (arguments.Keyword())
            {
                case "SELECTED": sources.Selected = true; break;
                case "INBOXES": sources.Inboxes = true; break;
                case "PERSONAL": sources.Personal = true; break;
                case "SUBSCRIBED": sources.Subscribed = true; break;
                case "SUBTREE": Names(ref arguments, sources.Subtrees); break;
                case "SUBTREE-ONE": Names(ref arguments, sources.Parents); break;
                case "MAILBOXES": Names(ref arguments, sources.Names); break;
                case var word: arguments.Refuse($"{word} does not name mailboxes here"); break;
            }
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
        arguments.Space();
    }

    // RFC 5465 8, one-or-more-mailbox
    static void Names(ref ImapReader arguments, List<string> names)
    {
        arguments.Space();
        var several = arguments.TakeOpen();
        do names.Add(arguments.Mailbox());
        while (several && !arguments.Failed && arguments.Take((byte)' '));
        if (several) arguments.Close();
        if (names.Count > MostNames) arguments.Refuse("Too many mailboxes");
    }

    static SearchProgram? Program(ImapSession session, SelectedMailbox mailbox, Request request, out Outcome refusal)
    {
        var arguments = new ImapReader(request.Program) { Utf8 = session.Dialect.Utf8, UidOnly = session.Dialect.UidOnly };
        refusal = SearchProgram.BadCharset;
        if (!SearchProgram.TakeCharset(session, ref arguments, out var charset)) return null;
        var program = SearchProgram.Parse(session, mailbox, charset, ref arguments);
        SearchFinish.Check(session, mailbox, request.Options with { Wanted = request.Options.Wanted & ~SearchResults.Update }, program, ref arguments);
        if (program.Failure(arguments) is not { } failure) return program;
        refusal = failure;
        return null;
    }

    static async ValueTask<Outcome> SearchAsync(ImapSession session, Request request)
    {
        var mailboxes = Chosen(session, request.Sources);
        var selected = session.Selected;
        if (selected is not null && (request.Sources.Selected || mailboxes.Exists(m => m.Mailbox.Id == selected.Id)))
        {
            if (request.Options.Has(SearchResults.Save)) selected.Saved = [];
            if (await InAsync(session, request, selected) is { } refusal) return refusal;
        }
        foreach (var access in mailboxes)
        {
            var mailbox = access.Mailbox;
            if (mailbox.Id == selected?.Id) continue;
            using var view = new SelectedMailbox(mailbox with { Name = access.Name }, readOnly: true, session.Mail.Notifier) { Reader = access.Reader };
            using (var reader = session.Mail.Read())
            {
                if (reader.Mailbox(mailbox.Id, view.Reader) is not { } known) continue; // it has just been deleted
                SelectCommand.Load(session.Context.Recollection, reader, view, known, recent: null);
            }
            if (await InAsync(session, request, view) is { } refusal) return refusal;
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
        return Outcome.Done;
    }

    // RFC 7377 2.2: r on each, and l on those that are not named; the others are as if they were not there
    static List<Access> Chosen(ImapSession session, Sources sources)
    {
        using var reader = session.Mail.Read();
        var lost = reader.LostSubscriptions(session.Account.Id);
        var chosen = session.Context.Access.All(reader, session.Viewer()).Where(a => a.Has(Rights.Lookup) && sources.Has(a, lost)).ToList();
        foreach (var name in sources.Names)
            if (session.Find(reader, name) is { } named && !chosen.Exists(a => a.Mailbox.Id == named.Mailbox.Id)) chosen.Add(named);
        return [.. chosen.Where(a => a.Has(Rights.Read)).OrderBy(a => a.Name == "INBOX" ? 0 : 1).ThenBy(a => a.Name, StringComparer.Ordinal)];
    }

    static async ValueTask<Outcome?> InAsync(ImapSession session, Request request, SelectedMailbox mailbox)
    {
        if (Program(session, mailbox, request, out var refusal) is not { } program) return refusal; // a filter has gone meanwhile
        var (found, _) = await SearchRun.FindAsync(session, mailbox, program.Key);
        var answer = new SearchAnswer(session, mailbox, ByUid: true, program.UsesModSeq)
        {
            Relevancy = program.RelevancyOf(mailbox, found),
            // RFC 7377 2.1: all three, each once
            Correlators = writer => writer.Write(" MAILBOX "u8).Mailbox(mailbox.Name).Write(" UIDVALIDITY "u8).Write(mailbox.UidValidity),
        };
        var options = request.Options;
        // RFC 7377 2.2: updates are of the selected one
        if (mailbox != session.Selected) options = options with { Wanted = options.Wanted & ~SearchResults.Update };
        // RFC 7377 2.1: of mailboxes without a match nothing is said
        await SearchFinish.WriteAsync(answer with { IsSilent = found.Count == 0 }, options, found, program.Key, order: null);
        return null;
    }
}
