using System.Buffers;
using System.Text;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Mime;

namespace CbaMail.Mailings;

/// <summary>A copy that somebody is to look at before the mailing is sent.</summary>
/// <param name="Mark">Before the subject.</param>
/// <param name="To">Who looks at it.</param>
public sealed record TestCopy(string Mark, string To);

/// <summary>
/// Writes the copies of one mailing: templates parsed once, files read and encoded once, nothing kept a person.
/// The same recipient always gives the same bytes. Thread-safe.
/// </summary>
public sealed class Composer
{
    readonly Course course;
    readonly Mailing mailing;
    readonly (string Name, string Address)? writer; // where that is not From
    readonly DateTimeOffset now;
    readonly IReadOnlyDictionary<string, string> shared;
    readonly IReadOnlyList<MimeFile> inline;
    readonly IReadOnlyList<MimeFile> attachments;

    Composer(Course course, Mailing mailing, Template subject, Template? html, Template? text, IReadOnlyList<MimeFile> files, DateTimeOffset now)
    {
        this.now = mailing.Started ?? now;
        this.course = course;
        this.mailing = mailing;
        (Subject, Html, Text) = (subject, html, text);
        writer = mailing.Writer is { } who ? (who.Name, who.Address.ToString()) : null;
        shared = MergeData.Shared(course, writer?.Name ?? mailing.FromName, writer?.Address ?? mailing.FromAddress);
        inline = [.. files.Where(file => file.ContentId is not null)];
        attachments = [.. files.Where(file => file.ContentId is null)];
    }

    /// <summary>The ways out that stand in copies; null: none do.</summary>
    internal MailingLinks? Links { get; init; }

    public Mailing Mailing => mailing;
    public Course Course => course;
    public Template Subject { get; }
    public Template? Html { get; }
    /// <summary>Null where the plain text is derived from the HTML.</summary>
    public Template? Text { get; }

    /// <summary>The templates with what each is called in errors.</summary>
    public IEnumerable<(string What, Template Template)> Templates
    {
        get
        {
            yield return ("subject", Subject);
            if (Html is not null) yield return ("HTML", Html);
            if (Text is not null) yield return ("text", Text);
        }
    }

    /// <summary>Parses the templates; the first mistake is refused with its line and column.</summary>
    /// <param name="now">What "tomorrow" counts from, until the mailing has been started.</param>
    public static Result<Composer> Create(Course course, Mailing mailing, IReadOnlyList<MimeFile> files, DateTimeOffset now, MailingLinks? links = null)
    {
        var parts = new Template?[3];
        foreach (var (i, what, text, kind) in new[]
        {
            (0, "subject", mailing.Subject, TemplateKind.Text), (1, "HTML template", mailing.Html, TemplateKind.Html), (2, "text template", mailing.Text, TemplateKind.Text),
        })
        {
            if (text is null) continue;
            parts[i] = Template.Parse(text, kind, out var error);
            if (error is not null) return Refusal.Invalid.Because($"The {what} has a mistake at {error}");
        }
        return new Composer(course, mailing, parts[0]!, parts[1], parts[2], files, now) { Links = links };
    }

    public MergeData Data(string address, string name, string fields) => MergeData.Of(address, name, fields, shared, now);

    /// <summary>The subject in one line.</summary>
    public string RenderSubject(MergeData data, List<MissingField>? missing = null) => ParticipantFile.OneLine(Subject.Render(data, missing));

    /// <summary>What a person will read. The text is derived from the HTML where it has no template of its own.</summary>
    public (string Subject, string? Html, string Text) Render(MergeData data)
    {
        var html = Html?.Render(data);
        return (RenderSubject(data), html, Text?.Render(data) ?? (html is null ? "" : PlainText.Of(html)));
    }

    /// <summary>Renders everything for the sake of <paramref name="missing"/>; the HTML stays in <paramref name="scratch"/>.</summary>
    public string Probe(MergeData data, StringBuilder scratch, List<MissingField> missing)
    {
        foreach (var (_, template) in Templates)
        {
            if (template == Subject || template == Html) continue;
            scratch.Clear();
            template.Render(data, scratch, missing);
        }
        scratch.Clear();
        Html?.Render(data, scratch, missing);
        return RenderSubject(data, missing);
    }

    /// <summary>Writes the whole message for a recipient.</summary>
    /// <param name="eightBit">
    /// It stays on this server: Cyrillic text is a third shorter than in base64, and copies that differ by a name still have their bytes
    /// in common, so that they are kept in a tenth of the space.
    /// </param>
    /// <param name="test">It is only to be looked at; null: it is the copy itself.</param>
    public void Compose(LedgerWork work, IBufferWriter<byte> output, bool eightBit = false, TestCopy? test = null)
    {
        var (subject, html, text) = Render(Data(work.Address, work.Name, work.Fields));
        (html, text) = ListFields.WithFooter(mailing, course, work.Id, Links, html, text);
        if (html is not null && test is null && (mailing.Pixel || mailing.Clicks) && Links is not null) html = Links.Tracked.In(html, mailing, work.Id);
        var builder = new MessageBuilder
        {
            From = (mailing.FromName, mailing.FromAddress),
            ReplyTo = writer,
            Subject = test?.Mark + subject,
            Date = mailing.Started ?? mailing.Created,
            MessageId = work.MessageId,
            Html = html,
            Text = text,
            EightBit = eightBit,
        };
        builder.To.Add(test is null ? (work.Name, work.Address) : ("", test.To));
        builder.Headers.AddRange(ListFields.Of(mailing, course, work.Id, Links));
        builder.Inline.AddRange(inline);
        builder.Attachments.AddRange(attachments);
        builder.WriteTo(output);
    }
}
