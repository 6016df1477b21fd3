using System.Buffers;
using System.Text;
using CbaMail.Bench.Fuzz;
using CbaMail.Mime;
using Xunit;

namespace CbaMail.Tests.Formats.Mime;

/// <summary>Mutated messages: nothing throws, offsets nest, and every form of the tree agrees with the tree.</summary>
public class MimeFuzzTests
{
    static readonly string[] Seeds =
    [
        "From: a@x\nSubject: =?utf-8?B?0J8=?=\nContent-Type: multipart/mixed; boundary=\"b\"\n\npre\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\na=20b=\nc\n--b\nContent-Type: multipart/alternative; boundary=b2\n\n--b2\n\nx\n--b2\nContent-Type: text/html\n\n<p>y\n--b2--\n--b\nContent-Type: application/pdf; name*0*=utf-8''%D0; name*1*=%9F.pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"=?utf-8?Q?=D0=9F?=\"\n\nQUJD\nREVG\n--b--\nend\n",
        "Subject: outer\nContent-Type: message/rfc822\n\nTo: Group: a@x, \"b c\" <d@e>;\nDate: Mon, 1 Jan 2024 10:00:00 +0300\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: one\n\nx\n--d\n\nSubject: two\n\ny\n--d--\n",
        "A: b\n\nbody\n",
    ];

    static readonly string[] Bits = ["\r", "\n", "\r\n", "--", "--b", "--b--", "--b2", "\r\n\r\n", ":", ";", "\"", "=", "Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: message/rfc822\r\n\r\n", " ", "\0", "\xFF", "(", "<", "=?utf-8?B?", "boundary=", "Content-Transfer-Encoding: base64\r\n"];

    internal static byte[] Mutate(Random random)
    {
        var text = new StringBuilder(Seeds[random.Next(Seeds.Length)]);
        if (random.Next(3) > 0) text.Replace("\n", "\r\n");
        for (var i = random.Next(8); i > 0; i--)
        {
            var at = random.Next(text.Length + 1);
            switch (random.Next(4))
            {
                case 0: text.Insert(at, Bits[random.Next(Bits.Length)]); break;
                case 1: text.Remove(at, Math.Min(random.Next(20), text.Length - at)); break;
                case 2 when at < text.Length: text[at] = (char)random.Next(256); break;
                default: text.Insert(at, text.ToString(0, random.Next(text.Length))); break;
            }
        }

        return Encoding.Latin1.GetBytes(text.ToString());
    }

    [Fact]
    public void Mutated_messages_are_read_without_surprise()
    {
        for (var seed = 0; seed < 6000; seed++)
        {
            var message = Mutate(new Random(seed));
            var root = MimeTree.Parse(message);
            Assert.Equal((0L, (long)message.Length), (root.HeaderOffset, root.BodyOffset + root.BodyLength));
            AssertNests(root, message);
            var encoded = Structure.Encode(root);
            AssertSame(root, Structure.Decode(encoded));
            var output = new ArrayBufferWriter<byte>();
            ImapStructure.Write(output, root, extended: true);
            AssertImap(output.WrittenSpan);
            AssertImap(ImapStructure.Envelope(message));
            Assert.InRange(Preview.Of(message, root, 50).Length, 0, 50);
            foreach (var part in root.Walk()) ContentDecoder.Text(message, part);
            _ = HeaderList.Parse(message).Select(field => field.Value).ToList();
        }
    }

    /// <summary>A few seconds of what <c>bench/run fuzz</c> does for minutes, from the messages of tests/Vectors/mime.</summary>
    [Fact]
    public void Mutated_vectors_keep_every_invariant()
    {
        var seeds = System.IO.Directory.GetFiles(Path.Combine(House.Repository.Root, "tests/Vectors/mime"), "*.eml").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToList();
        var mutator = new MimeMutator(seeds);
        for (var i = 0; i < 3000; i++)
        {
            var message = mutator.Next(new Random(i));
            try
            {
                MimeInvariants.Check(message);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {i}: {e}\n{Convert.ToBase64String(message)}");
            }
        }
    }

