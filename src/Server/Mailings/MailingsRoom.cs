using CbaMail.Mailings.Tracking;

namespace CbaMail.Mailings;

/// <summary>
/// Mailings: messages to the people of courses, written once and read by each as his own.
///
/// What is here: templates (<see cref="Template"/>),
/// the check that renders everybody before anybody is sent to (<see cref="MailingCheck"/>), the ledger (<see cref="Ledger"/>), and the
/// deeds around them (<see cref="PressRoom"/>). What is not: placing copies in mailboxes and the queue. Delivery's MailingRun does that,
/// for it is above this room; what remote peers say comes back by the queue's Outcome.
///
/// Rules that a change must keep:
/// - The ledger's row is the only claim. It leaves "rendered" in the very transaction that stores the copy or queues it; there is no
///   checkpoint that could run ahead of the work, so a crash at any moment neither skips nor repeats anybody.
/// - The audience is frozen when a mailing is sent; what an import changes afterwards does not reach a mailing under way.
/// - The Message-ID and every byte of a copy follow from the ledger's row: made twice, it is the same message.
/// - States add up: every participant is in exactly one of rendered, queued, delivered, deferred, bounced, skipped.
/// - The bodies of a piece are flushed before its rows are committed (BodiesFirst): the ledger never says more than the vault holds.
///
/// - What a class lets a reader do and what keeps it from him stands in one table (<see cref="ClassRules"/>); what readers say is only ever added to
///   (<see cref="Consents"/>), and is asked again in the transaction in which a copy leaves.
///
/// RFC 2919 (List-Id), RFC 2369 (List-Unsubscribe, -Help, -Owner), RFC 8058 (one click), RFC 5322 (Message-ID), RFC 2392 (cid:).
/// </summary>
public static class MailingsRoom
{
    public static IServiceCollection AddMailings(this IServiceCollection services) => services
        .AddSingleton<MailingFiles>()
        .AddSingleton<TemplateBook>()
        .AddSingleton<AudienceBook>()
        .AddSingleton<PressRoom>()
        .AddSingleton<OutsideCheck>()
        .AddSingleton(static provider => provider.GetRequiredService<PressRoom>().Consents)
        .AddSingleton(static provider => provider.GetRequiredService<PressRoom>().Links)
        .AddSingleton<Replies>()
        .AddSingleton<ResponseBook>()
        .AddSingleton<Timelines>()
        .AddSingleton<TotalsBook>()
        .AddSingleton<Resending>()
        .AddSingleton<PdfFonts>()
        .AddSingleton<Sightings>()
        .AddHostedService(static provider => provider.GetRequiredService<Sightings>())
        .AddSingleton<CanaryWatch>()
        .AddSingleton<Approvals.ApprovalBook>()
        .AddSingleton<Schedules.Timetable>()
        .AddSingleton<Sequences.SequenceBook>()
        .AddSingleton<Sequences.SequenceRun>()
        .AddHostedService<Schedules.TimetableRunner>()
        .AddSingleton<CourseAddresses>()
        .AddHostedService<CourseAddressRunner>()
        .AddSingleton<DemonstrationCourse>()
        .AddSingleton(MailingHolding.Holder);
}
