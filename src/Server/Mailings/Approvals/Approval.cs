namespace CbaMail.Mailings.Approvals;

/// <summary>Which mailings a second person must approve.</summary>
/// <param name="Classes">Of these; none: of all.</param>
/// <param name="Above">That go to more readers than these.</param>
/// <param name="Approvers">Addresses of those who may; each gets a letter with a link of his own.</param>
public sealed record ApprovalPolicy(IReadOnlyList<MailingClass> Classes, int Above, IReadOnlyList<string> Approvers)
{
    internal bool Covers(MailingClass kind, int readers) => readers > Above && (Classes.Count == 0 || Classes.Contains(kind));
}

/// <summary>How the approval of a mailing stands.</summary>
/// <param name="Needed">It cannot be sent without, as things are now.</param>
/// <param name="State">none, asked, approved, refused; changed: what was asked about or approved is not what would be sent.</param>
/// <param name="Changed">The parts that have changed since: subject, html, text, files, from, reply-to, class, tracking, audience, readers.</param>
/// <param name="Readers">As many as were told to who decides.</param>
public sealed record ApprovalView(bool Needed, string State, IReadOnlyList<string> Changed, IReadOnlyList<string> Approvers, int Readers,
    string? AskedBy, DateTimeOffset? Asked, string? Note, string? DecidedBy, DateTimeOffset? Decided, string? Reason);

/// <summary>What stands in the table.</summary>
/// <param name="State">asked, approved, refused.</param>
/// <param name="Content">Part to the SHA-256 of it; empty: whatever it is (a letter that an approver has read and accepted).</param>
sealed record Approval(long Mailing, string State, IReadOnlyDictionary<string, string> Content, int Readers, string AskedBy, DateTimeOffset Asked, string Note, string? DecidedBy, DateTimeOffset? Decided, string Reason);
