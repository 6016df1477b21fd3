using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// Mail of 10 KB that leaves signed for smtp-sink: ours with both algorithms, with RSA alone and unsigned beside Postfix with OpenDKIM (which
/// knows RSA only) and without (see <see cref="Peers"/>), in turns; and the keys' own floor on the same cores. What leaves is verified before.
/// CBAMAIL_PEER_QUICK=1: one round, fewer messages.
/// </summary>
internal static class SignedOut
{
    private const int Proofs = 5;
    private const string SignerSelector = "peer";
    // the key is made again where there is none, so the table has to swallow it
    private const string RsaAlone = "DELETE FROM dkim_key WHERE algorithm LIKE 'ed25519%'; CREATE TRIGGER rsa_alone BEFORE INSERT ON dkim_key WHEN NEW.algorithm LIKE 'ed25519%' BEGIN SELECT RAISE(IGNORE); END;";

    private static readonly bool Quick = Environment.GetEnvironmentVariable("CBAMAIL_PEER_QUICK") == "1";

    public static async Task RunAsync(Report report)
    {
        var floor = await FloorAsync(report);
        if (PeerScripts.Find() is not { } folder)
        {
            report.Note($"Nothing else was measured: the scripts are not in {PeerScripts.Folder}; set CBAMAIL_PEER_BENCH to where they are.");
            return;
        }
        await using var both = await Prepared.StartAsync(BenchServer.ToSink);
        await using var rsa = await Prepared.StartAsync(BenchServer.ToSink, RsaAlone);
        await using var none = await Prepared.StartAsync(BenchServer.ToSink + "dkim: {sign: no}\n");
        await using var peer = await PeerScripts.UpAsync(folder);
        await using var signer = await SignerAsync();
        foreach (var (server, algorithms) in new[] { (both, "ed25519-sha256 rsa-sha256"), (rsa, "rsa-sha256"), (none, "") })
            await ProveAsync(server.Offset + 587, signIn: true, await KeysAsync(server), algorithms);
        await PeerFilter.FilterAsync(signer.Milter);
        await ProveAsync(10025, signIn: false, signer.Keys, "rsa-sha256");

        var ours = new Dictionary<BenchServer, PeerScripts>();
        foreach (var server in new[] { both, rsa, none }) ours[server] = new(folder, server == both ? "both" : server == rsa ? "RSA" : "unsigned", await server.WriteAsync("env", PeerScripts.EnvironmentOf(server)));
        var plain = new PeerScripts(folder, "peer, unsigned", "/tmp/peer/env");
        var runs = Quick ? "1" : "3";
        string[][] work =
        [
            ["outbound", "--modes", "through", "--messages", Quick ? "2000" : "3000", "--runs", "1"], // a process compiles its code while it works; not in the table
            ["outbound", "--modes", "through", "--messages", Quick ? "3000" : "5000", "--runs", runs],
            ["outbound", "--modes", "queued", "--messages", Quick ? "4000" : "10000", "--runs", runs],
        ];
        foreach (var line in work)
        {
            foreach (var (server, scripts) in ours) await scripts.RunAsync([.. line, "--auth", "--port", $"{server.Offset + 587}"]);
            await PeerFilter.FilterAsync(signer.Milter);
            await peer.RunAsync(line);
            await PeerFilter.FilterAsync("");
            await plain.RunAsync(line);
        }
        Print(report, floor, work, [("ours, RSA and Ed25519", ours[both]), ("ours, RSA", ours[rsa]), ("ours, unsigned", ours[none]), ("Postfix + OpenDKIM, RSA", peer), ("Postfix, unsigned", plain)]);
        foreach (var scripts in ours.Values.Append(plain)) await scripts.DisposeAsync();
    }

