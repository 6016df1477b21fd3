using System.Diagnostics;
using System.Globalization;

namespace CbaMail.Bench.Fuzz;

/// <summary>
/// <c>bench/run fuzz [--minutes N] [--seed N] [--only ITERATION] [--messages FOLDER]</c>: mutated messages through all that reads MIME.
/// The seed and an iteration's number make its message again; a message that breaks something is written to out/.
/// </summary>
internal static class MimeFuzz
{
    public static int Run(string[] args)
    {
        double minutes = 10;
        int seed = Random.Shared.Next(1, 1_000_000), only = -1;
        string? folder = null;
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var known = args[i] switch
            {
                "--minutes" => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out minutes),
                "--seed" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out seed),
                "--only" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out only),
                "--messages" => System.IO.Directory.Exists(folder = value),
                _ => false,
            };
            if (known) continue;
            Console.Error.WriteLine("usage: bench/run fuzz [--minutes N] [--seed N] [--only ITERATION] [--messages FOLDER]");
            return 2;
        }

        var seeds = Seeds(folder);
        Console.WriteLine($"fuzz: seed {seed}, {seeds.Count} messages to start from, {(only >= 0 ? $"iteration {only}" : $"{minutes} minutes")}");
        return Run(new MimeMutator(seeds), seed, only, TimeSpan.FromMinutes(minutes));
    }

    static int Run(MimeMutator mutator, int seed, int only, TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        var processor = Environment.CpuUsage.TotalTime;
        var next = TimeSpan.FromSeconds(10);
        long bytes = 0, memory = 0;
        var slowest = TimeSpan.Zero;
        var iteration = Math.Max(0, only);
        for (; clock.Elapsed < time && (only < 0 || iteration == only); iteration++)
        {
            var message = mutator.Next(Numbers(seed, iteration));
            bytes += message.Length;
            var begun = clock.Elapsed;
            try
            {
                MimeInvariants.Check(message);
                var took = clock.Elapsed - begun;
                if (took > TimeSpan.FromMilliseconds(100)) MimeInvariants.CheckTime(message);
                if (took > slowest) slowest = took;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                var file = Path.GetFullPath(Path.Combine("out", $"fuzz-{seed}-{iteration}.eml"));
                System.IO.Directory.CreateDirectory("out");
                File.WriteAllBytes(file, message);
                Console.WriteLine($"FAILED: seed {seed}, iteration {iteration}: {e}\nthe message is {file}");
                return 1;
            }

            if (clock.Elapsed < next) continue;
            next += TimeSpan.FromSeconds(30);
            var now = GC.GetTotalMemory(forceFullCollection: true);
            if (memory == 0) memory = now;
            Console.WriteLine($"  {clock.Elapsed.TotalSeconds,5:0} s  {iteration + 1,9:N0} messages  {bytes / 1e6 / clock.Elapsed.TotalSeconds,6:0.0} MB/s  managed {now / 1e6:0.0} MB  slowest {slowest.TotalMilliseconds:0} ms");
            if (now <= memory + 16_000_000) continue;
            Console.WriteLine($"FAILED: seed {seed}: managed memory grew from {memory / 1e6:0.0} to {now / 1e6:0.0} MB");
            return 1;
        }

        processor = Environment.CpuUsage.TotalTime - processor;
        Console.WriteLine($"fuzz: seed {seed}: {(only < 0 ? iteration : 1):N0} messages of {bytes / Math.Max(1.0, iteration) / 1000:0.0} KB on average in {clock.Elapsed.TotalMinutes:0.0} minutes "
            + $"({processor.TotalSeconds:0} s of CPU), nothing broke; slowest {slowest.TotalMilliseconds:0} ms, managed {GC.GetTotalMemory(true) / 1e6:0.0} MB (after 10 s {memory / 1e6:0.0})");
        return 0;
    }

    /// <summary>An iteration's own random numbers, so that it can be had again alone.</summary>
    public static Random Numbers(int seed, int iteration) => new(unchecked(seed * 486_187_739 + iteration * 16_777_619));

    /// <summary>The corpus where it is there, else our own samples.</summary>
    static List<byte[]> Seeds(string? folder)
    {
        var root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "CbaMail.slnx"))) root = Path.GetDirectoryName(root);
        root ??= Environment.CurrentDirectory;
        if (folder is not null) return Read(folder);
        for (var at = Path.GetDirectoryName(root); at is not null; at = Path.GetDirectoryName(at))
        {
            var corpus = Path.Combine(at, "shared", "corpus", "spam");
            if (!System.IO.Directory.Exists(corpus)) continue;
            var unpacked = System.IO.Directory.CreateTempSubdirectory("cbamail-fuzz.").FullName;
            try
            {
                foreach (var archive in System.IO.Directory.GetFiles(corpus, "*.tar.xz"))
                {
                    using var tar = Process.Start("tar", (string[])["xJf", archive, "-C", unpacked]);
                    tar.WaitForExit();
                }

                return [.. Read(unpacked), .. Read(Path.Combine(root, "tests/Vectors/mime"))];
            }
            finally
            {
                System.IO.Directory.Delete(unpacked, recursive: true);
            }
        }

        Console.WriteLine("fuzz: there is no corpus at ../shared/corpus/spam; starting from tests/Vectors/mime alone");
        return Read(Path.Combine(root, "tests/Vectors/mime"));
    }

    static List<byte[]> Read(string folder) => [.. System.IO.Directory.GetFiles(folder, "*.eml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
}
