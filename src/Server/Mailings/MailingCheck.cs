using System.Text;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Mailings;

/// <summary>
/// The gate before a mailing: everybody's copy is rendered and everybody's address looked up, and what is wrong is named
/// by person, row and field. Nothing is sent while it finds a fault.
/// </summary>
sealed class MailingCheck(UserDirectory directory, Composer composer, IReadOnlyList<Participant> people, IReadOnlyList<ImportError> leftOut, int attachments = 0, Func<Participant, CheckFinding?>? history = null)
{
    /// <summary>Gmail hides what is behind the first 102 KB of HTML.</summary>
    const int ClippedLength = 102 * 1024;

    readonly List<string> faults = [];
    readonly List<CheckProblem> problems = [];
    const int MaxFindings = 200;

    readonly List<string> notes = [];
    readonly List<CheckFinding> findings = [];
    readonly HashSet<string> unknown = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<long, Participant> reached = [];

    public CheckReport Run()
    {
        Sender();
        Fields();
        if (people.Count == 0) faults.Add($"The course {composer.Course.Slug} has no participants; import them with: cbamail course import {composer.Course.Slug} FILE.csv");
        var scratch = new StringBuilder();
        var missing = new List<MissingField>();
        var clipped = 0;
        foreach (var person in people)
        {
            missing.Clear();
            var subject = composer.Probe(composer.Data(person.Address, person.Name, person.Fields), scratch, missing);
            if (composer.Html is not null && LetterCheck.IsLonger(scratch, ClippedLength)) clipped++;
            if (findings.Count < MaxFindings && history?.Invoke(person) is { } past) findings.Add(past);
            Missing(person, missing);
            if (subject.Length == 0) Problem(person, null, "the subject is empty");
            Address(person);
        }
        if (clipped > 0) findings.Add(LetterCheck.Clipped(clipped, people.Count));
        if (clipped > 0) notes.Add(findings[^1].English);
        if (people is [var reader, ..])
        {
            var (subject, _, text) = composer.Render(composer.Data(reader.Address, reader.Name, reader.Fields));
            findings.InsertRange(0, new LetterCheck(composer.Mailing.Html, composer.Text is not null, subject, text, composer.Course.Language, attachments).Run());
        }
        foreach (var row in leftOut.Take(100)) notes.Add($"the last import left out row {row.Line}: {(row.Address.Length > 0 && !row.Reason.Contains(row.Address, StringComparison.Ordinal) ? row.Address + ": " : "")}{row.Reason}");
        if (leftOut.Count > 100) notes.Add($"the last import left out {leftOut.Count - 100} more rows");
        return new(people.Count, faults, problems, notes) { Findings = findings };
    }

    void Sender()
    {
        if (composer.Mailing.ReplyTo is { } writer) notes.Add($"copies come from {composer.Mailing.FromAddress}, answers go to {writer}");
        if (!MailAddress.TryParse(composer.Mailing.FromAddress, out var from) || !directory.IsLocal(from))
            faults.Add($"{composer.Mailing.FromAddress} is not an address of a domain of this server");
        else if (!directory.Resolve(from).Ok && composer.Mailing.ReplyTo is null)
            notes.Add($"there is no mailbox {composer.Mailing.FromAddress}: replies and returned mail will not arrive");
    }

    /// <summary>A field that nobody has is a mistake of the template: reported once, not 2,500 times.</summary>
    void Fields()
    {
        var columns = new HashSet<string>(composer.Course.Columns, StringComparer.OrdinalIgnoreCase);
        foreach (var person in people) columns.UnionWith(MergeJson.Read(person.Fields).Keys); // attributes of people too
        IReadOnlyList<string> known = [.. columns, .. MergeData.Always];
        var nobody = MergeData.Of("", "", "{}", MergeData.Shared(composer.Course, "", ""));
        foreach (var (what, template) in composer.Templates)
            foreach (var reference in template.References)
            {
                // exam.room: of the column exam
                if (nobody.Find(reference.Name) is not null || reference.Name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && columns.Contains(reference.Name[..dot]) || columns.Contains(reference.Name)) continue;
                if (!unknown.Add(reference.Name)) continue;
                var meant = MergeData.Similar(reference.Name, known) is { } similar
                    ? $"; did you mean {{{{{(similar.Any(char.IsWhiteSpace) ? $"[{similar}]" : similar)}}}}}?"
                    : composer.Course.Columns.Count > 0 ? $"; the course has: {string.Join(", ", composer.Course.Columns)}" : "; the course has no further columns";
                var sentence = $"{what}, line {reference.Line}, column {reference.Column}: nobody has a merge field \"{reference.Name}\"{meant}";
                if (reference.Required) faults.Add(sentence); else notes.Add(sentence);
            }
    }

    void Missing(in Participant person, List<MissingField> missing)
    {
        var named = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in missing)
        {
            if (field.Name == Rendering.TooLong)
            {
                Problem(person, null, "the letter does not end: its loops are too long");
                continue;
            }
            if (unknown.Contains(field.Name) || !named.Add(field.Name)) continue;
            Problem(person, field.Name, $"the merge field \"{field.Name}\" is empty (line {field.Line}, column {field.Column} of the template)");
        }
    }

    void Address(in Participant person)
    {
        if (!MailAddress.TryParse(person.Address, out var address))
        {
            Problem(person, null, "this is not a valid address");
            return;
        }
        if (!directory.IsLocal(address)) return;
        var targets = directory.Resolve(address);
        if (!targets.Ok)
        {
            Problem(person, null, $"bad address: {targets.Refusal.Sentence.ToLowerInvariant().TrimEnd('.')}");
            return;
        }
        // Two rows that end in the same mailbox (Anna@ and anna+course@): the second would be a second copy.
        // What a catch-all gathers for a domain are different people.
        if (targets.Value is not [{ Account: { } account }]) return;
        if (directory.FindDomain(address.Domain)?.CatchAll is { } all && string.Equals(all, account.Address.Key, StringComparison.OrdinalIgnoreCase)) return;
        if (reached.TryGetValue(account.Id, out var other))
            Problem(person, null, $"duplicate: reaches the mailbox {account.Address} as does row {other.Line} ({other.Address})");
        else
            reached[account.Id] = person;
    }

    void Problem(in Participant person, string? field, string message) =>
        problems.Add(new(person.Id, person.Address, person.Name, person.Line, field, message));
}