    private static void Print(Report report, (double Both, double Rsa, double Rate) floor, string[][] work, (string Name, PeerScripts Scripts)[] all)
    {
        foreach (var line in work.Skip(1))
        {
            var run = $"outbound {line[2]} n={line[4]} ";
            double? Rate(int index) => all[index].Scripts.Value(run, "relayed_per_s");
            double? Cpu(int index) => all[index].Scripts.Value(run, "cpu_ms_per_msg");
            report.Note(line[2] == "through" ? "injected and relayed at once" : "from a full queue");
            for (var i = 0; i < all.Length; i++)
            {
                var against = i < 2 && Rate(i) / Rate(3) is { } times ? string.Create(CultureInfo.InvariantCulture, $"{times:0.0} x Postfix + OpenDKIM {(times >= 3 ? "(>= 3: yes)" : "(>= 3: NO)")}") : "";
                report.Row("  " + all[i].Name, Rate(i) ?? 0, "/s", against);
                report.Row("    CPU a message", Cpu(i) ?? 0, "ms");
            }
            if (line[2] != "through") continue;
            foreach (var (index, bare, what) in new[] { (0, floor.Both, "RSA and Ed25519"), (1, floor.Rsa, "RSA") })
                if (Cpu(index) - Cpu(2) is { } signing)
                    report.Row($"  signing, {what}: of that CPU", signing, "ms", string.Create(CultureInfo.InvariantCulture, $"{(signing / bare - 1) * 100:+0;-0} % of the bare signatures' {bare:0.000} ms (<= 25)"));
            if (Cpu(3) - Cpu(4) is { } theirs) report.Row("  signing, OpenDKIM: of that CPU", theirs, "ms");
            if (Rate(0) is { } rate) report.Row("  of the signatures that all cores could make", rate / floor.Rate * 100, "%");
        }
        report.Note($"CPU of others while this ran, at most: {all.Max(one => one.Scripts.Noise):0} %.");
    }

    /// <summary>What the keys alone cost: CPU of both signatures and of RSA's, in ms, and how many pairs all cores make in a second.</summary>
    private static async Task<(double Both, double Rsa, double Rate)> FloorAsync(Report report)
    {
        foreach (var cores in new[] { 1, Environment.ProcessorCount })
        {
            var speed = await PeerScripts.ShellAsync($"openssl speed -seconds 2 -multi {cores} rsa2048 2>/dev/null | tail -1");
            if (speed.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [.., var signs, _] && double.TryParse(signs, CultureInfo.InvariantCulture, out var rate))
                report.Row($"openssl speed rsa2048, {cores} cores: signatures", rate, "/s");
        }
        using var rsa = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256);
        using var ed25519 = DkimPrivateKey.Create(DkimAlgorithm.Ed25519Sha256);
        var hash = SHA256.HashData([]);
        (double Cpu, double Rate) Loop(Action one, int threads)
        {
            one();
            var (count, cpu, clock) = (0, Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
            {
                for (; clock.ElapsedMilliseconds < 2000; Interlocked.Increment(ref count)) one();
            });
            return ((Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds / count, count / clock.Elapsed.TotalSeconds);
        }
        var (alone, _) = Loop(() => rsa.Sign(hash), Environment.ProcessorCount);
        var (both, pairs) = Loop(() => { rsa.Sign(hash); ed25519.Sign(hash); }, Environment.ProcessorCount);
        report.Row("the keys' floor: CPU of an RSA-2048 signature", alone, "ms");
        report.Row("the keys' floor: CPU of RSA-2048 and Ed25519", both, "ms");
        report.Row("the keys' floor: both, all cores", pairs, "/s");
        return (both, alone, pairs);
    }

    /// <summary>What one verification of RSA costs.</summary>
    public static Task VerifyFloorAsync(Report report)
    {
        using var rsa = DkimPrivateKey.Create(DkimAlgorithm.RsaSha256);
        using var known = DkimPublicKey.Read(DkimAlgorithm.RsaSha256, DkimRecord.Parse(rsa.Record(), out _)!.Key.Span, out _);
        var hash = SHA256.HashData([]);
        var signature = rsa.Sign(hash);
        var (count, clock) = (0, Stopwatch.StartNew());
        for (; clock.ElapsedMilliseconds < 1000; count++) known!.Verify(hash, signature);
        report.Row("the key's floor: verifying RSA-2048", clock.Elapsed.TotalMicroseconds / count, "us");
        return Task.CompletedTask;
    }

    private sealed record Signer(Process Process, string Folder, Dictionary<string, string> Keys) : IAsyncDisposable
    {
        public string Milter => $"unix:{Folder}/socket";

        public async ValueTask DisposeAsync()
        {
            if (!Process.HasExited) Process.Kill(entireProcessTree: true);
            await Process.WaitForExitAsync();
            Process.Dispose();
            System.IO.Directory.Delete(Folder, recursive: true);
        }
    }

