using CbaMail.Envelope;

namespace CbaMail.Mailings;

/// <summary>How far a mailing is. Scheduled: its schedule starts it, or goes on with who comes later.</summary>
public enum MailingState { Draft, Sending, Paused, Sent, Cancelled, Scheduled }

/// <summary>A mailing: its templates and how far it is.</summary>
/// <param name="BaseContent">The first body that was stored; the others are compressed against it.</param>
/// <param name="Started">The Date of every copy.</param>
/// <param name="ReplyTo">Who wrote it, where his address is of a domain elsewhere and From is one of ours; as "Name &lt;address&gt;".</param>
/// <param name="Pixel">Copies have a picture by which is seen that they were opened.</param>
/// <param name="Clicks">Links of copies lead by this server, which notes that they were followed.</param>
/// <param name="Parent">The mailing that this one sends again, or null.</param>
/// <param name="Author">Who made it: the key of his address, else how he came; empty where that is not known.</param>
public sealed record Mailing(
    long Id, long CourseId, string FromName, string FromAddress, string Subject, string? Html, string? Text, MailingState State,
    long? BaseContent, DateTimeOffset Created, DateTimeOffset? Started, DateTimeOffset? Finished, MailingClass Class = MailingClass.Course, string? ReplyTo = null, bool Pixel = false, bool Clicks = false,
    long? Parent = null, string Author = "")
{
    /// <summary>Whom answers go to, where that is not From.</summary>
    public (string Name, MailAddress Address)? Writer => ReplyTo is null ? null : PressRoom.Sender(ReplyTo);
}

/// <summary>A file of a mailing.</summary>
/// <param name="ContentId">For an inline image that the HTML names by <c>cid:</c>; null for an attachment.</param>
/// <param name="Hash">SHA-256 in hex: the name of its bytes in <c>DATA/mailings</c>.</param>
public sealed record MailingFile(int Place, string Name, string Type, string? ContentId, string Hash, long Size);

/// <summary>A file to add to a new mailing.</summary>
public sealed record NewFile(string Name, ReadOnlyMemory<byte> Content);

/// <summary>A mailing to create.</summary>
/// <param name="From">An address, with a display name or without; for one of a domain elsewhere, copies come from the course (<see cref="OwnFrom"/>).</param>
/// <param name="Mjml">What the HTML is compiled from; then there is no other.</param>
/// <param name="To">An audience, or the name of one that is kept; null: everybody who is in the course.</param>
/// <param name="ReplyTo">Whom answers go to; null: From, or who wrote it from elsewhere.</param>
/// <param name="Pixel">Copies have a picture by which is seen that they were opened.</param>
/// <param name="Clicks">Links of copies lead by this server, which notes that they were followed.</param>
/// <param name="Parent">The mailing that this one sends again, or null.</param>
/// <param name="Author">Who makes it: the key of his address, else how he came.</param>
public sealed record NewMailing(string Course, string From, string Subject, string? Html, string? Text, IReadOnlyList<NewFile> Files, string? Mjml = null, string? To = null, MailingClass Class = MailingClass.Course, string? ReplyTo = null, bool Pixel = false, bool Clicks = false, long? Parent = null, string Author = "");

/// <summary>One person's copy as it would be sent.</summary>
public sealed record MailingPreview(string Address, string Name, string From, string Subject, string? Html, string Text, IReadOnlyList<CheckProblem> Problems);

/// <summary>A person who cannot be sent to as things are.</summary>
/// <param name="Line">The row of the file that brought the person.</param>
/// <param name="Field">The merge field at fault, or null.</param>
public sealed record CheckProblem(long ParticipantId, string Address, string Name, int Line, string? Field, string Message)
{
    public override string ToString() => $"row {Line}: {Address}{(Name.Length > 0 ? $" ({Name})" : "")}: {Message}";
}

/// <summary>What the check of a mailing found.</summary>
/// <param name="People">How many there are in the course.</param>
/// <param name="Faults">What is wrong for everybody; no flag passes over these.</param>
/// <param name="Problems">By person, several a person where there are several.</param>
/// <param name="Notes">Worth knowing; they stop nothing.</param>
public sealed record CheckReport(int People, IReadOnlyList<string> Faults, IReadOnlyList<CheckProblem> Problems, IReadOnlyList<string> Notes)
{
    /// <summary>What its author should look at.</summary>
    public IReadOnlyList<CheckFinding> Findings { get; init; } = [];

    /// <summary>Nothing stands in the way of sending to everybody.</summary>
    public bool IsGood => Faults.Count == 0 && Problems.Count == 0;

    /// <summary>How many people have a problem.</summary>
    public int Affected => Problems.Select(problem => problem.ParticipantId).Distinct().Count();
}
