using CbaMail.Envelope;
using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;

namespace CbaMail.Imap.Commands;

/// <summary>FETCH (RFC 9051 6.4.5) with CHANGEDSINCE (RFC 7162 3.1.4.1).</summary>
internal static class FetchCommand
{
    // messages read from the store at once
    const int RowsAtOnce = 500, ContentsAtOnce = 200;
    /// <summary>What is read of contents at once, and waits while the client reads.</summary>
    const int BytesAtOnce = 64 * 1024;
    /// <summary>What one takes that waits for its client, and what it waits for where memory is short.</summary>
    const int MostKept = 128 * 1024 + 2 * ReadingAhead.MostBytes;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    /// <summary>Batches that are read without help after one for which it came too late.</summary>
    const int Alone = 8;

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: false);
    public static ValueTask<Outcome> RunUid(ImapSession session, ref ImapReader arguments) => Parse(session, ref arguments, byUid: true);

    static ValueTask<Outcome> Parse(ImapSession session, ref ImapReader arguments, bool byUid)
    {
        arguments.Space();
        var set = arguments.Set();
        arguments.Space();
        var items = FetchItems.Parse(ref arguments);
        long? changedSince = null;
        PartialRange? partial = null;
        var vanished = false;
        if (arguments.Take((byte)' ') && arguments.TakeOpen()) Modifiers(ref arguments, ref changedSince, ref vanished, ref partial);
        if (partial is not null && !byUid) arguments.Refuse("PARTIAL goes with UID FETCH"); // RFC 9394 3.3
        // RFC 7162 3.2.6: with UID FETCH, CHANGEDSINCE and ENABLE QRESYNC alone
        if (vanished && (!byUid || changedSince is null)) arguments.Refuse("VANISHED goes with UID FETCH and CHANGEDSINCE");
        if (vanished && !session.Dialect.QResync) arguments.Refuse("VANISHED needs ENABLE QRESYNC");
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments));

        var mailbox = session.Selected!;
        if (mailbox.Find(set, byUid) is not { } ranges) return new(Outcome.Bad("There is no message of that number"));
        if (partial is { } piece) ranges = piece.Of(ranges); // before CHANGEDSINCE (RFC 9394 3.4)
        if (byUid && !session.Dialect.UidOnly) items.Data |= FetchData.Uid; // RFC 9051 6.4.9
        if (changedSince is not null) items.Data |= FetchData.ModSeq; // RFC 7162 3.1.4.1
        items.Utf8 = session.Dialect.Utf8Headers;
        if (items.Data.HasFlag(FetchData.ModSeq)) session.EnableCondStore(); // RFC 7162 3.1
        var fetch = new Fetch(session, mailbox, items, byUid);
        return vanished ? ResyncAsync(session, set, partial, fetch, changedSince!.Value) : fetch.RunAsync(ranges, changedSince);
    }

    /// <summary>What NOTIFY or a search that is kept up to date has asked for of new messages (RFC 5465 5.2, 7).</summary>
    public static async ValueTask TellAsync(ImapSession session, SelectedMailbox mailbox, FetchItems items, List<int> news)
    {
        if (news.Count == 0) return;
        var named = new FetchItems { Data = items.Data, Utf8 = session.Dialect.Utf8Headers };
        named.Sections.AddRange(items.Sections);
        if (session.Dialect is { NamesUid: true, UidOnly: false }) named.Data |= FetchData.Uid;
        if (session.CondStore) named.Data |= FetchData.ModSeq; // RFC 7162 3.2.4
        await new Fetch(session, mailbox, named, byUid: true).RunAsync([.. news.Select(i => (i, i))], null);
    }

    static void Modifiers(ref ImapReader arguments, ref long? changedSince, ref bool vanished, ref PartialRange? partial)
    {
        do
        {
            switch (arguments.Keyword())
            {
                case "CHANGEDSINCE":
                    arguments.Space();
                    changedSince = arguments.Number64(); // iOS Mail 16.5 sends 0
                    break;
                case "VANISHED": vanished = true; break;
                case "PARTIAL" when partial is null:
                    arguments.Space();
                    partial = PartialRange.Parse(ref arguments);
                    break;
                case var word: arguments.Refuse($"{word} is not a modifier of FETCH here"); break;
            }
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
    }

    // RFC 7162 3.2.6: VANISHED (EARLIER) comes before any FETCH; what goes away only now is told as VANISHED first
    static async ValueTask<Outcome> ResyncAsync(ImapSession session, SequenceSet set, PartialRange? partial, Fetch fetch, long since)
    {
        await session.UpdateAsync(expunges: true, withUid: true);
        if (session.State == ImapState.Logout) return Outcome.Silent;
        var mailbox = session.Selected!;
        List<(uint From, uint To)> gone;
        using (var reader = session.Mail.Read()) gone = Resync.Vanished(reader, mailbox, since, set.Normalize(Math.Max(mailbox.LastUid, mailbox.UidNext - 1)));
        await Resync.TellEarlierAsync(session, gone);
        var ranges = mailbox.ByUid(set);
        return await fetch.RunAsync(partial?.Of(ranges) ?? ranges, since);
    }

    /// <summary>One FETCH under way.</summary>
    sealed class Fetch(ImapSession session, SelectedMailbox mailbox, FetchItems items, bool byUid)
    {
        readonly ImapWriter writer = session.Writer;
        readonly ContentParts parts = items.Parts;
        readonly HashSet<int> madeSeen = [];
        readonly List<uint> damaged = [];
        readonly Dictionary<uint, MessageIds> ids = [];
        bool missing, unknownEncoding;
        int alone; // batches for which nobody is to read ahead

        public async ValueTask<Outcome> RunAsync(List<(int First, int Last)> ranges, long? changedSince)
        {
            // bodies wait a while for memory; flags and numbers need none
            if (!items.NeedsContent || session.Context.Memory is not { } memory) return await RunAllAsync(ranges, changedSince);
            using var promise = await memory.AskAsync(MostKept, Patience, session.Context.Time, session.Cancel);
            return promise is null ? Outcome.No(StoreTrouble.Memory) : await RunAllAsync(ranges, changedSince);
        }

        async ValueTask<Outcome> RunAllAsync(List<(int First, int Last)> ranges, long? changedSince)
        {
            var batch = new List<int>();
            var most = items.NeedsContent ? ContentsAtOnce : RowsAtOnce;
            foreach (var (first, last) in ranges)
            {
                for (var i = first; i <= last; i++)
                {
                    if (changedSince is { } since && mailbox.ModSeqOf(i) <= since) continue;
                    if (!items.NeedsRow)
                    {
                        WriteView(i);
                        if (writer.IsFull) await writer.FlushAsync(session.Cancel);
                        continue;
                    }
                    batch.Add(i);
                    if (batch.Count < most) continue;
                    if (!await BatchAsync(batch)) return Outcome.No(StoreTrouble.Memory);
                    batch.Clear();
                }
            }
            if (batch.Count > 0 && !await BatchAsync(batch)) return Outcome.No(StoreTrouble.Memory);
            // RFC 5530 3: what is whole has been served; the administrator has to mend the rest
            if (damaged.Count > 0) return Outcome.No($"The body of {Damaged()} is damaged on the server; its administrator can mend it with cbamail verify --repair", "SERVERBUG");
            if (unknownEncoding) return Outcome.No("A part has a transfer encoding that cannot be taken off", "UNKNOWN-CTE"); // RFC 3516 4.3
            if (!missing) return Outcome.Done;
            // RFC 2180 4.1.3, RFC 5530 3: others have expunged some, and their numbers still stand; the client learns which at its next NOOP.
            // UID FETCH has told it already, and of a UID that is gone there is nothing to say (RFC 9051 6.4.9)
            return byUid ? Outcome.Ok("EXPUNGEISSUED", "Some of the messages have been expunged") : Outcome.No("Some of the messages have been expunged", "EXPUNGEISSUED");
        }

        string Damaged() => damaged.Count == 1 ? $"UID {damaged[0]}" : $"{damaged.Count} messages (UID {string.Join(", ", damaged.Take(10))}{(damaged.Count > 10 ? " and more" : "")})";

        // The loop of FETCH 1:* (FLAGS): nothing is allocated here.
        void WriteView(int index)
        {
            var span = writer.Reserve(160 + mailbox.FlagsLength(index));
            var at = mailbox.FormatHead(span, index, writer.Dialect);
            var data = items.Data;
            if ((data & FetchData.Uid) != 0) at += Number(span[at..], "UID "u8, mailbox.Uid(index), after: " "u8);
            if ((data & FetchData.Flags) != 0)
            {
                at += mailbox.FormatFlags(span[at..], index);
                span[at++] = (byte)' ';
            }
            if ((data & FetchData.ModSeq) != 0) at += Number(span[at..], "MODSEQ ("u8, mailbox.ModSeqOf(index), after: ")"u8);
            if (span[at - 1] == ' ') at--;
            ")\r\n"u8.CopyTo(span[at..]);
            writer.Advance(at + 3);
        }

        static int Number(Span<byte> span, ReadOnlySpan<byte> name, long value, ReadOnlySpan<byte> after)
        {
            name.CopyTo(span);
            System.Buffers.Text.Utf8Formatter.TryFormat(value, span[name.Length..], out var digits);
            after.CopyTo(span[(name.Length + digits)..]);
            return name.Length + digits + after.Length;
        }

        /// <returns>False where memory has become short, and stays it.</returns>
        async ValueTask<bool> BatchAsync(List<int> batch)
        {
            for (var next = 0; next < batch.Count;)
            {
                if (items.NeedsContent && session.Context.Memory is { IsShort: true } memory && !await memory.WaitAsync(Patience, session.Context.Time, session.Cancel)) return false;
                var from = next;
                var found = Read(batch, ref next);
                missing |= found.Count < next - from;
                madeSeen.Clear();
                if (items.SetsSeen && mailbox.Can(Rights.Seen)) await MarkSeenAsync(found);
                using var ahead = ReadingAheadOf(found);
                for (var i = 0; i < found.Count; i++)
                {
                    ahead?.Reach(i);
                    await WriteAsync(found[i].Index, found[i].Row, found[i].Content);
                    if (writer.IsFull) await writer.FlushAsync(session.Cancel);
                }
                alone = ahead is { IsLate: true } ? Alone : Math.Max(0, alone - 1);
            }
            return true;
        }

        ReadingAhead? ReadingAheadOf(List<(int Index, MessageRow Row, MessageContent? Content)> found) =>
            found.Count > 3 && alone == 0 && items.Sections.Count > 0 && ReadingAhead.IsWorthwhile && session.Context.Memory is not { IsTight: true }
                ? new ReadingAhead(found.ConvertAll(one => one.Content is { } content && NeedsBody(content) ? content : null), !items.Sections.TrueForAll(section => section.IsHeader)) : null;

        bool NeedsBody(MessageContent content) => (parts & ContentParts.Body) != 0 || content.Fields is null;

        // as many from the next on as may be in memory at once
        List<(int Index, MessageRow Row, MessageContent? Content)> Read(List<int> batch, ref int next)
        {
            var found = new List<(int, MessageRow, MessageContent?)>(batch.Count - next);
            ids.Clear();
            using var reader = session.Mail.Read();
            for (var left = BytesAtOnce; next < batch.Count && left > 0;)
            {
                var run = next;
                while (run + 1 < batch.Count && batch[run + 1] == batch[run] + 1) run++;
                // a run of indexes is a run of UIDs in the store too: what it has besides is newer than our view
                var (from, to) = (mailbox.Uid(batch[next]), mailbox.Uid(batch[run]));
                next = run + 1;
                if (items.NeedsContent)
                {
                    foreach (var (row, content) in reader.Contents(mailbox.Id, from, to, parts, ref left, mailbox.Reader))
                    {
                        to = row.Uid;
                        Take(row, content is not null && parts.HasFlag(ContentParts.Fields) && content.Fields is null ? reader.Content(mailbox.Id, row) : content);
                    }
                    // it may have stopped before the end
                    while (left <= 0 && mailbox.Uid(batch[next - 1]) > to) next--;
                }
                else
                    foreach (var row in reader.Messages(mailbox.Id, from, to, mailbox.Reader)) Take(row, null);
                if ((items.Data & FetchData.Ids) != 0)
                    foreach (var one in reader.Ids(mailbox.Id, from, to)) ids[one.Uid] = one;
            }
            return found;

            void Take(in MessageRow row, MessageContent? content) // null with its row there: lost
            {
                if (mailbox.IndexOf(row.Uid) is var index and >= 0) found.Add((index, row, content));
            }
        }

        // RFC 9051 6.4.5: BODY[...] sets \Seen, and the answer says so
        async ValueTask MarkSeenAsync(List<(int Index, MessageRow Row, MessageContent? Content)> found)
        {
            var uids = found.Where(f => (f.Row.Flags & MessageFlags.Seen) == 0).Select(f => f.Row.Uid).ToList();
            if (uids.Count == 0) return;
            Result<StoreResult> stored;
            try
            {
                stored = await session.Mail.StoreAsync(mailbox.Id, uids, new FlagChange(FlagMode.Add, MessageFlags.Seen, []), null, session.Cancel, mailbox.Reader);
            }
            catch (Exception e) when (StoreTrouble.Of(e) is not null)
            {
                return; // a disk that takes nothing can still be read
            }
            if (!stored.Ok) return;
            foreach (var row in stored.Value.Changed)
            {
                var index = mailbox.IndexOf(row.Uid);
                if (index < 0) continue;
                mailbox.Learn(index, row, tell: false);
                madeSeen.Add(index);
            }
        }

        async ValueTask WriteAsync(int index, MessageRow row, MessageContent? content)
        {
            var data = items.Data;
            // RFC 7162 3.2.4, RFC 9051 appendix E 21: what was not asked for names its message and its place in time
            if (madeSeen.Contains(index))
                data |= FetchData.Flags | (session.CondStore ? FetchData.ModSeq : 0) | (writer.Dialect is { NamesUid: true, UidOnly: false } ? FetchData.Uid : 0);
            if (content is not null && items.Sections.Count > 0 && NeedsBody(content)) content.Open();
            try { await WriteAsync(index, row, content, data); }
            finally { content?.Close(); }
        }

        async ValueTask WriteAsync(int index, MessageRow row, MessageContent? content, FetchData data)
        {
            var whole = items.NeedsContent ? IsWhole(row.Uid, content) : true;
            if (content is null) data &= ~FetchData.OfContent;
            if (data == FetchData.None && (!whole || !CanDecodeAny(content!))) return;
            mailbox.TellKeywords(writer);
            writer.Advance(mailbox.FormatHead(writer.Reserve(SelectedMailbox.HeadLength), index, writer.Dialect));
            WriteMetadata(index, row, content, data);
            var first = data == FetchData.None;
            foreach (var section in whole ? items.Sections : [])
            {
                if (section.Form != SectionForm.Stored && !FetchBinary.CanDecode(content!, section))
                {
                    unknownEncoding = true;
                    continue;
                }
                if (!first) writer.Space();
                first = false;
                await FetchBody.WriteAsync(session, content!, section);
            }
            writer.Write(")\r\n"u8);
        }

        // an answer has one item at least
        bool CanDecodeAny(MessageContent content)
        {
            if (items.Sections.Exists(section => section.Form == SectionForm.Stored || FetchBinary.CanDecode(content, section))) return true;
            unknownEncoding = true;
            return false;
        }

        bool IsWhole(uint uid, MessageContent? content)
        {
            try
            {
                if (content is null) throw new DamageError("The row of the body is gone; run 'cbamail verify'.");
                foreach (var section in items.Sections) FetchBody.Check(content, section);
                return true;
            }
            catch (DamageError error)
            {
                ImapTelemetry.Damaged(session.Log, session.Connection.Id, session.Account.Address.ToString(), mailbox.Id, uid, error.Message);
                damaged.Add(uid);
                return false;
            }
        }

        void WriteMetadata(int index, in MessageRow row, MessageContent? content, FetchData data)
        {
            var first = true;
            for (var left = data; left != FetchData.None;)
            {
                var item = (FetchData)((int)left & -(int)left);
                left &= ~item;
                if (!first) writer.Space();
                WriteItem(item, index, row, content);
                first = false;
            }
        }

        void WriteItem(FetchData item, int index, in MessageRow row, MessageContent? content)
        {
            switch (item)
            {
                case FetchData.Uid: writer.Write("UID "u8).Write(row.Uid); break;
                case FetchData.Flags: writer.Advance(mailbox.FormatFlags(writer.Reserve(mailbox.FlagsLength(index)), index)); break;
                case FetchData.ModSeq: writer.Advance(mailbox.FormatModSeq(writer.Reserve(64), index)); break;
                case FetchData.InternalDate: Date("INTERNALDATE "u8, row.Received); break;
                case FetchData.SaveDate: Date("SAVEDATE "u8, row.Saved); break;
                case FetchData.Size: writer.Write("RFC822.SIZE "u8).Write(row.Size); break;
                case FetchData.EmailId: writer.Write("EMAILID ("u8).Write(ids[row.Uid].EmailId).Write(")"u8); break;
                case FetchData.ThreadId:
                    if (ids[row.Uid].ThreadId is { } thread) writer.Write("THREADID ("u8).Write(thread).Write(")"u8);
                    else writer.Write("THREADID NIL"u8);
                    break;
                case FetchData.Envelope: writer.Write("ENVELOPE "u8).Write(EnvelopeOf(content!)); break;
                case FetchData.Preview: writer.Write("PREVIEW "u8).String(content!.Preview); break;
                case FetchData.Body: Structure("BODY "u8, content!, extended: false); break;
                case FetchData.BodyStructure: Structure("BODYSTRUCTURE "u8, content!, extended: true); break;
                default: throw new InvalidOperationException(item.ToString());
            }
        }

        // what is kept is ASCII; who takes UTF-8 is told what stands in the header (RFC 6855 3)
        ReadOnlySpan<byte> EnvelopeOf(MessageContent content)
        {
            var kept = content.Envelope.Span;
            return items.Utf8 && content.Fields is { } fields && kept.IndexOf("=?utf-8?"u8) >= 0 ? ImapStructure.Envelope(fields.Span, utf8: true) : kept;
        }

        void Date(ReadOnlySpan<byte> name, DateTimeOffset time)
        {
            writer.Write(name);
            writer.Advance(ImapDate.Write(writer.Reserve(32), time));
        }

        void Structure(ReadOnlySpan<byte> name, MessageContent content, bool extended)
        {
            writer.Write(name);
            ImapStructure.Write(writer.Output, content.Structure, extended);
        }
    }
}
