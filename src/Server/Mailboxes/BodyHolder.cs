using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Somebody above this room whose rows hold bodies beside the messages in mailboxes (<see cref="MailStore.AddReference"/>):
/// each such room registers one, so that references can be counted and a lost body be named.
/// </summary>
/// <param name="Name">For people: "the queue".</param>
/// <param name="Held">The content of each reference that it holds, one entry a reference.</param>
/// <param name="Holding">What of it holds the content, for people ("queue 12 from &lt;a@example.org&gt;"), at most ten.</param>
/// <param name="Wrong">What is wrong in its own rows.</param>
public sealed record BodyHolder(
    string Name,
    Func<ReadTransaction, IEnumerable<long>> Held,
    Func<ReadTransaction, long, IEnumerable<string>> Holding,
    Func<ReadTransaction, IEnumerable<HolderFault>> Wrong);

/// <summary>Something wrong in the rows of a holder, and how it is mended.</summary>
/// <param name="Done">What has been done then, for people.</param>
/// <param name="Mend">Gives the content whose reference it gave up, which is then dropped; or null.</param>
/// <param name="Sender">Whose that content was.</param>
public sealed record HolderFault(string Sentence, string Done, Func<WriteTransaction, long?> Mend, string? Sender = null);
