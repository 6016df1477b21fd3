using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>
/// Mailing lists for discussion and announcements: who is on them, who may post, what goes out and how it looks.
///
/// Does not: receive (Delivery hands over what comes to an address of a list), send (the queue's workers do). Rules to keep:
/// - a post is acknowledged when it is durable together with all who are to get it; each commit that places copies strikes them off;
/// - the text is stored once, whoever gets it; what differs a member stands before it (the row's prefix, the queue entry's top);
/// - nothing that a program has written is answered or passed on, and nobody is written to often because somebody gave his address;
/// - what its author has sealed is not changed, and no From is changed unless DMARC would have the post refused.
///
/// RFC 2919 (List-Id), RFC 2369 (List-* fields), RFC 8058 (one click), RFC 3834 (automatic answers), RFC 8617 (sealed by the way out).
/// </summary>
public static class ListsRoom
{
    public static IServiceCollection AddLists(this IServiceCollection services) => services
        .AddSingleton<ListBook>().AddSingleton<ListTokens>().AddSingleton<ListLetters>().AddSingleton<ListPosts>().AddSingleton<ListCommands>().AddSingleton<ListBounces>().AddSingleton<ListDigests>().AddSingleton<ListArchive>().AddSingleton<ListIntake>().AddSingleton<ListArchiveIntake>()
        .AddSingleton(new BodyHolder("lists", ListPostTable.Contents, ListPostTable.Holding, _ => []))
        .AddHostedService<ListRunner>();
}

/// <summary>Goes on with posts that are being sent, and sees hourly to what is over.</summary>
sealed class ListRunner(ListPosts posts, ListBounces bounces, ListDigests digests, ListArchive archive, TimeProvider time, ILogger<ListRunner> log) : BackgroundService
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(30), Upkeep = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var next = time.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await posts.GoOnAsync(stoppingToken)) { }
                await archive.IndexAsync(stoppingToken);
                await digests.IssueAsync(stoppingToken);
                if (time.GetUtcNow() >= next)
                {
                    await posts.UpkeepAsync(stoppingToken);
                    await bounces.UpkeepAsync(stoppingToken);
                    await archive.UpkeepAsync(stoppingToken);
                    next = time.GetUtcNow() + Upkeep;
                }
            }
            catch (Exception error) when (StoreTrouble.Of(error) is not null) { } // the store has told the log; soon again
            catch (Exception error) when (error is not OperationCanceledException) { ListsTelemetry.Surprise(log, error); } // no surprise here stops the mail
            await posts.WaitAsync(Look, stoppingToken);
        }
    }
}

/// <summary>Log messages of lists: event ids from 9800.</summary>
static partial class ListsTelemetry
{
    [LoggerMessage(9800, LogLevel.Information, "{Arrival}: post <{MessageId}> to {List} from {Author} goes to {Copies} readers ({Size} bytes)")]
    public static partial void Posted(ILogger log, string arrival, string messageId, string list, string author, int copies, int size);

    [LoggerMessage(9801, LogLevel.Information, "{Arrival}: message to {List} dropped: {Why}")]
    public static partial void Dropped(ILogger log, string arrival, string list, string why);

    [LoggerMessage(9802, LogLevel.Information, "{Arrival}: post <{MessageId}> to {List} from {Author} is held for a moderator: {Why}")]
    public static partial void Held(ILogger log, string arrival, string messageId, string list, string author, string why);

    [LoggerMessage(9803, LogLevel.Information, "Post <{MessageId}> to {List} was {Decision}")]
    public static partial void Decided(ILogger log, string messageId, string list, string decision);

    [LoggerMessage(9804, LogLevel.Information, "{List}: {Address} {Deed}")]
    public static partial void Membership(ILogger log, string list, string address, string deed);

    [LoggerMessage(9805, LogLevel.Error, "Posts to lists could not be gone on with; it is tried again soon")]
    public static partial void Surprise(ILogger log, Exception error);

    [LoggerMessage(9806, LogLevel.Information, "{Arrival}: bounce of {Address}, on {List}: {Action}, {Class}")]
    public static partial void Bounced(ILogger log, string arrival, string address, string list, string action, string @class);
}
