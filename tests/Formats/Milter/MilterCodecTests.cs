using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;
using CbaMail.Milter;
using Xunit;

namespace CbaMail.Tests.Formats.Milter;

public sealed class MilterCodecTests
{
    static byte[] B(string text) => Encoding.Latin1.GetBytes(text);

    static string Written(Action<MilterWriter> write, int size = 65535)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new MilterWriter(output) { PacketSize = size });
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }

    static string Packet(string data) => Encoding.Latin1.GetString([0, 0, (byte)(data.Length >> 8), (byte)data.Length]) + data;

    [Fact]
    public void Commands_are_written_as_the_protocol_has_them()
    {
        Assert.Equal(Packet("O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"), Written(w => w.Negotiate(MilterTerms.For(6))));
        Assert.Equal(Packet("DM{auth_type}\0PLAIN\0i\0x-1\0"), Written(w => w.Macros(MilterCommand.Mail, [("{auth_type}", "PLAIN"), ("i", "x-1")])));
        Assert.Equal("", Written(w => w.Macros(MilterCommand.Mail, [])));
        Assert.Equal(Packet("C[192.0.2.1]\0" + "4\x10\x01" + "192.0.2.1\0"), Written(w => w.Connect("[192.0.2.1]", MilterFamily.Inet, 4097, "192.0.2.1")));
        Assert.Equal(Packet("Cunknown\0U"), Written(w => w.Connect("unknown", MilterFamily.Unknown, 0, "")));
        Assert.Equal(Packet("Hclient.test\0"), Written(w => w.Texts(MilterCommand.Hello, "client.test")));
        Assert.Equal(Packet("M<a@b>\0SIZE=1\0"), Written(w => w.Texts(MilterCommand.Mail, "<a@b>", "SIZE=1")));
        Assert.Equal(Packet("Babc"), Written(w => w.Body("abc"u8)));
        Assert.Equal(Packet("N") + Packet("E") + Packet("A") + Packet("K"), Written(w =>
        {
            w.Write(MilterCommand.EndOfHeader);
            w.Write(MilterCommand.EndOfBody);
            w.Write(MilterCommand.Abort);
            w.Write(MilterCommand.QuitNewConnection);
        }));
    }

    [Theory]
    [InlineData(" a\r\n b\r\n", false, "a\n b")]
    [InlineData(" a\r\n b\r\n", true, " a\n b")]
    [InlineData("  a\r\n", false, " a")] // one space and no more
    [InlineData("\ta\r\n", false, "\ta")]
    [InlineData("\r\n", false, "")]
    [InlineData(" a\0b\r\r\n", false, "a b")]
    public void Values_of_fields_have_LF_between_lines(string value, bool leadingSpace, string expected) =>
        Assert.Equal(Packet("LX\0" + expected + "\0"), Written(w => w.Header("X"u8, B(value), leadingSpace)));

    [Fact]
    public void No_packet_is_larger_than_agreed()
    {
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var size = random.Next(40, 300);
            var text = new string('x', random.Next(500));
            var output = Written(w =>
            {
                w.Header(B("N"), B(' ' + text.Replace("xxx", "x\r\n", StringComparison.Ordinal) + "\r\n"), false);
                w.Macros(MilterCommand.Mail, [("a", "1"), ("b", text), ("c", "2")]);
                w.Texts(MilterCommand.Mail, "<a@b>", text, "Z");
            }, size);
            for (var at = 0; at < output.Length;)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(B(output[at..(at + 4)]));
                Assert.InRange(length, 1, size + 1);
                at += 4 + length;
                Assert.True(at <= output.Length);
            }
        }
    }

    [Theory]
    [InlineData("192.0.2.7", MilterFamily.Inet, "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", MilterFamily.Inet, "192.0.2.7")]
    [InlineData("2001:DB8::1", MilterFamily.Inet6, "2001:db8::1")]
    [InlineData("fe80::1%3", MilterFamily.Inet6, "fe80::1")]
    public void Addresses_have_a_family(string address, MilterFamily family, string text) =>
        Assert.Equal((family, text), MilterWriter.Address(IPAddress.Parse(address)));

    [Fact]
    public void Terms_are_what_both_have()
    {
        var ours = MilterTerms.For(6, MilterSteps.Packets1M);
        Assert.True(ours.TryAgree(B("\0\0\0\x06\0\0\x01\x33\x20\x10\x08\x80" + "\0\0\0\x02{auth_type} i\0\0\0\0\0j, _\0\0\0\0\x63zzz\0"), out var terms, out _));
        Assert.Equal(MilterActions.AddHeaders | MilterActions.ChangeBody | MilterActions.ChangeHeaders | MilterActions.Quarantine | MilterActions.SetMacros, terms.Actions);
        Assert.Equal(MilterSteps.Packets1M | MilterSteps.LeadingSpace | MilterSteps.RefusedRecipients | MilterSteps.NoReplyToHeader, terms.Steps);
        Assert.Equal((1 << 20) - 1, terms.PacketSize);
        Assert.Equal(["{auth_type}", "i"], terms.Macros[MilterStage.Mail]);
        Assert.Equal(["j", "_"], terms.Macros[MilterStage.Connect]);
        Assert.Equal(2, terms.Macros.Count);
        Assert.False(terms.IsAnswered(MilterCommand.Header));
        Assert.True(terms.IsAnswered(MilterCommand.Body));
    }

    [Fact]
    public void A_milter_of_an_old_version_is_not_shown_what_came_later()
    {
        Assert.True(MilterTerms.For(6).TryAgree(B("\0\0\0\x02\0\0\0\x01\0\0\x04\x20"), out var two, out _));
        Assert.Equal((2, MilterSteps.NoHeaders), (two.Version, two.Steps));
        Assert.False(two.Has(MilterCommand.Data));
        Assert.False(two.Has(MilterCommand.Header));
        Assert.True(two.Has(MilterCommand.Body));
        Assert.Equal(65535, two.PacketSize);
        Assert.Equal((MilterSteps)0x1ff & ~MilterSteps.NoReplyToHeader, MilterTerms.For(3).Steps);
        Assert.Equal(MilterSteps.NoData, MilterTerms.For(4).Steps & ~MilterTerms.For(3).Steps);
    }

    [Theory]
    [InlineData("\0\0\0\x07\0\0\0\0\0\0\0\0", "version 7")]
    [InlineData("\0\0\0\x01\0\0\0\0\0\0\0\0", "version 1")]
    [InlineData("\0\0\0\x06\0\x01\0\0\0\0\0\0", "actions 0x10000")]
    [InlineData("\0\0\0\x06\0\0\0\0\0\0\0", "too short")]
    [InlineData("\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\x02i", "macros")]
    public void What_cannot_be_agreed_on_is_said(string data, string problem)
    {
        Assert.False(MilterTerms.For(6).TryAgree(B(data), out _, out var said));
        Assert.Contains(problem, said, StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_are_read()
    {
        Assert.True(MilterReply.Read(MilterAnswer.Continue, default)!.IsFinal);
        Assert.False(MilterReply.Read(MilterAnswer.Progress, default)!.IsFinal);
        var header = MilterReply.Read(MilterAnswer.InsertHeader, B("\0\0\0\x01X-Spam\0 Yes\n more\0"))!;
        Assert.Equal((1, "X-Spam", " Yes\n more", true), (header.Index, Encoding.ASCII.GetString(header.Name.Span), Encoding.ASCII.GetString(header.Value.Span), header.IsChange));
        Assert.Equal("", Encoding.ASCII.GetString(MilterReply.Read(MilterAnswer.ChangeHeader, B("\0\0\0\x02X\0\0"))!.Value.Span));
        Assert.Equal("x", Encoding.ASCII.GetString(MilterReply.Read(MilterAnswer.AddHeader, B("X\0x"))!.Value.Span));
        Assert.Equal("<a@b>", MilterReply.Read(MilterAnswer.AddRecipient, B("<a@b>\0"))!.Text);
        Assert.Equal(("<a@b>", "NOTIFY=NEVER"), (MilterReply.Read(MilterAnswer.AddRecipientWithParameters, B("<a@b>\0NOTIFY=NEVER\0"))!.Text, MilterReply.Read(MilterAnswer.AddRecipientWithParameters, B("<a@b>\0NOTIFY=NEVER\0"))!.Parameters));
        Assert.Equal("", MilterReply.Read(MilterAnswer.ChangeSender, B("<>\0"))!.Parameters);
        Assert.Equal("why", MilterReply.Read(MilterAnswer.Quarantine, B("why\0"))!.Text);
    }

    [Theory]
    [InlineData(MilterAnswer.Continue, "x")]
    [InlineData(MilterAnswer.AddHeader, "noend")]
    [InlineData(MilterAnswer.AddHeader, "\0x\0")]
    [InlineData(MilterAnswer.AddHeader, "a b\0x\0")]
    [InlineData(MilterAnswer.AddHeader, "a:\0x\0")]
    [InlineData(MilterAnswer.AddHeader, "X\0a\0b\0")]
    [InlineData(MilterAnswer.ChangeHeader, "\xff\xff\xff\xffX\0a\0")]
    [InlineData(MilterAnswer.InsertHeader, "\0\0")]
    [InlineData(MilterAnswer.AddRecipient, "<a@b>\0x\0")]
    [InlineData(MilterAnswer.ReplyCode, "250 2.0.0 fine\0")]
    [InlineData(MilterAnswer.ReplyCode, "550-5.7.1 a\r\n450 4.7.1 b\0")]
    [InlineData(MilterAnswer.ReplyCode, "550x\0")]
    [InlineData(MilterAnswer.ReplyCode, "\0")]
    [InlineData((MilterAnswer)'z', "")]
    public void What_has_not_the_form_of_its_answer_is_none(MilterAnswer answer, string data) => Assert.Null(MilterReply.Read(answer, B(data)));

    [Theory]
    [InlineData("550 5.7.1 no", 550, "5.7.1", "no")]
    [InlineData("451 4.7.1 100%% sure %x", 451, "4.7.1", "100% sure x")]
    [InlineData("550-5.7.1 a\r\n550-b\r\n550 5.7.1 c", 550, "5.7.1", "a\nb\nc")]
    [InlineData("554 text alone", 554, "5.7.1", "text alone")]
    [InlineData("451 5.7.1 mixed classes", 451, "4.7.1", "mixed classes")]
    [InlineData("550", 550, "5.7.1", "")]
    [InlineData("421 4.7.0 bye%", 421, "4.7.0", "bye")]
    public void Replies_in_the_milters_words(string text, int code, string status, string words)
    {
        var reply = SmtpReplyText.Parse(text)!.Value;
        Assert.Equal((code, status, words), (reply.Code, reply.Status, reply.Text));
    }

    [Fact]
    public void Random_bytes_are_read_or_refused_within_limits()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        byte[] letters = "+-24abcdefhilmOpqrstyz"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            if (bytes.Length > 5)
            {
                bytes.AsSpan(0, 3).Clear();
                if (random.Next(4) > 0) bytes[3] = (byte)(bytes.Length - 4);
                bytes[4] = letters[random.Next(letters.Length)];
                for (var i = 5; i < bytes.Length; i++) if (random.Next(3) == 0) bytes[i] = 0;
            }
            var status = MilterPacket.Read(bytes, out var answer, out var data, out var taken);
            if (status == PacketStatus.Bad) continue;
            Assert.InRange(taken, MilterPacket.HeadLength, MilterPacket.MaxLength + 4);
            Assert.True(status == PacketStatus.Whole == (bytes.Length >= 4 && taken <= bytes.Length), $"seed {seed}, round {round}: {Convert.ToHexString(bytes)}");
            if (status != PacketStatus.Whole) continue;
            Assert.Equal(taken, data.Length + 5);
            _ = MilterTerms.For(6).TryAgree(data, out _, out _);
            if (MilterReply.Read(answer, data) is not { } reply) continue;
            Assert.Equal(answer, reply.Answer);
            Assert.True(reply.Name.Length + reply.Value.Length <= data.Length);
            if (answer == MilterAnswer.ReplyCode) Assert.InRange(reply.Reply.Code, 400, 599);
        }
    }
}
