using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using CbaMail.Net;
using Microsoft.AspNetCore.Connections;

namespace CbaMail.Imap;

/// <summary>
/// Response bytes, straight into the connection's pipe. Nothing is sent before <see cref="FlushAsync"/>:
/// the session flushes when it has no further command to do, and long answers flush as they go.
/// </summary>
internal sealed class ImapWriter(Connection connection, TimeProvider time, TimeSpan patience, Dialect dialect)
{
    /// <summary>How much waits before a long answer flushes; bounds the memory of a connection.</summary>
    const int FlushAt = 48 * 1024;
    /// <summary>Ranges of one VANISHED: a reader of lines is not to choke.</summary>
    public const int RangesALine = 500;

    PipeWriter output = connection.Output;

    public PipeWriter Output => output;
    public Dialect Dialect => dialect;

    /// <summary>Whether a literal has been announced and not been written in full: the connection cannot go on after a failure here.</summary>
    public bool InLiteral { get; set; }

    /// <summary>Takes the connection's new output, after STARTTLS.</summary>
    public void Attach() => output = connection.Output;

    public Span<byte> Reserve(int size) => output.GetSpan(size);

    public void Advance(int count) => output.Advance(count);

    public bool IsFull => output.UnflushedBytes >= FlushAt;

    /// <summary>A flush has not come to its end: nobody knows where what is written now would stand.</summary>
    public bool IsFlushing { get; private set; }

    /// <exception cref="ConnectionAbortedException">The peer has gone, or has not read for too long.</exception>
    public async ValueTask FlushAsync(CancellationToken cancel)
    {
        IsFlushing = true;
        var flush = output.FlushAsync(cancel);
        if (flush.IsCompleted) Check(await flush);
        else await WaitAsync(flush.AsTask(), cancel);
        IsFlushing = false;
    }

    /// <summary>Cancelled when a body of this size has taken longer than any line that can be called one (10 KB/s).</summary>
    public CancellationTokenSource Limit(long size) => new(patience + TimeSpan.FromSeconds(size / 10_000), time);

    /// <summary>What a flush past this writer has come to.</summary>
    /// <exception cref="ConnectionAbortedException">The peer has gone.</exception>
    public static void Check(FlushResult result)
    {
        if (result.IsCompleted) throw new ConnectionAbortedException("the peer has gone");
    }

    /// <summary>A peer that reads nothing is not waited for without end.</summary>
    async ValueTask WaitAsync(Task<FlushResult> flush, CancellationToken cancel)
    {
        try
        {
            Check(await flush.WaitAsync(patience, time, cancel));
        }
        catch (TimeoutException e)
        {
            connection.Abort();
            throw new ConnectionAbortedException("the peer does not read", e);
        }
    }

    public ImapWriter Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var span = output.GetSpan(Math.Min(bytes.Length, FlushAt));
            var count = Math.Min(span.Length, bytes.Length);
            bytes[..count].CopyTo(span);
            Advance(count);
            bytes = bytes[count..];
        }
        return this;
    }

    /// <summary>ASCII text of our own making.</summary>
    public ImapWriter Write(string text)
    {
        if (text.Length <= 4096)
        {
            var span = output.GetSpan(text.Length * 3);
            Advance(Encoding.UTF8.GetBytes(text, span));
            return this;
        }
        return Write(Encoding.UTF8.GetBytes(text));
    }

    public ImapWriter Write(long number)
    {
        var span = output.GetSpan(20);
        Utf8Formatter.TryFormat(number, span, out var count);
        Advance(count);
        return this;
    }

    public ImapWriter Space() => Write(" "u8);
    public ImapWriter EndLine() => Write("\r\n"u8);

    /// <summary>A string: quoted where it can be, else as a literal (RFC 9051 4.3).</summary>
    public ImapWriter String(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 1024 || bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? Literal(bytes) : Quoted(bytes);

    ImapWriter Quoted(ReadOnlySpan<byte> bytes)
    {
        Write("\""u8);
        foreach (var b in bytes)
        {
            var span = output.GetSpan(2);
            var escape = b is (byte)'"' or (byte)'\\';
            if (escape) span[0] = (byte)'\\';
            span[escape ? 1 : 0] = b;
            Advance(escape ? 2 : 1);
        }
        return Write("\""u8);
    }

    /// <summary>ASCII text as a quoted string.</summary>
    public ImapWriter Quoted(string text) => String(Encoding.ASCII.GetBytes(text));

    public ImapWriter String(string? text) => text is null ? Write("NIL"u8) : String(Encoding.UTF8.GetBytes(text));

    public ImapWriter Literal(ReadOnlySpan<byte> bytes) => Write("{"u8).Write(bytes.Length).Write("}\r\n"u8).Write(bytes);

    /// <summary>A mailbox name: in modified UTF-7 (RFC 3501 5.1.3), or in UTF-8 for who has said so (RFC 9051 5.1).</summary>
    public ImapWriter Mailbox(string name)
    {
        if (dialect.Utf8 && !Ascii.IsValid(name)) return Quoted(Encoding.UTF8.GetBytes(name));
        var encoded = dialect.Utf8 ? name : MailboxName.Encode(name);
        foreach (var c in encoded)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('/' or '.' or '-' or '_' or '&' or '+' or ',')) return String(Encoding.UTF8.GetBytes(encoded));
        return encoded.Length == 0 || encoded.Equals("NIL", StringComparison.OrdinalIgnoreCase) ? String(Encoding.ASCII.GetBytes(encoded)) : Write(encoded);
    }

    /// <summary>The untagged OK with a response code.</summary>
    public ImapWriter Ok(string code, string text) => Write("* OK ["u8).Write(code).Write("] "u8).Write(ImapPhrases.In(dialect.Language, text)).EndLine();

    /// <summary>Rising ranges as a sequence set, as many as a line has from the given one on.</summary>
    public ImapWriter Ranges(List<(uint From, uint To)> ranges, int at = 0)
    {
        var end = Math.Min(ranges.Count, at + RangesALine);
        for (var i = at; i < end; i++)
        {
            if (i > at) Write(","u8);
            Write(ranges[i].From);
            if (ranges[i].To > ranges[i].From) Write(":"u8).Write(ranges[i].To);
        }
        return this;
    }

    /// <summary>Rising numbers as a sequence set, runs folded: 1:3,5.</summary>
    public static string Set(IReadOnlyList<uint> numbers)
    {
        var text = new StringBuilder();
        for (var i = 0; i < numbers.Count;)
        {
            var last = i;
            while (last + 1 < numbers.Count && numbers[last + 1] == numbers[last] + 1) last++;
            if (text.Length > 0) text.Append(',');
            text.Append(numbers[i]);
            if (last > i) text.Append(':').Append(numbers[last]);
            i = last + 1;
        }
        return text.ToString();
    }
}
