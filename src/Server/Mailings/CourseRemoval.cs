using CbaMail.Courses;
using CbaMail.Envelope;

namespace CbaMail.Mailings;

/// <summary>The end of a course, with what was written to it.</summary>
public static class CourseRemoval
{
    /// <summary>Removes the course with its people, mailings and ledgers. Not while a mailing of it is being sent.</summary>
    public static ValueTask<Refusal?> RemoveWithMailingsAsync(this CourseRegister courses, string slug, CancellationToken cancel) => courses.RemoveAsync(slug, (transaction, course) =>
    {
        if (MailingTable.Unfinished(transaction, course) is { } one) return Refusal.Conflict.Because($"Mailing {one} of this course is not finished; cancel it first: cbamail mailing cancel {one}");
        CourseAddressTable.RemoveAll(transaction, course);
        AudienceTable.RemoveAll(transaction, course);
        Approvals.ApprovalTable.RemoveAll(transaction, course);
        MailingTable.RemoveAll(transaction, course);
        return null;
    }, cancel);
}
