using System.Text;

namespace CbaMail.Net;

/// <summary>The wire in the log, at level Trace, a line an event; what a caller masks is never written.</summary>
public sealed class Transcript(ILogger log, string id)
{
    public bool IsOn => log.IsEnabled(LogLevel.Trace);

    public void Received(ReadOnlySpan<byte> line)
    {
        if (IsOn) NetTelemetry.Wire(log, id, 'C', Printable(line));
    }

    /// <summary>A line of which only the first <paramref name="shown"/> bytes may be seen.</summary>
    public void ReceivedSecret(ReadOnlySpan<byte> line, int shown)
    {
        if (IsOn) NetTelemetry.Wire(log, id, 'C', Printable(line[..Math.Min(shown, line.Length)]) + " ***");
    }

    public void Sent(string line)
    {
        if (IsOn) NetTelemetry.Wire(log, id, 'S', Printable(Encoding.UTF8.GetBytes(line)));
    }

    // log injection: nothing that a terminal or a reader of lines would act upon
    static string Printable(ReadOnlySpan<byte> line)
    {
        var text = Encoding.UTF8.GetString(line[..Math.Min(line.Length, 2048)]);
        if (!text.AsSpan().ContainsAnyInRange('\0', '\x1f')) return text;
        var clean = new StringBuilder(text.Length + 8);
        foreach (var c in text) clean.Append(c < ' ' ? '\xb7' : c);
        return clean.ToString();
    }
}
