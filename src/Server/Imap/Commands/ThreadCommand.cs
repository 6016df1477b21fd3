using System.Buffers;
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
        var (found, outcome) = await SearchRun.FindAsync(session, mailbox, program.Key);
        var (known, shape) = (session.Context.Recollection, ViewShape.Of(mailbox));
        var key = new Recollection.Key(mailbox.Id, 0, $"THREAD {algorithm} {byUid}");
        var isAll = found.Count == mailbox.Count && found.Count >= Recollection.LeastMessages;
        if (isAll && known.Find<ThreadedView>(key) is { } view && view.Shape == shape)
        {
            await WriteAsync(session, view.Answer);
            return outcome;
        }
        var messages = await ThreadSource.ReadAsync(session, mailbox, found, ids: algorithm != "ORDEREDSUBJECT", subjects: algorithm != "REFS");
        var roots = algorithm switch
        {
            "ORDEREDSUBJECT" => Threads.OrderedSubject(messages),
            "REFERENCES" => Threads.References(messages),
            _ => Threads.Refs(messages),
        };
        var answer = new ArrayBufferWriter<byte>(found.Count * 4 + 16);
        answer.Write("* THREAD"u8);
        if (roots.Count > 0) answer.Write(" "u8);
        foreach (var root in roots) Write(answer, root, index => byUid ? mailbox.Uid(index) : index + 1);
        answer.Write("\r\n"u8);
        if (isAll) known.Keep(key, new ThreadedView(shape, answer.WrittenMemory), answer.Capacity + 500);
        await WriteAsync(session, answer.WrittenMemory);
        return outcome;
    }

    static async ValueTask WriteAsync(ImapSession session, ReadOnlyMemory<byte> answer)
    {
        const int Piece = 16 * 1024;
        for (var at = 0; at < answer.Length; at += Piece)
        {
            session.Writer.Write(answer.Span[at..Math.Min(answer.Length, at + Piece)]);
            if (session.Writer.IsFull) await session.Writer.FlushAsync(session.Cancel);
        }
    }

    // RFC 5256 5: an only child follows its parent, several have parentheses each
    static void Write(ArrayBufferWriter<byte> answer, ThreadNode root, Func<int, long> number)
    {
        var waiting = new Stack<ThreadNode?>([root]); // null closes
        while (waiting.TryPop(out var node))
        {
            if (node is null)
            {
                answer.Write(")"u8);
                continue;
            }
            answer.Write("("u8);
            waiting.Push(null);
            for (var at = node; ;)
            {
                if (at.Message is { } message) Number(answer, number(message.Index));
                if (at.Children.Count != 1)
                {
                    if (at.Children.Count > 0 && !at.IsDummy) answer.Write(" "u8);
                    for (var i = at.Children.Count - 1; i >= 0; i--) waiting.Push(at.Children[i]);
                    break;
                }
                if (!at.IsDummy) answer.Write(" "u8);
                at = at.Children[0];
            }
        }
    }

    static void Number(ArrayBufferWriter<byte> answer, long number)
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(number, answer.GetSpan(20), out var count);
        answer.Advance(count);
    }
}
