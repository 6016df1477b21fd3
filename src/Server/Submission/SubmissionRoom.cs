namespace CbaMail.Submission;

/// <summary>
/// Submission: the one door for mail of our own people (RFC 6409), whatever protocol brought it: whether the account may use the
/// sender and the From it gives, the fields that a client left out, what its domain adds below, who gets copies.
///
/// Does not: place or queue (Delivery does, from the same order as for strangers' mail), ask about recipients (Inbound does).
/// Rules to keep: nobody, administrators included, writes in a name that is not theirs (or, by
/// <c>smtp.sender-must-own: no</c>, of their domain); what a client has written is not changed
/// but for what tells of its machine, and completed at the top.
/// </summary>
public static class SubmissionRoom
{
    public static IServiceCollection AddSubmission(this IServiceCollection services) => services.AddSingleton<Submit>().AddSingleton<SendLimits>();
}
