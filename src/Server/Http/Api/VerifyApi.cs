using System.Threading.Channels;
using CbaMail.Authorization;
using CbaMail.Backup;

namespace CbaMail.Http.Api;

/// <summary>POST /api/v1/verify: JSON lines: {"done","of"} as it gets on, a finding each as it is made, the summary last.</summary>
static class VerifyApi
{
    /// <param name="Repair">Mend what is found.</param>
    /// <param name="From">A backup's directory on this machine, or null.</param>
    sealed record Request(bool Repair = false, string? From = null);

    /// <summary>Findings that wait for a client that reads slowly; there are rarely so many.</summary>
    const int MostWaiting = 100_000;

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/verify", Permissions.Maintenance, About.Server, "Read everything and say what is damaged: JSON lines, the summary last", RunAsync) { Takes = typeof(Request), Streams = true, Gives = typeof(VerifySummary) },
    ];

    static async Task RunAsync(HttpContext context)
    {
        if (await context.ReadAsync<Request>() is not { } request) return;
        var findings = Channel.CreateBounded<object>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });
        var time = context.Room<TimeProvider>();
        var told = time.GetTimestamp();
        var work = WorkAsync();
        context.StartLines();
        await foreach (var line in findings.Reader.ReadAllAsync(context.RequestAborted)) await context.LineAsync(line);
        var result = await work;
        await context.LineAsync(result.Ok ? result.Value : new { error = context.Say(result.Refusal) });

        async Task<Envelope.Result<VerifySummary>> WorkAsync()
        {
            try
            {
                return await context.Room<Verification>().RunAsync(new VerifyOptions(request.Repair, request.From),
                    finding => findings.Writer.TryWrite(finding), Tell, context.RequestAborted);
            }
            finally { findings.Writer.Complete(); }
        }

        void Tell(long done, long of)
        {
            if (done < of && time.GetElapsedTime(told) < TimeSpan.FromMilliseconds(100)) return;
            told = time.GetTimestamp();
            findings.Writer.TryWrite(new Progress(done, of));
        }
    }
}
