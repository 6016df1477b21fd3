namespace CbaMail.Correspondents;

/// <summary>
/// Correspondents: which account has written to which address, and which address has written to which account. Greylisting and the delay
/// of first-time senders spare whom the account has written to; the daily limit of new recipients counts whom it has not.
///
/// A row is two numbers and two counts (about 30 bytes): the account and 64 bits of the SHA-256 of the address in its form for comparison,
/// so the table names nobody. Answers come from a cache of fixed size (<see cref="CorrespondentBook"/>), else from one look-up by primary key;
/// nothing is read at the start.
///
/// Rules that a change must keep:
/// - What was sent is recorded in the commit that queues or places it: the answer to the first reply is right after a crash too.
/// - Mailings record nothing: the people of a course are not the friends of its teacher.
/// - "user+detail@here" is "user@here" for what arrives: answers come to the plain address as well.
/// - Rows go with their account, and when nothing was heard for two years.
/// </summary>
public static class CorrespondentsRoom
{
    public static IServiceCollection AddCorrespondents(this IServiceCollection services) => services.AddSingleton<CorrespondentBook>();
}
