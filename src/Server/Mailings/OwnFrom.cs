using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>
/// The From of what somebody writes to a course whose address is of a domain elsewhere. In his own name the mail would fail that domain's DMARC
/// (RFC 7489 3.1): it goes out from an address of the course with his name in front, and answers go to him.
/// </summary>
static class OwnFrom
{
    /// <summary>The address that teachers of the course write to, where there is one; else that of the setting, or null where it makes no address.</summary>
    public static MailAddress? Of(ReadTransaction read, Course course, MailingSettings settings) =>
        CourseAddressTable.All(read, course.Id) is [var first, ..] ? first.Address
        : MailAddress.TryParse($"{settings.OwnFrom.Replace("{course}", course.Slug, StringComparison.Ordinal)}@{course.Domain}", out var address) ? address : null;
}
