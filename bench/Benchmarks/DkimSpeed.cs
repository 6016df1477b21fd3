using System.Diagnostics;
using System.Security.Cryptography;
using CbaMail.Dns;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;

namespace CbaMail.Bench.Benchmarks;

/// <summary>DKIM on one core, beside the bare operations of the keys below which it cannot go.</summary>
internal static class DkimSpeed
{
    public static async Task RunAsync(Report report)
    {
        using var rsa = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256);
        using var ed25519 = DkimPrivateKey.Create(DkimAlgorithm.Ed25519Sha256);
        var hash = SHA256.HashData([]);
        var signature = rsa.Sign(hash);
        using var rsaPublic = DkimPublicKey.Read(DkimAlgorithm.RsaSha256, DkimRecord.Parse(rsa.Record(), out _)!.Key.Span, out _);
        var signing = await MeasureAsync(() => { rsa.Sign(hash); return default; });
        var floor = signing + await MeasureAsync(() => { ed25519.Sign(hash); return default; });
        var verifying = await MeasureAsync(() => { rsaPublic!.Verify(hash, signature); return default; });
        report.Row("bare RSA-2048 signature", signing, "us");
        report.Row("bare RSA-2048 and Ed25519 signature", floor, "us");
        report.Row("bare RSA-2048 verification", verifying, "us");

        var signer = new DkimSigner([new("bench.test", "r", rsa), new("bench.test", "e", ed25519)], new());
        var keys = new DkimKeys(new OneZone(new() { ["r._domainkey.bench.test"] = rsa.Record(), ["e._domainkey.bench.test"] = ed25519.Record() }));
        var verifier = new DkimVerifier(keys);
        var now = DateTimeOffset.UnixEpoch.AddDays(20_000);
        foreach (var size in new[] { 10_240, 20_480 })
        {
            var message = Corpus.Message(1, "u@bench.test", size);
            var took = await MeasureAsync(() => { signer.Sign(message, now); return default; });
            report.Row($"{size / 1024} KB signed with both", took, "us");
            report.Row("  above the bare signatures", (took / floor - 1) * 100, "%", "<= 25");
            byte[] signed = [.. new DkimSigner([new("bench.test", "r", rsa)], new()).Sign(message, now), .. message];
            took = await MeasureAsync(async () =>
            {
                using var read = new SignedMessage(signed);
                if ((await verifier.VerifyAsync(read, now, default))[0].Result != AuthResult.Pass) throw new InvalidOperationException("the signature is not right");
            });
            report.Row($"{size / 1024} KB verified, one RSA signature", took, "us");
            report.Row("  of it other than RSA", took - verifying, "us");
        }

        var body = new byte[8 << 20];
        new Random(1).NextBytes(body);
        foreach (var way in new[] { Canonicalization.Simple, Canonicalization.Relaxed })
        {
            var text = Corpus.Message(2, "u@bench.test", 2_000_000);
            report.Row($"body hashed, {way}", text.Length / await MeasureAsync(() => { BodyHash.Of(text, way); return default; }), "MB/s");
        }

        report.Row("SHA-256 alone", body.Length / await MeasureAsync(() => { SHA256.HashData(body); return default; }), "MB/s");
    }

    /// <summary>The best of some rounds, in microseconds of the processor.</summary>
    static async Task<double> MeasureAsync(Func<ValueTask> run)
    {
        for (var clock = Stopwatch.StartNew(); clock.ElapsedMilliseconds < 300;) await run();
        var best = double.MaxValue;
        for (var round = 0; round < 6; round++)
        {
            var (count, processor) = (0, Environment.CpuUsage.TotalTime);
            for (var clock = Stopwatch.StartNew(); clock.ElapsedMilliseconds < 200; count++) await run();
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - processor).TotalMicroseconds / count);
        }

        return best;
    }

    internal sealed class OneZone(Dictionary<string, string> records) : IResolver
    {
        public ValueTask<DnsAnswer<string>> TxtAsync(string name, CancellationToken cancel) =>
            ValueTask.FromResult(records.TryGetValue(name, out var record) ? new DnsAnswer<string>(DnsStatus.Found, [record]) : new(DnsStatus.NoSuchName, []));
        public ValueTask<DnsAnswer<MxRecord>> MxAsync(string name, CancellationToken cancel) => throw new NotSupportedException();
        public ValueTask<DnsAnswer<System.Net.IPAddress>> AddressesAsync(string name, bool v6, CancellationToken cancel) => throw new NotSupportedException();
        public ValueTask<DnsAnswer<string>> PtrAsync(System.Net.IPAddress address, CancellationToken cancel) => throw new NotSupportedException();
    }
}
