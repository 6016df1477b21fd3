using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Smtp.Server;

/// <summary>
/// Takes the text of a message into the spool, counting. After the first thing that makes the message unacceptable it takes
/// no more, but lets itself be written to: the client's octets must be read to their end all the same.
/// </summary>
sealed class MessageSink(SpooledMessage spool, long limit) : IDisposable
{
    /// <summary>A CR or LF stands alone: two servers may not agree where this message ends.</summary>
    public static readonly Refusal BareLineEnd = new(550, "5.6.0", "CLIENTBUG", 400, "A CR or LF stands alone in the message; lines must end with CRLF");

    long before = -1;
    bool afterCr;

    /// <summary>Why the message cannot be accepted, or null.</summary>
    public Refusal? Refusal { get; private set; }

    /// <summary>Octets of the client's own, dropped ones included.</summary>
    public long Received { get; private set; }

    /// <summary>Some CR or LF stood alone: in order for BINARYMIME only.</summary>
    public bool HasBareLineEnd { get; private set; }

    public ReadOnlyMemory<byte> Content => spool.Content;

    /// <summary>Puts our own fields on top; they do not count.</summary>
    public void Begin(ReadOnlySpan<byte> fields)
    {
        Append(fields);
        before = spool.Length;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Received += bytes.Length;
        if (Refusal is not null) return;
        if (spool.Length - before + bytes.Length > limit) Fail(Envelope.Refusal.TooLarge);
        else Append(bytes);
    }

    /// <summary>As <see cref="Write"/>, and looks for CR and LF on their own, over the borders of chunks.</summary>
    public void WriteChecked(ReadOnlySpan<byte> bytes)
    {
        if (!HasBareLineEnd && !bytes.IsEmpty) CheckLineEnds(bytes);
        Write(bytes);
    }

    void CheckLineEnds(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (true)
        {
            if (afterCr)
            {
                if (at >= bytes.Length) return;
                if (bytes[at] != '\n') break;
                afterCr = false;
                at++;
            }
            var next = bytes[at..].IndexOfAny((byte)'\r', (byte)'\n');
            if (next < 0) return;
            at += next + 1;
            if (bytes[at - 1] == '\n') break;
            afterCr = true;
        }
        HasBareLineEnd = true;
    }

    /// <summary>At the end of the text: a last CR is alone too.</summary>
    public void End() => HasBareLineEnd |= afterCr;

    public void Fail(Refusal refusal) => Refusal ??= refusal;

    public void MarkBareLineEnd() => HasBareLineEnd = true;

    void Append(ReadOnlySpan<byte> bytes)
    {
        try { spool.Append(bytes); }
        catch (Exception e) when (StoreTrouble.Of(e) is { } trouble) { Fail(trouble); }
    }

    public void Dispose() => spool.Dispose();
}
