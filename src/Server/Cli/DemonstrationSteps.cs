using System.Globalization;
using CbaMail.Config;
using CbaMail.Mailings;

namespace CbaMail.Cli;

/// <summary>The demonstration course at the first start of <c>./run</c>, its ledger in a summary, and what to try next.</summary>
static class DemonstrationSteps
{
    /// <returns>False where it could not be set up; the reason is printed.</returns>
    public static async Task<bool> RunAsync(IServiceProvider services, Settings settings)
    {
        var stop = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            var made = await services.GetRequiredService<DemonstrationCourse>().RunAsync(FirstSteps.Domain, line => Console.Out.WriteLine("  " + line), stop);
            await Console.Out.WriteAsync(made.Ok ? Summary(made.Value, settings) : $"\n  The demonstration was not set up: {made.Refusal.Sentence}\n");
            await Console.Out.FlushAsync(CancellationToken.None);
            return made.Ok;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return true; // Ctrl-C: the next start goes on from here
        }
    }

    static string Summary(DemonstrationResult made, Settings settings)
    {
        int? PortOf(Protocol protocol) => settings.Listeners.FirstOrDefault(listener => listener.Protocol == protocol)?.Port;
        var counts = made.Counts;
        var took = made.Took is { } time ? string.Create(CultureInfo.InvariantCulture, $", {time.TotalSeconds:0.0} s from send to the last mailbox") : "";
        return string.Create(CultureInfo.InvariantCulture, $"""

              Course         {made.CourseName} ({made.Course}), {counts.Total} participants
              Mailing {made.Mailing}      {counts.Delivered} delivered, {counts.Queued + counts.Deferred} queued, {counts.Bounced} bounced, {counts.Skipped} skipped, {counts.Rendered} to go{took}
              A participant  {made.Name} <{made.Address}>
              Password       {made.Password}   (of every demonstration account; kept in {Path.Combine(settings.Data, "demonstration.json")})

              Open           http://localhost:{PortOf(Protocol.Http)}/   (status; https://localhost:{PortOf(Protocol.Https)}/ with a self-signed certificate)
              IMAP           localhost:{PortOf(Protocol.Imap)} (STARTTLS), localhost:{PortOf(Protocol.Imaps)} (TLS)
              POP3           localhost:{PortOf(Protocol.Pop3)} (STLS), localhost:{PortOf(Protocol.Pop3s)} (TLS)
              Sending        localhost:{PortOf(Protocol.Submission)} (STARTTLS), localhost:{PortOf(Protocol.Submissions)} (TLS)

            Three things to try next:
              1. read a participant's copy:   curl -s 'imap://localhost:{PortOf(Protocol.Imap)}/INBOX;UID=1' --user '{made.Address}:{made.Password}'
              2. see who got it:              ./cbamail mailing ledger {made.Mailing} --data {settings.Data} | head
              3. open the status page:        http://localhost:{PortOf(Protocol.Http)}/

            Ctrl-C stops the server.

            """);
    }
}
