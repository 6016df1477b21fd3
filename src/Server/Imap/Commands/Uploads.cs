using System.Buffers;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Imap.Commands;

/// <summary>
/// The messages of one APPEND or REPLACE on their way: one behind the other in the spool until all are there, so that memory does not hang on
/// how slowly they come. After the first trouble the rest is read over, for it must not become commands.
/// </summary>
internal sealed class Uploads : IDisposable
{
    const int LongBytes = 1 << 20; // to parse and compress more takes a while
    const int Many = 8; // of which another processor does its share

    readonly ImapSession session;
    readonly SpooledMessage spool;
    readonly List<Draft> drafts = [];
    readonly Access? target;
    readonly long quota, used, replaced;
    readonly bool single;
    bool binary; // NUL may stand in the literal that comes

    /// <summary>A message in the spool.</summary>
    sealed record Draft(AppendStep.Begin Head, long Start)
    {
        public long Length { get; set; }
    }

    /// <param name="replacing">The bytes that REPLACE sets free: it takes one message.</param>
    public Uploads(ImapSession session, string mailbox, long? replacing = null)
    {
        this.session = session;
        (single, replaced) = (replacing is not null, replacing ?? 0);
        spool = session.Context.Spool.Create();
        if (session.RefusingUpload(mailbox, out target) is { } refusal)
        {
            Refusal = MailboxName.WhyNot(mailbox) is { } reason ? Outcome.No(reason, "CANNOT") : refusal;
            return;
        }
        quota = session.QuotaOf(target.Mailbox.AccountId);
        if (quota <= 0) return;
        using var reader = session.Mail.Read();
        used = reader.Usage(target.Mailbox.AccountId).Bytes;
    }

    /// <summary>Why nothing can be kept, or null.</summary>
    public Outcome? Refusal { get; set; }

    public Mailbox Mailbox => target!.Mailbox;

    long Filled => drafts.Count == 0 ? 0 : spool.Length - drafts[^1].Start; // of the message that is being made

    public async ValueTask DoAsync(AppendStep step)
    {
        if (Refusal is not null) return;
        switch (step)
        {
            case AppendStep.Begin head:
                if (single && drafts.Count > 0) Refusal = Outcome.Bad("One message at a time"); // RFC 8508 4.7
                if (head.Keywords.Count > ImapFlags.MaxKeywords) Refusal = Outcome.No("These are more keywords than a message can have", "LIMIT");
                if (drafts.Count >= session.Settings.MaxAppended) Refusal = Outcome.No($"At most {session.Settings.MaxAppended} messages at a time", "LIMIT");
                drafts.Add(new Draft(head, spool.Length));
                break;
            case AppendStep.Url url: await CopyAsync(url.Text); break;
            case AppendStep.Finish: Finish(); break;
        }
    }

    /// <summary>Judges a literal by its announcement.</summary>
    public void Expect(PendingLiteral literal)
    {
        binary = literal.Binary;
        Refusal ??= literal.IsTooLongUnasked(session.Settings) ? PendingLiteral.TooLongUnasked : WhyNot(literal.Length);
    }

    /// <summary>Why so many octets more cannot be taken, or null.</summary>
    Outcome? WhyNot(long length)
    {
        if (length > session.Settings.MaxMessage - Filled) return Outcome.No(Envelope.Refusal.TooLarge); // RFC 7889 4, RFC 4469 4.2: TOOBIG
        if (spool.Length + length > Math.Max(session.Settings.MaxMessage, session.Settings.MaxAppendedBytes))
            return Outcome.No($"The messages of one command are together larger than {session.Settings.MaxAppendedBytes} bytes", "LIMIT");
        if (session.Context.Memory is { IsShort: true }) return Outcome.No(StoreTrouble.Memory);
        if (session.Mail.Store.Condition.RefusalFor(length) is { } trouble) return Outcome.No(trouble);
        var more = spool.Length + length - replaced;
        return quota > 0 && more > 0 && used + more > quota ? Outcome.No(Envelope.Refusal.OverQuota) : null;
    }

    /// <summary>Takes a piece of a literal.</summary>
    public void Append(in ReadOnlySequence<byte> piece)
    {
        foreach (var segment in piece) Append(segment.Span, binary);
    }

