using System.Buffers;
using System.Text;

namespace CbaMail.Envelope;

/// <summary>A reply of SMTP or LMTP (RFC 5321 4.2): code, enhanced status or nothing (RFC 2034), text of one or more lines.</summary>
/// <param name="Code">Three digits.</param>
/// <param name="Status">For example <c>2.1.0</c>; empty where the code's class has none (RFC 2034 4).</param>
/// <param name="Text">Lines are separated by LF.</param>
public readonly record struct Reply(int Code, string Status, string Text)
{
    /// <summary>Longest line, CRLF included (RFC 5321 4.5.3.1.5).</summary>
    public const int MaxLine = 512;

    /// <summary>The refusal's form in SMTP.</summary>
    public static Reply Of(Refusal refusal) => new(refusal.SmtpCode, refusal.Status, refusal.Sentence);

    /// <summary>Whether the command was taken.</summary>
    public bool IsPositive => Code < 400;

    /// <summary>Writes all lines; each repeats code and status (RFC 2034 4). Overlong lines are cut; controls become "?".</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        foreach (var range in Text.AsSpan().Split('\n'))
        {
            var line = Text.AsSpan()[range];
            var last = range.End.GetOffset(Text.Length) == Text.Length;
            var most = MaxLine - 12;
            if (line.Length > most) line = line[..most];
            var span = output.GetSpan(line.Length * 3 + 20);
            span[0] = (byte)('0' + Code / 100);
            span[1] = (byte)('0' + Code / 10 % 10);
            span[2] = (byte)('0' + Code % 10);
            span[3] = last ? (byte)' ' : (byte)'-';
            var at = 4;
            if (Status.Length > 0)
            {
                at += Encoding.ASCII.GetBytes(Status, span[at..]);
                span[at++] = (byte)' ';
            }
            var written = Encoding.UTF8.GetBytes(line, span[at..]);
            for (var i = at; i < at + written; i++)
                if (span[i] < ' ' || span[i] == 0x7f) span[i] = (byte)'?';
            at += written;
            span[at++] = (byte)'\r';
            span[at++] = (byte)'\n';
            output.Advance(at);
        }
    }

    /// <summary>On one line, for logs.</summary>
    public override string ToString() => Status.Length > 0 ? $"{Code} {Status} {Text}" : $"{Code} {Text}";
}
