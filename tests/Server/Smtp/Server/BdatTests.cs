using CbaMail.Config;
using Xunit;

namespace CbaMail.Tests.Server.Smtp.Server;

/// <summary>RFC 3030: text in chunks, and all the ways to get it wrong.</summary>
public sealed class BdatTests(PostOffice office) : IClassFixture<PostOffice>
{
    const string Begin = "S: 220 *\nC: HELO me\nS: 250 *\n";
    const string Ready = Begin + "C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\n";
    const string Binary = Begin + "C: MAIL FROM:<a@b.test> BODY=BINARYMIME\nS: 250 *\nC: RCPT TO:<ivan@example.test>\nS: 250 *\n";

    Task<List<Delivered>> Play(string script) => office.PlayAsync(Protocol.Smtp, script);

    [Theory]
    [InlineData("C| BDAT 8 LAST\\r\\nA: b\\r\\n\\r\\n\nS: 250 2.0.0 Accepted*")]
    [InlineData("C| BDAT 3\\r\\nA: BDAT 5 last\\r\\nb\\r\\n\\r\\n\nS: 250 2.0.0 3 octets*\nS: 250 2.0.0 Accepted*")]
    [InlineData("C| BDAT 8\\r\\nA: b\\r\\n\\r\\nBDAT 0 LAST\\r\\n\nS: 250 2.0.0 8 octets*\nS: 250 2.0.0 Accepted*")]
    [InlineData("C| BDAT 0\\r\\nBDAT 5\\r\\nA: b\\rBDAT 3 LAST\\r\\n\\n\\r\\n\nS: 250 2.0.0 0 octets*\nS: 250 2.0.0 5 octets*\nS: 250 2.0.0 Accepted*")]
    public async Task Chunks_make_one_message(string chunks)
    {
        var orders = await Play(Ready + chunks);
        Assert.EndsWith("+0000\r\nA: b\r\n\r\n", Assert.Single(orders).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dots_are_nothing_special()
    {
        var orders = await Play(Ready + "C| BDAT 9 LAST\\r\\n\\r\\n.\\r\\n..\\r\\n\nS: 250 *");
        Assert.EndsWith("\r\n\r\n.\r\n..\r\n", Assert.Single(orders).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("C| BDAT 6\\r\\nQUIT\\r\\n\nS: 503 5.5.1 *\nC: NOOP\nS: 250 2.0.0 Still*")]
    [InlineData("C: HELO me\nS: 250 *\nC| BDAT 6\\r\\nQUIT\\r\\n\nS: 503 5.5.1 *\nC: NOOP\nS: 250 2.0.0 Still*")]
    [InlineData("C: HELO me\nS: 250 *\nC: MAIL FROM:<>\nS: 250 *\nC| BDAT 6 LAST\\r\\nQUIT\\r\\n\nS: 503 5.5.1 *\nC: NOOP\nS: 250 2.0.0 Still*")]
    [InlineData("C: HELO me\nS: 250 *\nC: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<nobody@example.test>\nS: 550 *\nC| BDAT 6 LAST\\r\\nQUIT\\r\\n\nS: 554 5.5.1 *\nC: NOOP\nS: 250 2.0.0 Still*")]
    public async Task A_chunk_out_of_order_is_read_over(string script) => Assert.Empty(await Play("S: 220 *\n" + script));

    [Theory]
    [InlineData("BDAT")]
    [InlineData("BDAT x")]
    [InlineData("BDAT -1")]
    [InlineData("BDAT 1 FIRST")]
    [InlineData("BDAT 99999999999999999999")]
    public Task A_chunk_without_a_length_is_an_error(string command) => Play($"{Ready}C: {command}\nS: 501 5.5.4 *\nC: NOOP\nS: 250 *");

    [Fact]
    public Task After_a_chunk_come_chunks_alone() => Play($"""
        {Ready}
        C| BDAT 2\r\nA:
        S: 250 *
        C: DATA
        S: 503 5.5.1 *
        C: RCPT TO:<anna@example.test>
        S: 503 5.5.1 *
        C: MAIL FROM:<>
        S: 503 5.5.1 *
        C: RSET
        S: 250 *
        C| BDAT 2 LAST\r\nA:
        S: 503 5.5.1 *
        """);

    [Fact]
    public Task Too_much_fails_the_transaction() => Play($"""
        {Ready}
        C: BDAT 100001
        C| {new string('x', 100001)}
        S: 552 5.3.4 *
        C| BDAT 6 LAST\r\nQUIT\r\n
        S: 503 5.5.1 *
        C: NOOP
        S: 250 *
        """);

    [Fact]
    public Task What_nobody_would_read_ends_the_connection() => Play($"{Ready}C: BDAT 9000000000\nS: 552 5.3.4 *\nS!");

    [Theory]
    [InlineData("C| BDAT 5 LAST\\r\\na\\nb\\r\\n")]
    [InlineData("C| BDAT 5 LAST\\r\\na\\rb\\r\\n")]
    [InlineData("C| BDAT 2 LAST\\r\\na\\r")]
    public async Task Lines_must_end_with_CRLF_unless_binary(string chunk)
    {
        Assert.Empty(await Play($"{Ready}{chunk}\nS: 550 5.6.0 *"));
        Assert.Single(await Play($"{Binary}{chunk}\nS: 250 2.0.0 Accepted*"));
    }

    [Fact]
    public Task Binary_text_needs_chunks() => Play($"{Binary}C: DATA\nS: 503 5.5.1 *");

    [Fact]
    public Task Binary_text_is_not_sent_on() => Play($"""
        {Begin}
        C: MAIL FROM:<a@b.test> BODY=BINARYMIME
        S: 250 *
        C: RCPT TO:<away@example.test>
        S: 250 *
        C| BDAT 3 LAST\r\na\nb
        S: 554 5.6.3 *
        """);

    [Fact]
    public async Task The_next_message_begins_anew()
    {
        var orders = await Play($"{Ready}C| BDAT 2 LAST\\r\\n\\r\\n\nS: 250 *\nC: BDAT 0 LAST\nS: 503 *\nC: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<anna@example.test>\nS: 250 *\nC: DATA\nS: 354 *\nC: .\nS: 250 *");
        Assert.Equal(2, orders.Count);
    }
}
