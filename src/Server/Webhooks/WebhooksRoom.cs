using CbaMail.Authorization;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Reports;

namespace CbaMail.Webhooks;

/// <summary>
/// Webhooks: tells programs elsewhere what happens here, by HTTPS and signed. <see cref="WebhookBook"/> is who is told what,
/// <see cref="WebhookEvents"/> how an event is called and written, <see cref="WebhookPosting"/> the posting.
///
/// Rules that a change must keep:
/// - an event is a row, written in the commit that makes it true: it is told at least once, also after a crash, under an id that stays the same;
/// - whoever is slow or gone delays nobody else, and the rows that wait for him are bounded;
/// - nothing is posted into our own net, redirects are not followed, and little is read of an answer;
/// - an event holds no secret (that of the audit log has none).
/// </summary>
public static class WebhooksRoom
{
    public static IServiceCollection AddWebhooks(this IServiceCollection services) => services
        .AddSingleton<WebhookBook>()
        .AddHostedService<WebhookPosting>();

    /// <summary>Listens to the rooms below.</summary>
    public static void Attach(IServiceProvider services)
    {
        var book = services.GetRequiredService<WebhookBook>();
        services.GetRequiredService<AuditLog>().Appending += (write, entry) => book.Raise(write, WebhookEvents.NameOf(entry.Action), entry.At, json => WebhookEvents.Write(json, entry));
        services.GetRequiredService<MailQueue>().Settled += (write, message, outcome, word) => book.Raise(write, "message." + word, outcome.At, json => WebhookEvents.Write(json, message, outcome));
        services.GetRequiredService<Complaints>().Received += (write, complaint) => book.Raise(write, "message.complained", complaint.Arrived, json => WebhookEvents.Write(json, complaint));
        services.GetRequiredService<PressRoom>().Finished += (write, mailing, counts) => book.Raise(write, "mailing.finished", null, json => WebhookEvents.Write(json, mailing, counts));
    }
}
