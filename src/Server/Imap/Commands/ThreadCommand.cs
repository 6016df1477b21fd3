using CbaMail.Imap.Searching;

namespace CbaMail.Imap.Commands;

/// <summary>THREAD and UID THREAD (RFC 5256 3).</summary>
internal static class ThreadCommand
{
    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid)
    {
        arguments.Space();
        var algorithm = arguments.Keyword();
        if (algorithm is not ("ORDEREDSUBJECT" or "REFERENCES" or "REFS")) arguments.Refuse($"{algorithm} is not an algorithm of threading here");
        arguments.Space();
        if (!SearchProgram.Charset(ref arguments, out var charset)) return new(SearchProgram.BadCharset);
        var program = SearchProgram.Parse(session, session.Selected!, charset, ref arguments);
        return program.Failure(arguments) is { } failure ? new(failure) : ThreadAsync(session, session.Selected!, program, algorithm, byUid);
    }

    static async ValueTask<Outcome> ThreadAsync(ImapSession session, SelectedMailbox mailbox, SearchProgram program, string algorithm, bool byUid)
    {
        var found = await SearchRun.FindAsync(session, mailbox, program.Key);
        var messages = await ThreadSource.ReadAsync(session, mailbox, found, ids: algorithm != "ORDEREDSUBJECT", subjects: algorithm != "REFS");
        var roots = algorithm switch
        {
            "ORDEREDSUBJECT" => Threads.OrderedSubject(messages),
            "REFERENCES" => Threads.References(messages),
            _ => Threads.Refs(messages),
        };
        session.Writer.Write("* THREAD"u8);
        if (roots.Count > 0) session.Writer.Space();
        foreach (var root in roots)
        {
            await WriteAsync(session, root, index => byUid ? mailbox.Uid(index) : index + 1);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
        session.Writer.EndLine();
        return Outcome.Done;
    }

    // RFC 5256 5: an only child follows its parent, several have parentheses each
    static async ValueTask WriteAsync(ImapSession session, ThreadNode root, Func<int, long> number)
    {
        var writer = session.Writer;
        var waiting = new Stack<ThreadNode?>([root]); // null closes
        while (waiting.TryPop(out var node))
        {
            if (node is null)
            {
                writer.Write(")"u8);
                continue;
            }
            writer.Write("("u8);
            waiting.Push(null);
            for (var at = node; ;)
            {
                if (at.Message is { } message) writer.Write(number(message.Index));
                if (at.Children.Count != 1)
                {
                    if (at.Children.Count > 0 && !at.IsDummy) writer.Space();
                    for (var i = at.Children.Count - 1; i >= 0; i--) waiting.Push(at.Children[i]);
                    break;
                }
                if (!at.IsDummy) writer.Space();
                at = at.Children[0];
                if (writer.IsFull) await writer.FlushAsync(session.Cancel);
            }
            if (writer.IsFull) await writer.FlushAsync(session.Cancel);
        }
    }
}
