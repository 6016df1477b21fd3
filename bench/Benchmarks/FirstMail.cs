using System.Diagnostics;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// Whether the first message that mailboxes ever get costs more than the second, by a server that is warm: one that has just been started
/// compiles its code during the first mailing, whoever gets it.
/// </summary>
internal static class FirstMail
{
    private const int Step = 250;

    public static async Task RunAsync(Report report)
    {
        await using var server = await Prepared.StartAsync();
        var letters = Enumerable.Range(0, 20).Select(i => Corpus.Message(i, "all@bench.test", 20_480)).ToArray();
        var session = await SmtpIn.Session.OpenAsync(server.Smtp);
        var next = 0;
        async Task<double> SendAsync(int from)
        {
            var people = Enumerable.Range(from + 1, Step).Select(i => $"u{i:0000}@bench.test").ToArray();
            var clock = Stopwatch.StartNew();
            await session.SendAsync(people, letters[next++ % letters.Length]);
            return clock.Elapsed.TotalMilliseconds;
        }
        for (var i = 0; i < 20; i++) await SendAsync(i % 2 * Step);
        var (first, second) = (new List<double>(), new List<double>());
        for (var from = 2 * Step; from < Prepared.People; from += Step)
        {
            first.Add(await SendAsync(from));
            second.Add(await SendAsync(from));
        }
        report.Row($"first message ever into {Step} mailboxes", Median(first), "ms", "<= the second");
        report.Row("the second", Median(second), "ms");
        await session.QuitAsync();
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
