namespace CbaMail.Directory.Publication;

/// <summary>Something that is not as it should be.</summary>
/// <param name="Code">For programs; it does not change with the language or the wording.</param>
/// <param name="Sentence">What, what it costs, and what to do, in the language that was asked for.</param>
/// <param name="Publish">The line of a zone file that mends it; null where none does.</param>
/// <param name="Note">Worth knowing, and nothing is wrong.</param>
public sealed record DnsDifference(string Code, string Sentence, string? Publish, bool Note = false);

/// <summary>What came out.</summary>
public sealed record DnsCheckReport(string Domain, bool Ok, int Records, bool Signed, IReadOnlyList<DnsDifference> Differences);

/// <summary>How a check is wanted.</summary>
/// <param name="Russian">Sentences in Russian, else in English.</param>
/// <param name="Blocklists">Well-known block lists are asked too (<c>dns.blocklists</c>), not only those of <c>inbound.dns-lists</c>.</param>
public sealed record DnsCheckWish(bool Russian = false, bool Blocklists = false);
