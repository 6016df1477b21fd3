using System.Diagnostics;
using System.Text;

namespace CbaMail.Bench.Benchmarks;

internal static class Mailing
{
    public static async Task RunAsync(Report report)
    {
        await OneAsync(report, "20 KB", attachment: 0);
        await OneAsync(report, "20 KB + 1 MB", attachment: 1024 * 1024);
    }

    private static async Task OneAsync(Report report, string label, int attachment)
    {
        await using var server = await Prepared.StartAsync();
        var people = new StringBuilder("address,name,group,code\n");
        for (var i = 1; i <= Prepared.People; i++) people.Append($"u{i:0000}@bench.test,Student {i},group {i % 25},code-{i}\n");
        var course = (await server.CliAsync("course", "add", "Bench", "--domain", "bench.test")).Trim();
        await server.CliAsync("course", "import", course, await server.WriteAsync("people.csv", people.ToString()));
        // HTML and the text derived from it are together about 20 KB
        var html = "<html><body><h1>Dear {{name}}</h1><p>Your group is {{group}}, your code {{code}}.</p><p>" + Corpus.Text(new Random(1), 9_800) + "</p></body></html>";
        List<string> create = ["mailing", "create", course, "--from", "u0001@bench.test", "--subject", "Course for {{name}}", "--html", await server.WriteAsync("letter.html", html)];
        if (attachment > 0)
        {
            var file = Path.Combine(server.Folder, "plan.pdf");
            var bytes = new byte[attachment];
            new Random(2).NextBytes(bytes);
            await File.WriteAllBytesAsync(file, bytes);
            create.AddRange(["--attach", file]);
        }
        var mailing = (await server.CliAsync([.. create])).Trim();
        var (disk, memory, cpu) = (await server.DiskAsync(), server.Resident(), server.CpuSeconds());
        server.ResetPeak();
        var clock = Stopwatch.StartNew();
        await server.CliAsync("mailing", "send", mailing, "--wait");
        var took = clock.Elapsed.TotalSeconds;
        var status = await server.CliAsync("mailing", "status", mailing, "--json");
        if (!status.Contains($"\"delivered\":{Prepared.People}", StringComparison.Ordinal)) throw new InvalidOperationException("not everybody has a copy: " + status);
        var plain = attachment == 0;
        report.Row($"{label}: send --wait to 2,500 mailboxes", took, "s", plain ? "< 4 s" : "", plain ? "12.5 s (mailcow's set-up 23.4)" : "");
        report.Row($"{label}: CPU of the server a copy", (server.CpuSeconds() - cpu) / Prepared.People * 1000, "ms", "", plain ? "8.3 ms" : "");
        report.Row($"{label}: resident memory at most more by", server.ResidentPeak() - memory, "MB", "<= 60 MB");
        report.Row($"{label}: disk", await server.DiskAsync() - disk, "MB", plain ? "" : "< 15 MB", plain ? "51 MB" : "");
    }
}
