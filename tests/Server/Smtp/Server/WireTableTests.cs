using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Net;
using CbaMail.Smtp.Server;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Server;

/// <summary>
/// One table of octets on the wire and of what comes of them: the codes of all replies, and the texts that were taken. Every row is played whole,
/// octet by octet, and cut in two at every place: where the packets end must never matter. \r \n \0 and \xHH stand for their octets.
/// </summary>
public sealed class WireTableTests(PostOffice office) : IClassFixture<PostOffice>
{
    const string Hello = @"EHLO c.test\r\n";
    const string Mail = Hello + @"MAIL FROM:<a@b.test>\r\n";
    const string Ready = Mail + @"RCPT TO:<ivan@example.test>\r\n";
    const string Data = Ready + @"DATA\r\n";
    const string Smuggled = @"MAIL FROM:<evil@b.test>\r\nRCPT TO:<ivan@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx";
    const string End = @"\r\n.\r\nQUIT\r\n";

    sealed record Played(string Codes, string Replies, string Texts);

    /// <summary>A stream that gives its octets in the pieces they were cut into.</summary>
    sealed class Pieces(IEnumerable<ReadOnlyMemory<byte>> pieces) : Stream
    {
        readonly Queue<ReadOnlyMemory<byte>> left = new(pieces.Where(piece => !piece.IsEmpty));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!left.TryPeek(out var piece)) return ValueTask.FromResult(0);
            var count = Math.Min(piece.Length, buffer.Length);
            piece[..count].CopyTo(buffer);
            left.Dequeue();
            if (count < piece.Length)
            {
                var rest = left.ToArray();
                left.Clear();
                left.Enqueue(piece[count..]);
                foreach (var next in rest) left.Enqueue(next);
            }
            return ValueTask.FromResult(count);
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    sealed record Wire(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    static byte[] Octets(string text) => Encoding.Latin1.GetBytes(Regex.Replace(text, @"\\(r|n|0|x[0-9a-f]{2})", match => match.Value[1] switch
    {
        'r' => "\r",
        'n' => "\n",
        '0' => "\0",
        _ => ((char)Convert.ToInt32(match.Value[2..], 16)).ToString(),
    }));

    async Task<Played> PlayAsync(IEnumerable<ReadOnlyMemory<byte>> pieces, Protocol protocol = Protocol.Smtp)
    {
        var texts = new List<string>();
        var parts = office.Parts((order, _) =>
        {
            var text = Encoding.Latin1.GetString(order.Message.Span);
            texts.Add(text[(text.IndexOf("+0000\r\n", StringComparison.Ordinal) + 7)..]); // behind our Received
            return ValueTask.FromResult<IReadOnlyList<Refusal?>>(new Refusal?[order.Recipients.Count]);
        });
        var said = new MemoryStream();
        var output = PipeWriter.Create(said, new StreamPipeWriterOptions(leaveOpen: true));
        var connection = Connection.Over(new Wire(PipeReader.Create(new Pieces(pieces)), output), new ListenerSettings { Protocol = protocol, Port = 25 }, new IPEndPoint(IPAddress.Loopback, 4000));
        await new SmtpSession(parts, connection).RunAsync();
        await output.CompleteAsync();
        var replies = Regex.Replace(Encoding.Latin1.GetString(said.ToArray()), @"[0-9a-f]{5,}-[0-9]+|\d{4}-\d\d-\d\dT[0-9:]+Z", "ID");
        var codes = string.Join(' ', replies.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Where(line => line.Length < 4 || line[3] != '-').Select(line => line[..3]));
        return new Played(codes, replies, string.Join("|", texts).Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\0", "\\0", StringComparison.Ordinal));
    }

    async Task CheckAsync(string wire, string codes, string texts, bool everywhere = true, Protocol protocol = Protocol.Smtp)
    {
        ReadOnlyMemory<byte> all = Octets(wire);
        var whole = await PlayAsync([all], protocol);
        Assert.Equal((codes, texts), (whole.Codes, whole.Texts));
        if (!everywhere) return;
        Assert.Equal(whole, await PlayAsync(Enumerable.Range(0, all.Length).Select(i => all.Slice(i, 1)), protocol));
        for (var cut = 1; cut < all.Length; cut++)
        {
            var played = await PlayAsync([all[..cut], all[cut..]], protocol);
            if (played != whole) Assert.Fail($"cut at {cut}, before \"{Encoding.Latin1.GetString(all.Span[cut..Math.Min(all.Length, cut + 20)])}\":\n{played.Replies}\ninstead of\n{whole.Replies}");
        }
    }

    // ---- smuggling: what somebody else may take for the end of the text (CVE-2023-51764, 51765, 51766)

    [Theory]
    [InlineData(@"\n.\n")]
    [InlineData(@"\n.\r\n")]
    [InlineData(@"\r\n.\n")]
    [InlineData(@"\r.\r\n")]
    [InlineData(@"\r\n.\r")]
    [InlineData(@"\r.\r")]
    [InlineData(@"\n.\r")]
    [InlineData(@"\r.\n")]
    [InlineData(@"\r\n.\r\r\n")]
    [InlineData(@"\r\r\n.\n")]
    [InlineData(@"\n\n.\n\n")]
    [InlineData(@"\r\n.\n\r\n")]
    public Task Only_a_dot_between_two_CRLF_ends_the_text_and_what_others_may_take_for_it_is_refused(string mark) =>
        CheckAsync($@"{Data}Subject: x\r\n\r\nfirst{mark}{Smuggled}{End}", "220 250 250 250 354 550 221", "");

    [Theory]
    [InlineData(@"\r\n\0.\r\n")]
    [InlineData(@"\r\n.\0\r\n")]
    [InlineData(@"\r\n .\r\n")]
    [InlineData(@"\r\n. \r\n")]
    [InlineData(@"\r\n..\r\n")]
    [InlineData(@"\r\n.x\r\n")]
    [InlineData(@"\r\n\xff.\r\n")]
    [InlineData(@"\x85.\x85")]
    public async Task A_line_that_only_resembles_the_mark_is_text(string mark)
    {
        var text = $@"Subject: x\r\n\r\nfirst{mark}{Smuggled}";
        var kept = Regex.Replace(text, @"\\r\\n\.", @"\r\n"); // RFC 5321 4.5.2: one dot is taken off
        await CheckAsync($"{Data}{text}{End}", "220 250 250 250 354 250 221", kept.Replace(@"\xff", "\xff", StringComparison.Ordinal).Replace(@"\x85", "\x85", StringComparison.Ordinal) + @"\r\n");
    }

    [Theory]
    [InlineData(@"\n.\n")]
    [InlineData(@"\n.\r\n")]
    [InlineData(@"\r.\r\n")]
    [InlineData(@"\r\n.\n")]
    public async Task In_a_chunk_the_marks_are_text_and_bare_line_ends_are_refused(string mark)
    {
        var body = $@"Subject: x\r\n\r\nfirst{mark}{Smuggled}\r\n";
        await CheckAsync($@"{Ready}BDAT {Octets(body).Length} LAST\r\n{body}QUIT\r\n", "220 250 250 250 550 221", "");
    }

    [Fact]
    public async Task In_a_chunk_even_the_right_mark_is_text()
    {
        var body = $@"Subject: x\r\n\r\nfirst\r\n.\r\n{Smuggled}\r\n.\r\n";
        await CheckAsync($@"{Ready}BDAT {Octets(body).Length} LAST\r\n{body}QUIT\r\n", "220 250 250 250 250 221", body);
    }

    // ---- chunks: lengths, order, what follows a refusal (RFC 3030 2, 4)

    [Theory]
    [InlineData(@"BDAT 4 LAST\r\n\r\n\r\nQUIT\r\n", "250 221", @"\r\n\r\n")]
    [InlineData(@"BDAT 0 LAST\r\nQUIT\r\n", "250 221", @"")]
    [InlineData(@"BDAT 0\r\nBDAT 0\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n", "250 250 250 221", @"\r\n")]
    [InlineData(@"BDAT 1\r\n\rBDAT 1\r\n\nBDAT 0 LAST\r\nQUIT\r\n", "250 250 250 221", @"\r\n")]     // CR and LF in two chunks
    [InlineData(@"BDAT 1\r\n\rBDAT 1 LAST\r\nxQUIT\r\n", "250 550 221", "")]
    [InlineData(@"BDAT 1 LAST\r\n\rQUIT\r\n", "550 221", "")]
    [InlineData(@"BDAT 2 last\r\n\r\nQUIT\r\n", "250 221", @"\r\n")]
    [InlineData(@"BDAT 0002 LAST\r\n\r\nQUIT\r\n", "250 221", @"\r\n")]
    [InlineData(@"BDAT 2 LAST\r\n\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n", "250 503 221", @"\r\n")]          // LAST twice
    [InlineData(@"BDAT 2\r\n\r\nDATA\r\nBDAT 0 LAST\r\nQUIT\r\n", "250 503 250 221", @"\r\n")]
    [InlineData(@"BDAT 2\r\n\r\nRSET\r\nBDAT 0 LAST\r\nQUIT\r\n", "250 250 503 221", "")]
    [InlineData(@"BDAT 2\r\n\r\nEHLO c.test\r\nBDAT 0 LAST\r\nQUIT\r\n", "250 250 503 221", "")]
    [InlineData(@"BDAT 2\r\n\r\nRCPT TO:<anna@example.test>\r\nBDAT 0 LAST\r\nQUIT\r\n", "250 503 250 221", @"\r\n")]
    [InlineData(@"BDAT 2\r\n\r\nMAIL FROM:<a@b.test>\r\nBDAT 0 LAST\r\nQUIT\r\n", "250 503 250 221", @"\r\n")]
    [InlineData(@"BDAT\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT \r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT LAST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT -1 LAST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT +2 LAST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT 0x2 LAST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT 2.0 LAST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT 2LAST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT 2 LAST LAST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT 2 FIRST\r\nQUIT\r\n", "501 221", "")]
    [InlineData(@"BDAT 18446744073709551618 LAST\r\nQUIT\r\n", "501 221", "")]                          // 2 in 64 bits
    [InlineData(@"BDAT 4294967298 LAST\r\n\r\nQUIT\r\n", "552", "")]                                     // 2 in 32 bits: nobody reads so much, the connection ends
    [InlineData(@"BDAT 9223372036854775807 LAST\r\n\r\nQUIT\r\n", "552", "")]
    public Task A_chunk_is_as_long_as_it_says_and_comes_in_its_turn(string wire, string codes, string text) => CheckAsync(Ready + wire, "220 250 250 250 " + codes, text);

    [Theory]
    [InlineData(@"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", "220 503 250")]
    [InlineData(@"EHLO c.test\r\nBDAT 6\r\nRSET\r\nNOOP\r\n", "220 250 503 250")]
    [InlineData(@"EHLO c.test\r\nMAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", "220 250 250 503 250")]
    [InlineData(@"EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.test>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", "220 250 250 550 554 250")]
    public Task Octets_of_a_chunk_that_is_refused_never_become_commands(string wire, string codes) => CheckAsync(wire, codes, "");

    // ---- commands: line ends, control characters, lengths, eight bits

    [Theory]
    [InlineData(@"NOOP\rMAIL FROM:<>\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"NO\0OP\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"NOOP\0\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"NOOP\x7f\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"NOOP\x08\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"NOOP\x09x\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"\xff\xfe\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"NOOP \xc3\xa9\r\nNOOP\r\n", "220 250 250")]
    [InlineData(@"NOOP \xc3\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"EHLO \xc3\xa9.test\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"\r\n\r\nNOOP\r\n", "220 500 500 250")]
    [InlineData(@"NOOP\r\r\nNOOP\r\n", "220 500 250")]
    [InlineData(@"nOoP\r\nQuIt\r\nNOOP\r\n", "220 250 221")]
    [InlineData(@"NOOP", "220")]
    [InlineData(@"NOOP\r", "220")]
    public Task A_command_is_one_line_of_text_ended_by_CRLF(string wire, string codes) => CheckAsync(wire, codes, "");

    [Theory]
    [InlineData(2048 - 5, "220 250 250")]
    [InlineData(2049 - 5, "220 500 250")]
    [InlineData(5000, "220 500 250")]
    [InlineData(70_000, "220 500 250")]
    public Task A_line_of_a_command_has_2048_octets_at_most(int length, string codes) =>
        CheckAsync($@"NOOP {new string('x', length)}\r\nNOOP\r\n", codes, "", everywhere: false);

    [Theory]
    [InlineData(998)]
    [InlineData(999)]
    [InlineData(2000)]
    [InlineData(90_000)]
    public Task A_line_of_the_text_may_be_longer_than_it_should_be(int length) =>
        CheckAsync($@"{Data}{new string('x', length)}{End}", "220 250 250 250 354 250 221", new string('x', length) + @"\r\n", everywhere: false);

    // ---- the order of things

    [Theory]
    [InlineData(@"MAIL FROM:<a@b.test>\r\nMAIL FROM:<a@b.test>\r\n", "250 503")]
    [InlineData(@"MAIL FROM:<a@b.test>\r\nRSET\r\nMAIL FROM:<a@b.test>\r\n", "250 250 250")]
    [InlineData(@"MAIL FROM:<a@b.test>\r\nHELO c.test\r\nRCPT TO:<ivan@example.test>\r\n", "250 250 503")]
    [InlineData(@"RCPT TO:<ivan@example.test>\r\nMAIL FROM:<a@b.test>\r\n", "503 250")]
    [InlineData(@"DATA\r\nSubject: x\r\n", "503 500")]
    [InlineData(@"MAIL FROM:<a@b.test>\r\nDATA\r\n", "250 503")]
    [InlineData(@"MAIL FROM:<a@b.test>\r\nRCPT TO:<nobody@example.test>\r\nDATA\r\n", "250 550 554")]
    [InlineData(@"MAIL FROM:<a@b.test>\r\nRCPT TO:<ivan@example.test>\r\nDATA x\r\n", "250 250 501")]
    [InlineData(@"MAIL FROM:<>\r\nRCPT TO:<ivan@example.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\nx\r\n.\r\n", "250 250 250 354 250")] // a bounce to two: unusual, not wrong
    [InlineData(@"MAIL FROM:<@r1.test,@r2.test:a@b.test>\r\nRCPT TO:<@r3.test:ivan@example.test>\r\n", "250 250")]                              // RFC 5321 C: routes are read and not followed
    [InlineData(@"MAIL FROM:<@r1.test,:a@b.test>\r\n", "553")]
    [InlineData(@"MAIL FROM:<@:a@b.test>\r\n", "553")]
    [InlineData(@"MAIL FROM:<<a@b.test>>\r\n", "501")]
    [InlineData(@"MAIL FROM:<a@b.test> <c@d.test>\r\n", "501")]
    [InlineData(@"MAIL FROM:<a@b.test> BODY=8BITMIME  SIZE=5\r\n", "250")]
    [InlineData(@"MAIL FROM:<a@b.test>\x09SIZE=5\r\n", "500")]
    [InlineData("MAIL FROM:<\"a\\\\b\"@b.test>\\r\\n", "250")]
    [InlineData("MAIL FROM:<\"\"@b.test>\\r\\n", "553")]
    [InlineData("MAIL FROM:<\"a@b.test>\\r\\n", "501")]
    [InlineData(@"MAIL FROM:<a..b@b.test>\r\n", "553")]
    [InlineData(@"MAIL FROM:<.a@b.test>\r\n", "553")]
    [InlineData(@"MAIL FROM:<a@-b.test>\r\n", "553")]
    [InlineData(@"MAIL FROM:<a@b.test.>\r\n", "250")]
    [InlineData(@"MAIL FROM:<a@[IPv6:::1]>\r\n", "250")]
    [InlineData(@"MAIL FROM:<a@[127.1]>\r\n", "553")]
    [InlineData(@"QUIT\r\nNOOP\r\n", "221")]
    public Task Commands_have_their_order_and_paths_their_form(string wire, string codes) => CheckAsync(Hello + wire, "220 250 " + codes, codes.Contains("354") ? @"x\r\n" : "");

    // ---- signing in

    [Theory]
    [InlineData(@"AUTH\r\n", "501")]
    [InlineData(@"AUTH CRAM-MD5\r\n", "504")]
    [InlineData(@"AUTH PLAIN =\r\n", "501")]
    [InlineData(@"AUTH PLAIN AA\r\n", "501")]
    [InlineData(@"AUTH PLAIN not base64\r\n", "501")]
    [InlineData(@"AUTH PLAIN\r\n*\r\nNOOP\r\n", "334 501 250")]
    [InlineData(@"AUTH PLAIN\r\n\r\nNOOP\r\n", "334 501 250")]
    [InlineData(@"AUTH LOGIN\r\naXZhbg==\r\n*\r\nNOOP\r\n", "334 334 501 250")]
    [InlineData(@"AUTH PLAIN AGl2YW4AeA==\r\nMAIL FROM:<ivan@example.test>\r\n", "535 530")]
    [InlineData(@"AUTH PLAIN\r\nMAIL FROM:<ivan@example.test>\r\nMAIL FROM:<ivan@example.test>\r\n", "334 501 530")]   // the first is a response, and no base64
    [InlineData(@"MAIL FROM:<ivan@example.test>\r\n", "530")]
    public Task Signing_in_takes_what_its_mechanism_says(string wire, string codes) => CheckAsync(Hello + wire, "220 250 " + codes, "", protocol: Protocol.Submission);

    // ---- LMTP: a reply a recipient (RFC 2033 4.2)

    [Theory]
    [InlineData(@"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<ivan@example.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\nx\n.\n\r\n.\r\nQUIT\r\n", "220 250 250 250 250 354 550 550 221", "")]
    [InlineData(@"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<ivan@example.test>\r\nRCPT TO:<nobody@example.test>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n", "220 250 250 250 550 354 250 221", @"x\r\n")]
    [InlineData(@"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.test>\r\nDATA\r\nQUIT\r\n", "220 250 250 550 503 221", "")]
    [InlineData(@"EHLO c\r\nHELO c\r\n", "220 500 500", "")]
    public Task Over_LMTP_each_recipient_is_answered(string wire, string codes, string text) => CheckAsync(wire, codes, text, protocol: Protocol.Lmtp);

    // ---- anything at all

    [Fact]
    public async Task Whatever_is_said_in_whatever_order_the_cuts_do_not_matter_and_nothing_goes_wrong()
    {
        // no LF alone: of a line that ends so somebody at a terminal is told at once, when it is all there is
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        string[] pieces =
        [
            @"EHLO c.test\r\n", @"HELO c.test\r\n", @"MAIL FROM:<a@b.test>\r\n", @"MAIL FROM:<> BODY=BINARYMIME\r\n", @"RCPT TO:<ivan@example.test>\r\n", @"RCPT TO:<ivan@example.test>\r\n",
            @"RCPT TO:<nobody@example.test>\r\n", @"DATA\r\n", @"\r\n.\r\n", @".\r\n", @".", @"BDAT 5\r\nabc\r\n", @"BDAT 3 LAST\r\nx\r\n", @"BDAT 2\r\n.\r", @"BDAT 0 LAST\r\n", @"BDAT x\r\n", @"RSET\r\n", @"NOOP\r\n",
            @"Subject: x\r\n", @"\r\n", @"\r", @"\0", "xyz", @"\xff", @"VRFY ivan\r\n", @"HELP\r\n", @"GET / HTTP/1.1\r\n", @"MAIL FROM:<a@b.test> SIZE=99999999\r\n", @"AUTH PLAIN\r\n", "QUI",
        ];
        for (var round = 0; round < 400; round++)
        {
            var wire = (random.Next(3) > 0 ? Ready : "") + string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => pieces[random.Next(pieces.Length)]));
            ReadOnlyMemory<byte> all = Octets(wire);
            var protocol = (Protocol)random.Next(0, 4);
            var whole = await PlayAsync([all], protocol);
            var cuts = Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.Next(all.Length + 1)).Append(0).Append(all.Length).Order().ToList();
            var cut = await PlayAsync(cuts.Zip(cuts.Skip(1), (from, to) => all[from..to]), protocol);
            if (cut != whole || whole.Replies.Contains("4.3.0", StringComparison.Ordinal)) Assert.Fail($"seed {seed}, round {round}, {protocol}: {wire}\ncut at {string.Join(", ", cuts)}:\n{cut.Replies}\nwhole:\n{whole.Replies}");
        }
    }
}
