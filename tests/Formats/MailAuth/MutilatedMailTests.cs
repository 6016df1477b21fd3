using System.Text;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Arc;
using CbaMail.MailAuth.Dkim;
using CbaMail.MailAuth.Dmarc;
using CbaMail.Mime;
using CbaMail.Tests.Formats.MailAuth.Dkim;
using Xunit;

namespace CbaMail.Tests.Formats.MailAuth;

/// <summary>Signed mail after all sorts of damage: there is always a verdict, and a pass is one for the very text that was signed.</summary>
public class MutilatedMailTests
{
    static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    const string Plain = "Authentication-Results: mx.example.com; spf=pass; dkim=pass header.d=example.com\r\n"
        + "From: \"A, B\" <a@example.com>\r\nTo: b@example.net,\r\n\tc@example.net\r\nSubject: Hello  there \r\nX-A: 1\r\n\r\nHello  there \r\n\r\nsecond\tline\r\n\r\n\r\n";

    static readonly string[] Pieces =
    [
        "\r\n", "\n", "\r", " ", "\t", "\r\n ", ";", ":", "=", "From: x@evil.test\r\n", "from:", "b=", "l=0;", "l=99;", "h=", "c=simple/simple;", "\0", "\u00fc", "\u200b",
        "i=1;", "i=2;", "cv=fail;", "(", "\"", "\\", "Authentication-Results: mx.example.com; dkim=pass\r\n", "DKIM-Signature: v=1\r\n", "ARC-Seal: i=3; cv=none\r\n", "\r\n\r\n",
    ];

    static string Damage(Random random, string message)
    {
        var text = new StringBuilder(message);
        for (var i = random.Next(4); i > 0 && text.Length > 200; i--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(6))
            {
                case 0: text[at] = (char)random.Next(1, 256); break;
                case 1: text.Remove(at, Math.Min(text.Length - at, random.Next(60))); break;
                case 2: text.Insert(at, message.AsSpan(random.Next(message.Length - 100), random.Next(100))); break;
                case 3: text.Insert(0, Pieces[random.Next(Pieces.Length)]); break;
                case 4: text.Append(Pieces[random.Next(Pieces.Length)]); break;
                default: text.Insert(at, Pieces[random.Next(Pieces.Length)]); break;
            }
        }

        return text.ToString();
    }

    /// <summary>From and body as relaxed canonicalization has them: what no pass may differ in.</summary>
    static string Essence(byte[] message)
    {
        var header = HeaderList.Parse(message);
        using var hash = new HeaderHash();
        foreach (var field in header.All("From"))
            hash.Append(message.AsSpan(field.Span.Start, field.Span.End - field.Span.Start), field.Span.NameLength, field.Span.ValueStart - field.Span.Start, Canonicalization.Relaxed);
        return Encoding.UTF8.GetString(hash.Written) + Convert.ToBase64String(BodyHash.Of(message.AsSpan(header.BodyOffset), Canonicalization.Relaxed));
    }

    [Fact]
    public async Task A_pass_is_for_what_was_signed_and_nothing_falls()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var keys = new DkimKeys(DkimVerifierTests.Zone);
        var cancel = TestContext.Current.CancellationToken;
        var signed = Encoding.UTF8.GetString(new DkimSigner(DkimVerifierTests.Both, new()).Sign(Encoding.UTF8.GetBytes(Plain), Now)) + Plain;
        signed = string.Concat(new ArcSealer("mx.example.com", DkimVerifierTests.Both[1]).Seal(Encoding.UTF8.GetBytes(signed), new(AuthResult.None, "", []), Now)) + signed;
        var essence = Essence(Encoding.UTF8.GetBytes(signed));
        var passes = 0;
        for (var round = 0; round < 3000; round++)
        {
            var text = Damage(random, signed);
            var bytes = random.Next(4) == 0 ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);
            try
            {
                using var message = new SignedMessage(bytes);
                var dkim = await new DkimVerifier(keys).VerifyAsync(message, Now, cancel);
                var arc = await new ArcVerifier(keys).VerifyAsync(message, Now, cancel);
                AuthorDomain.Of(bytes);
                var left = AuthenticationResultsField.WithoutForged(bytes, "mx.example.com");
                Assert.Empty(AuthenticationResultsField.Forged(left.Span, "mx.example.com"));
                if (dkim.All(v => v.Result != AuthResult.Pass) && arc.Result != AuthResult.Pass) continue;
                passes++;
                Assert.True(Essence(bytes) == essence, text);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} round {round}: {e}");
            }
        }

        Assert.True(passes > 300, $"seed {seed}: {passes}"); // a quarter is not damaged at all
    }

    [Fact]
    public void Any_results_are_read_and_what_is_written_of_them_reads_the_same()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        string[] pieces = ["mx.example.com", "; ", "spf", "=", "pass", "fail", " smtp", ".", "mailfrom", "a@b.test", "\"a b\"@c", "(", ")", "\\", "\"", "reason=", "\r\n\t", "/1", "header.d=", "none", "\u043f", " 1", "i=1;", "<", ","];
        for (var round = 0; round < 20000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(24)).Select(_ => random.Next(12) == 0 ? ((char)random.Next(1, 512)).ToString() : pieces[random.Next(pieces.Length)]));
            try
            {
                AuthenticationResults.ClaimsToBeOf(Encoding.UTF8.GetBytes(text), "mx.example.com");
                if (AuthenticationResults.Parse(Encoding.UTF8.GetBytes(text)) is not { } read) continue;
                var bare = read.Results.Where(r => r.Method.All(char.IsAsciiLetterOrDigit) && r.Result.Length > 0 && r.Result.All(char.IsAsciiLetterOrDigit))
                    .Select(r => new AuthMethodResult(r.Method, r.Result, [.. r.Properties.Where(p => (p.Type + p.Name).All(char.IsAsciiLetterOrDigit) && p.Value.Length > 0 && !p.Value.Any(char.IsControl))])).ToList();
                var written = AuthenticationResultsField.Write(read.AuthservId, bare);
                var again = AuthenticationResults.Parse(Encoding.UTF8.GetBytes(written[(written.IndexOf(':', StringComparison.Ordinal) + 1)..]))!;
                string Shown(IEnumerable<AuthMethodResult> results) => string.Join('|', results.Select(r => $"{r.Method}={r.Result} {string.Join(' ', r.Properties.Select(p => $"{p.Type}.{p.Name}={p.Value}"))}"));
                Assert.Equal(Shown(bare), Shown(again.Results));
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} round {round}: {text}\n{e}");
            }
        }
    }
}
