using CbaMail.Storage;

namespace CbaMail.Mailboxes;

/// <summary>
/// Somebody above this room whose rows hold bodies beside the messages in mailboxes (<see cref="MailStore.AddReference"/>):
/// each such room registers one, so that references can be counted and a lost body be named.
/// </summary>
/// <param name="Name">For people: "the queue".</param>
/// <param name="Held">The content of each reference that it holds, one entry a reference.</param>
/// <param name="Holding">What of it holds the content, for people ("queue 12 from &lt;a@example.org&gt;"), at most ten.</param>
/// <param name="Wrong">What is wrong in its own rows, a sentence each.</param>
public sealed record BodyHolder(
    string Name,
    Func<ReadTransaction, IEnumerable<long>> Held,
    Func<ReadTransaction, long, IEnumerable<string>> Holding,
    Func<ReadTransaction, IEnumerable<string>> Wrong);