    void Append(ReadOnlySpan<byte> bytes, bool nulAllowed)
    {
        if (Refusal is not null) return;
        // RFC 9051 4.3.1: NUL stands in literal8 only
        if (!nulAllowed && bytes.Contains((byte)0))
        {
            Refusal = Outcome.No("The message holds NUL octets, which only a literal8 can have", "CANNOT");
            return;
        }
        try
        {
            spool.Append(bytes);
        }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble)
        {
            Refusal = Outcome.No(trouble);
        }
    }

    // RFC 4469 3: as FETCH BODY would give it; \Seen is not set
    async ValueTask CopyAsync(string url)
    {
        await new PoolHop(always: true); // what is read from the store may be long, and one line can name thousands
        var part = UrlPart.Find(session, url);
        if (part is not { } found)
        {
            Refusal = Outcome.No("There is no such message or part", "BADURL " + UrlPart.Quote(url));
            return;
        }
        Refusal = WhyNot(found.Length);
        if (Refusal is not null) return;
        try
        {
            await found.ReadToAsync(new Taker(this), session.Cancel);
        }
        catch (Storage.Blobs.DamageError)
        {
            Refusal = Outcome.No("This message is damaged on the server", "BADURL " + UrlPart.Quote(url));
        }
    }

    sealed class Taker(Uploads uploads) : IBodyTaker
    {
        public bool IsFull => false;
        public ValueTask FlushAsync(CancellationToken cancel) => default;

        public bool Take(ReadOnlySpan<byte> piece)
        {
            uploads.Append(piece, nulAllowed: true);
            return uploads.Refusal is null;
        }
    }

    /// <summary>The message is complete.</summary>
    public void Finish()
    {
        if (Refusal is not null) return;
        drafts[^1].Length = Filled;
        // RFC 9051 6.3.12: one of no length cancels the command
        if (Filled == 0) Refusal = Outcome.No("An empty message is not kept", "CANNOT");
    }

    /// <summary>All have come.</summary>
    public Outcome? Close()
    {
        if (Refusal is not null || session.Dialect.Utf8) return Refusal;
        foreach (var draft in drafts)
        {
            // RFC 6855 4; old charsets are let through: mail of thirty years is moved by APPEND
            var message = Content(draft).Span;
            var header = message[..HeaderSurrogate.LengthOf(message)];
            if (session.Settings.RefuseUtf8Headers && !System.Text.Ascii.IsValid(header) && System.Text.Unicode.Utf8.IsValid(header))
                return Outcome.No("Header fields in UTF-8 need ENABLE UTF8=ACCEPT", "CANNOT");
        }
        return null;
    }

    ReadOnlyMemory<byte> Content(Draft draft) => spool.Content.Slice((int)draft.Start, (int)draft.Length);

    public ValueTask<Result<List<Appended>>> AppendAsync() => StoreAsync(uploads => session.Mail.AppendAsync(Mailbox.Id, uploads, quota, session.Cancel, target!.Reader));

    /// <summary>Puts the message in the place of another, of the selected mailbox (RFC 8508).</summary>
    public ValueTask<Result<Appended>> ReplaceAsync(long oldMailboxId, uint uid) =>
        StoreAsync(uploads => session.Mail.ReplaceAsync(Mailbox.Id, uploads[0], quota, oldMailboxId, uid, session.Cancel, target!.Reader));

    async ValueTask<Result<T>> StoreAsync<T>(Func<List<Upload>, ValueTask<Result<T>>> commit)
    {
        if (spool.Length > LongBytes) await session.Connection.LeaveLoopAsync();
        using var turn = await session.Mail.StagingRoom.EnterAsync(spool.Length);
        var staged = new StagedMessage?[drafts.Count];
        try
        {
            await StageAsync(staged);
            if (Array.IndexOf(staged, null) >= 0) return UnknownEncoding;
            var uploads = new List<Upload>(drafts.Count);
            foreach (var (draft, message) in drafts.Zip(staged))
                uploads.Add(new Upload(message!, draft.Head.Flags & target!.Flags, target.Keywords ? draft.Head.Keywords : [], draft.Head.Received));
            return await commit(uploads);
        }
        finally
        {
            foreach (var message in staged) message?.Dispose();
        }
    }

    async ValueTask StageAsync(StagedMessage?[] staged)
    {
        var next = -1;
        var beside = drafts.Count >= Many && ReadingAhead.IsWorthwhile ? Task.Run(Work) : Task.CompletedTask;
        try { Work(); }
        finally { await beside; }

        void Work()
        {
            for (int i; (i = Interlocked.Increment(ref next)) < staged.Length;) staged[i] = Stage(Content(drafts[i]));
        }
    }

    // RFC 3516 4.4
    static readonly Refusal UnknownEncoding = Envelope.Refusal.NotPossible with { ImapCode = "UNKNOWN-CTE", Sentence = "The message holds NUL octets where no transfer encoding can be given to them" };

    StagedMessage? Stage(ReadOnlyMemory<byte> message)
    {
        if (!message.Span.Contains((byte)0)) return session.Mail.Stage(message);
        using var encoded = session.Context.Spool.Create();
        return NulEncoding.TryWrite(message.Span, new SpoolWriter(encoded)) ? session.Mail.Stage(encoded.Content) : null;
    }

    /// <summary>The spool as a buffer to write to.</summary>
    sealed class SpoolWriter(SpooledMessage spool) : IBufferWriter<byte>
    {
        byte[] buffer = new byte[8192];

        public void Advance(int count) => spool.Append(buffer.AsSpan(0, count));

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (sizeHint > buffer.Length) buffer = new byte[sizeHint];
            return buffer;
        }

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }

    public void Dispose() => spool.Dispose();
}
