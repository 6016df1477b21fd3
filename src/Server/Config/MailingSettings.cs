using System.Net;

namespace CbaMail.Config;

/// <summary>The keys of course mailings.</summary>
public sealed record MailingSettings : IChecked
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

    string? IChecked.Problem() => Envelope.MailAddress.TryParse(OwnFrom.Replace("{course}", "a", StringComparison.Ordinal) + "@example.org", out _) ? null
        : $"mailings.own-from: \"{OwnFrom}\" makes no address; write it as in {{course}} or news-{{course}}";
}
