using System.Text;

namespace CbaMail.Imap.Commands;

/// <summary>ID (RFC 2971): who the client is goes into the log; who we are, without a version that attackers could use, into the answer.</summary>
internal static class IdCommand
{
    // RFC 2971 3.3
    const int MaxFields = 30, MaxKey = 30, MaxValue = 1024;

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        var client = new StringBuilder();
        arguments.Space();
        if (!arguments.TakeOpen())
        {
            if (arguments.Keyword() != "NIL") arguments.Fail("a list or NIL");
        }
        else if (!arguments.TakeClose())
        {
            var fields = 0;
            do
            {
                var named = arguments.IsString;
                var key = arguments.Astring();
                if (!named && key.Equals("NIL", StringComparison.OrdinalIgnoreCase)) arguments.Fail("the name of a field"); // RFC 2971 4
                arguments.Space();
                var value = arguments.Nstring();
                if (++fields > MaxFields || Octets(key) > MaxKey || Octets(value) > MaxValue) arguments.Refuse("The ID is too long");
                if (value is not null && key.ToUpperInvariant() is "NAME" or "VERSION" or "OS" or "VENDOR" && client.Length < 200) client.Append(client.Length == 0 ? "" : " ").Append(value);
            }
            while (!arguments.Failed && arguments.Take((byte)' '));
            arguments.Close();
        }
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments.Error!));
        if (client.Length > 0) ImapTelemetry.ClientNamed(session.Log, session.Connection.Id, Printable(client));
        session.Writer.Write("* ID (\"name\" \"CBA Mail\" \"vendor\" \"CBA Mail\")\r\n"u8);
        return new(Outcome.Done);
    }

    static int Octets(string? text) => text is null ? 0 : Encoding.UTF8.GetByteCount(text);

    static string Printable(StringBuilder text)
    {
        for (var i = 0; i < text.Length; i++)
            if (char.IsControl(text[i])) text[i] = '?';
        return text.ToString(0, Math.Min(200, text.Length));
    }
}
