using System.Collections.Concurrent;
using System.Text;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Queue;

namespace CbaMail.Delivery.Remote;

/// <summary>
/// The fields that are put on top of a message as it leaves: signatures of the author's domain for our own mail (RFC 6376), the next set of
/// the ARC chain for what is passed on (RFC 8617). They are made when the message is accepted (<see cref="OwnSignatures"/>) or on the way out,
/// and not stored: a key that is changed meanwhile signs the next attempt. Of the body only its hash is kept, and the fields of the last
/// messages, for those that go to several servers.
/// </summary>
sealed class OutgoingSignatures(SigningKeys keys, OwnSignatures own, IResolver resolver, Settings settings, TimeProvider time, ILogger log)
{
    const int Kept = 256;
    const int Piece = 64 * 1024;

    readonly ConcurrentDictionary<long, (byte[] Fields, DateTimeOffset Made)> made = new();
    readonly DkimKeys arcKeys = new(resolver);

    /// <summary>Whole fields, or nothing, and behind them those of the entry itself. A message that cannot be signed leaves unsigned, and the log says why.</summary>
    public async ValueTask<byte[]> FieldsAsync(QueuedMessage message, MessageContent content, CancellationToken cancel)
    {
        var fields = await MadeAsync(message, content, cancel);
        return message.Top is { } top ? [.. fields, .. top] : fields;
    }

    async ValueTask<byte[]> MadeAsync(QueuedMessage message, MessageContent content, CancellationToken cancel)
    {
        if (!settings.Dkim.Sign || (!message.Forwarded && !IsOurs(message))) return [];
        var now = time.GetUtcNow();
        if (made.TryGetValue(message.Id, out var known) && now - known.Made < OwnSignatures.Fresh) return known.Fields;
        byte[] fields;
        try
        {
            fields = message.Forwarded ? await SealAsync(message, content, now, cancel) : own.Take(message.Id) ?? Sign(message, content, now);
        }
        catch (Exception error) when (error is System.Security.Cryptography.CryptographicException or FormatException)
        {
            RemoteTelemetry.NotSigned(log, error, message.Id);
            return [];
        }
        if (made.Count >= Kept) made.Clear();
        made[message.Id] = (fields, now);
        return fields;
    }

    // somebody signed in, a mailing, or a notice of our own; a stranger's mail that an alias passes on is not in our name, whatever its From says
    static bool IsOurs(QueuedMessage message) => message.Account is not null || message.Mailing is not null || message.Sealer is not null || message.Arrival.Length == 0;

    byte[] Sign(QueuedMessage message, MessageContent content, DateTimeOffset now)
    {
        var (start, header) = Start(content);
        if (own.SignerOf(header.Span) is not { } signer) return [];
        using var body = new BodyHash(Canonicalization.Relaxed);
        Feed(content, start, header.Length, body.Append);
        return signer.Sign(Whole(message, header), body.Finish(), now);
    }

    /// <summary>The seal is of the domain that passes the message on: where a notice is passed on, its reverse-path does not tell which.</summary>
    async ValueTask<byte[]> SealAsync(QueuedMessage message, MessageContent content, DateTimeOffset now, CancellationToken cancel)
    {
        if ((message.Sealer ?? message.ReversePath?.DomainKey) is not { } domain || keys.Active(domain) is not { Count: > 0 } active) return [];
        var key = active.FirstOrDefault(one => one.Algorithm == DkimAlgorithm.RsaSha256) ?? active[0]; // which every verifier knows
        var (start, header) = Start(content);
        var whole = Whole(message, header);
        using var signed = new SignedMessage(whole);
        using var body = new BodyHash(Canonicalization.Relaxed);
        Feed(content, start, header.Length, piece =>
        {
            signed.Append(piece);
            body.Append(piece);
        });
        var chain = await new ArcVerifier(arcKeys).VerifyAsync(signed, now, cancel);
        var authservId = settings.Authentication.AuthservId is { Length: > 0 } id ? id : settings.Hostname;
        var set = new ArcSealer(authservId, new SigningIdentity(domain, key.Selector, key.Key)).Seal(whole, body.Finish(), chain, now);
        return Encoding.UTF8.GetBytes(string.Concat(set));
    }

    static ReadOnlyMemory<byte> Whole(QueuedMessage message, ReadOnlyMemory<byte> header) => message.Top is { } top ? (byte[])[.. top, .. header.Span] : header;

    /// <summary>The beginning, which of most messages is all, and of it the header with the empty line that ends it.</summary>
    static (byte[] Start, ReadOnlyMemory<byte> Header) Start(MessageContent content)
    {
        for (var length = Piece; ; length *= 4)
        {
            var start = content.Read(0, length);
            var reader = new HeaderReader(start, 0, top: true);
            while (reader.Next(out _)) { }
            if (reader.Position < start.Length || start.Length < length || length > HeaderReader.MaxBytes) return (start, start.AsMemory(0, reader.Position));
        }
    }

    delegate void Take(ReadOnlySpan<byte> piece);

    /// <param name="start">What was read already.</param>
    static void Feed(MessageContent content, byte[] start, int from, Take take)
    {
        take(start.AsSpan(from));
        for (long at = start.Length; at < content.Size;)
        {
            var piece = content.Read(at, Piece);
            if (piece.Length == 0) break;
            take(piece);
            at += piece.Length;
        }
    }
}
