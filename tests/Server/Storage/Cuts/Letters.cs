using System.Text;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Messages by number: the same number is always the same message.</summary>
static class Letters
{
    const string Line = "The quick brown fox jumps over the lazy dog; ";

    /// <summary>Number 7k + r: r of 0..3 small, 4 with a shared attachment of some KB, 5 like its neighbours (a mailing's copy), 6 now and then large.</summary>
    public static byte[] Bytes(int number)
    {
        var random = new Random(number);
        var text = new StringBuilder();
        text.Append($"From: a{number}@example.test\r\nTo: b@example.test\r\nSubject: number {number}\r\nMessage-ID: <{number}@example.test>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n");
        switch (number % 7)
        {
            case <= 3:
                text.Append("\r\n");
                for (var i = random.Next(40); i >= 0; i--) text.Append($"{random.Next()} {random.NextInt64()} {random.NextInt64()}\r\n");
                break;
            case 4:
                Attach(text, number, 4500 + 200 * (number % 5), number / 7 % 5);
                break;
            case 5:
                text.Append($"\r\nDear {number},\r\n");
                for (var i = 0; i < 60; i++) text.Append(Line).Append(i).Append("\r\n");
                break;
            default:
                var size = number % 3 == 0 ? 90_000 : 20_000;
                if (number % 41 == 0) size = 300_000;
                Attach(text, number, size, number);
                break;
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    static void Attach(StringBuilder text, int number, int size, int which)
    {
        var bytes = new byte[size];
        new Random(which).NextBytes(bytes);
        text.Append($"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nletter {number}\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        text.Append(Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks)).Append("\r\n--b--\r\n");
    }
}
