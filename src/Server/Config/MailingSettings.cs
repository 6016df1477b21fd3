using System.Net;

namespace CbaMail.Config;

/// <summary>The keys of course mailings.</summary>
public sealed partial record MailingSettings : IChecked
{
    /// <summary>Copies committed in one piece; between pieces everybody else has a turn. Default 200, at most 250.</summary>
    public int Piece { get; init; } = 200;

    /// <summary>Bytes of finished messages in memory at a time; with large attachments pieces become shorter. Default 8 MiB.</summary>
    public long PieceBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Copies rendered at the same time. Default 2, never more than the machine has cores.</summary>
    public int Renderers { get; init; } = 2;

    /// <summary>Bytes of a file of participants. Default 32 MiB.</summary>
    public long ImportBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Participants of one course. Default 100,000.</summary>
    public int Participants { get; init; } = 100_000;

    /// <summary>Further columns of a course: merge fields. Default 200.</summary>
    public int Columns { get; init; } = 200;

    /// <summary>Networks inside one's own in which systems that know people of courses (Moodle, LTI platforms) may be asked; others are asked in the open net alone. Default none.</summary>
    public IReadOnlyList<IPNetwork> RosterNetworks { get; init; } = [];

    /// <summary>Characters of one template. Default 2,000,000.</summary>
    public int TemplateLength { get; init; } = 2_000_000;

    /// <summary>Bytes of all files of one mailing together, before base64. Default 25 MiB.</summary>
    public long FileBytes { get; init; } = 25 * 1024 * 1024;

    /// <summary>
    /// What stands before the @ of the course's domain where a mailing is written from an address of a domain elsewhere, whose DMARC would not let us write in its
    /// name; <c>{course}</c> is the course's short name. Answers go to who wrote it. Default {course}.
    /// </summary>
    public string OwnFrom { get; init; } = "{course}";

    /// <summary>
    /// What opens a letter or follows its links sooner after delivery is taken for a program that looks into mail for safety, and shown apart from people. Default 5 seconds.
    /// </summary>
    public TimeSpan ScannerTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The TrueType font of documents, with the letters of the courses' languages; a file of the same name that ends in -Bold is taken for bold. Default /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf, Debian's fonts-dejavu-core.
    /// </summary>
    public string PdfFont { get; init; } = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

    /// <summary>Hours of the reader's clock in which copies of class course wait until they are over, as in 21:00-08:00; mandatory mailings never wait. Default none.</summary>
    public string QuietCourse { get; init; } = "";

    /// <summary>The same for class optional. Default none.</summary>
    public string QuietOptional { get; init; } = "";

    /// <summary>The same for class marketing. Default none.</summary>
    public string QuietMarketing { get; init; } = "";

    /// <summary>Copies of class course that one person gets in a day of his clock, whatever the course; further ones wait for the next. 0 = no limit. Default 0.</summary>
    public int DailyCourse { get; init; }

    /// <summary>The same for class optional. Default 0.</summary>
    public int DailyOptional { get; init; }

    /// <summary>The same for class marketing. Default 0.</summary>
    public int DailyMarketing { get; init; }

    string? IChecked.Problem()
    {
        foreach (var (key, hours) in new[] { ("quiet-course", QuietCourse), ("quiet-optional", QuietOptional), ("quiet-marketing", QuietMarketing) })
            if (!QuietText().IsMatch(hours) || hours.Length > 0 && hours[..5] == hours[6..]) return $"mailings.{key}: \"{hours}\" are no hours; write them as in 21:00-08:00";
        return FromProblem();
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$")] private static partial System.Text.RegularExpressions.Regex QuietText();

    string? FromProblem() => Envelope.MailAddress.TryParse(OwnFrom.Replace("{course}", "a", StringComparison.Ordinal) + "@example.org", out _) ? null
        : $"mailings.own-from: \"{OwnFrom}\" makes no address; write it as in {{course}} or news-{{course}}";
}