    /// <summary>Debian's OpenDKIM; its CPU counts as the peer's.</summary>
    private static async Task<Signer> SignerAsync()
    {
        const string program = "/usr/sbin/opendkim";
        if (!File.Exists(program)) throw new InvalidOperationException("OpenDKIM (Debian: opendkim) is not installed: the peer cannot sign");
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-bench-opendkim-").FullName;
        using var key = RSA.Create(2048);
        var file = Path.Combine(folder, "key.pem");
        await File.WriteAllTextAsync(file, key.ExportRSAPrivateKeyPem());
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var settings = Path.Combine(folder, "opendkim.conf");
        await File.WriteAllTextAsync(settings, $"""
            Socket local:{folder}/socket
            UMask 0000
            Background no
            Mode s
            Canonicalization relaxed/relaxed
            Domain bench.test
            Selector {SignerSelector}
            KeyFile {file}
            RequireSafeKeys no
            Syslog no
            InternalHosts 127.0.0.1
            OversignHeaders From

            """);
        var process = Process.Start(new ProcessStartInfo(program, ["-f", "-x", settings]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        // by TCP it would lose 40 ms a message with a lone session (PeerFilter)
        for (var clock = Stopwatch.StartNew(); !File.Exists($"{folder}/socket"); await Task.Delay(50))
            if (process.HasExited || clock.Elapsed > TimeSpan.FromSeconds(20)) throw new InvalidOperationException("OpenDKIM did not start: " + (process.HasExited ? await process.StandardError.ReadToEndAsync() : ""));
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_101);
        await File.AppendAllTextAsync("/tmp/peer/pids", string.Create(CultureInfo.InvariantCulture, $"{process.Id}\n"));
        return new(process, folder, new() { [$"{SignerSelector}._domainkey.bench.test"] = "v=DKIM1; k=rsa; p=" + Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()) });
    }

    private static async Task<Dictionary<string, string>> KeysAsync(BenchServer server)
    {
        var list = JsonDocument.Parse(await server.CliAsync("dkim", "list", "bench.test", "--json")).RootElement;
        return list.EnumerateArray().ToDictionary(key => $"{key.GetProperty("selector").GetString()}._domainkey.bench.test", key => key.GetProperty("record").GetString()!);
    }

    /// <summary>A few messages leave, and must bear signatures that hold, of these algorithms and no others.</summary>
    private static async Task ProveAsync(int port, bool signIn, Dictionary<string, string> keys, string algorithms)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-bench-sink-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        var user = Environment.IsPrivilegedProcess ? "-u nobody " : "";
        using var sink = Process.Start("/usr/sbin/smtp-sink", $"{user}-d {folder}/m. 127.0.0.1:10026 100");
        try
        {
            await NameServer.ListensAsync(10026, "smtp-sink");
            var session = await SmtpIn.Session.OpenAsync(port);
            if (signIn) await session.SignInAsync("u0001@bench.test");
            for (var i = 0; i < Proofs; i++) await session.SendAsync(["x@d0.sink.test"], Corpus.Message(i, "x@d0.sink.test", 10_240), "u0001@bench.test");
            await session.QuitAsync();
            for (var clock = Stopwatch.StartNew(); System.IO.Directory.GetFiles(folder).Length < Proofs; await Task.Delay(50))
                if (clock.Elapsed > TimeSpan.FromSeconds(30)) throw new InvalidOperationException("what was submitted did not leave");
            await Task.Delay(500); // until the last is written
            var verifier = new DkimVerifier(new DkimKeys(new DkimSpeed.OneZone(keys)));
            foreach (var file in System.IO.Directory.GetFiles(folder))
            {
                using var message = new SignedMessage(Encoding.Latin1.GetBytes((await File.ReadAllTextAsync(file, Encoding.Latin1)).ReplaceLineEndings("\r\n")));
                var verdicts = await verifier.VerifyAsync(message, DateTimeOffset.UtcNow, default);
                var found = string.Join(' ', verdicts.Where(verdict => verdict.Result == AuthResult.Pass).Select(verdict => verdict.Signature.AlgorithmName).Order());
                if (found != algorithms || verdicts.Any(verdict => verdict.Result != AuthResult.Pass))
                    throw new InvalidOperationException($"what leaves by port {port} should be signed by \"{algorithms}\", but is by \"{found}\": {string.Join("; ", verdicts.Select(v => $"{v.Result} {v.Reason}"))}");
            }
        }
        finally
        {
            sink.Kill();
            await sink.WaitForExitAsync();
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }
}