    /// <summary>A cut structure is damaged, or reads as what it says; it never runs out of its bytes or of memory.</summary>
    [Fact]
    public void Damaged_structures_are_refused()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var encoded = Structure.Encode(MimeTree.Parse(Mutate(random)));
            for (var i = random.Next(1, 4); i > 0; i--) encoded[random.Next(encoded.Length)] = (byte)random.Next(256);
            try
            {
                Structure.Decode(encoded.AsMemory(0, random.Next(encoded.Length + 1)));
            }
            catch (InvalidDataException e)
            {
                Assert.Contains("structure", e.Message, StringComparison.Ordinal);
            }
        }
    }

    static void AssertNests(MimePart part, byte[] message)
    {
        Assert.InRange(part.BodyOffset, part.HeaderOffset, message.Length);
        Assert.InRange(part.BodyLength, 0, message.Length - part.BodyOffset);
        var body = part.Body(message);
        var lines = body.Count((byte)'\n') + (body.Length > 0 && body[^1] != '\n' ? 1 : 0);
        Assert.Equal(lines, part.BodyLines);
        var from = part.BodyOffset;
        foreach (var child in part.Children)
        {
            Assert.InRange(child.HeaderOffset, from, part.BodyOffset + part.BodyLength);
            AssertNests(child, message);
            from = child.BodyOffset + child.BodyLength;
            // A header without body may be ended by the outer delimiter, before whose line end the parent's body ends
            Assert.InRange(from, 0, Math.Max(part.BodyOffset + part.BodyLength, child.BodyOffset));
        }
    }

    static void AssertSame(MimePart a, MimePart b)
    {
        Assert.Equal((a.Type, a.Subtype, a.Encoding, a.Disposition, a.ContentId, a.Description, a.Md5, a.Location), (b.Type, b.Subtype, b.Encoding, b.Disposition, b.ContentId, b.Description, b.Md5, b.Location));
        Assert.Equal((a.HeaderOffset, a.BodyOffset, a.BodyLength, a.BodyLines), (b.HeaderOffset, b.BodyOffset, b.BodyLength, b.BodyLines));
        Assert.Equal(a.Parameters, b.Parameters);
        Assert.Equal(a.WireParameters, b.WireParameters);
        Assert.Equal(a.DispositionParameters, b.DispositionParameters);
        Assert.Equal(a.WireDispositionParameters, b.WireDispositionParameters);
        Assert.Equal(a.Language, b.Language);
        Assert.True(a.Envelope.Span.SequenceEqual(b.Envelope.Span));
        Assert.Equal(a.Children.Count, b.Children.Count);
        for (var i = 0; i < a.Children.Count; i++) AssertSame(a.Children[i], b.Children[i]);
    }

    /// <summary>An IMAP reader's view: ASCII, balanced, quoted strings without CR and LF (RFC 9051 9).</summary>
    internal static void AssertImap(ReadOnlySpan<byte> wire)
    {
        var depth = 0;
        var quoted = false;
        for (var i = 0; i < wire.Length; i++)
        {
            Assert.InRange(wire[i], 1, 127);
            Assert.NotEqual((byte)'\n', wire[i]);
            if (quoted)
            {
                if (wire[i] == '\\') i++;
                else if (wire[i] == '"') quoted = false;
            }
            else if (wire[i] == '"') quoted = true;
            else if (wire[i] == '(') depth++;
            else if (wire[i] == ')') Assert.InRange(--depth, 0, 500);
        }

        Assert.Equal((0, false), (depth, quoted));
    }

    [Fact]
    public void Hostile_messages_take_linear_time()
    {
        string[] messages =
        [
            "Content-Type: multipart/mixed; boundary=b\n\n" + string.Concat(Enumerable.Repeat("--\n", 1_000_000)),
            "Content-Type: multipart/mixed; boundary=" + new string('b', 900) + "\n\n" + string.Concat(Enumerable.Repeat("--" + new string('b', 899) + "\n", 3000)),
            string.Concat(Enumerable.Repeat("Content-Type: message/rfc822\n\n", 100_000)),
            string.Concat(Enumerable.Range(0, 99).Select(i => $"Content-Type: multipart/mixed; boundary=b{i:00}\n\n--b{i:00}\n")) + string.Concat(Enumerable.Repeat("--bxx\n", 100_000)),
            "Content-Type: text/plain" + string.Concat(Enumerable.Repeat("; a=\"", 200_000)),
            "Subject:" + string.Concat(Enumerable.Repeat("\n =?a?q?b", 100_000)),
            string.Concat(Enumerable.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n", 40_000)),
        ];
        foreach (var text in messages)
        {
            var message = Encoding.ASCII.GetBytes(text);
            var watch = System.Diagnostics.Stopwatch.StartNew();
            var root = MimeTree.Parse(message);
            ImapStructure.Envelope(message);
            Preview.Of(message, root);
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
        }
    }
}
