using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings.Approvals;

/// <summary>Whether a mailing may go out as it is: what was approved is what is sent, part by part.</summary>
static class ApprovalGate
{
    const int DeepestAudience = 5;

    /// <summary>The policies that cover a mailing: the domain's and the course's own. Both hold.</summary>
    public static List<ApprovalPolicy> Covering(ReadTransaction read, Course course, MailingClass kind, int readers) =>
        [.. new[] { ApprovalTable.Policy(read.Prepare, course.Domain, 0), ApprovalTable.Policy(read.Prepare, course.Domain, course.Id) }.OfType<ApprovalPolicy>().Where(policy => policy.Covers(kind, readers))];

    /// <summary>Why it cannot be sent to so many without another person's yes, or null.</summary>
    public static Refusal? Refuses(ReadTransaction read, Composer composer, int readers)
    {
        var mailing = composer.Mailing;
        if (Covering(read, composer.Course, mailing.Class, readers).Count == 0) return null;
        if (ApprovalTable.Of(read.Prepare, mailing.Id) is not { } own)
            return mailing.Parent is { } parent && ApprovalTable.Of(read.Prepare, parent) is { State: "approved" } of && Changed(of, Content(read, mailing, composer.Course), readers).TrueForAll(part => part is "audience")
                ? null : Refusal.NotPermitted.Because($"Mailing {mailing.Id} needs the approval of a second person; ask for it with: cbamail mailing ask {mailing.Id}");
        switch (own.State)
        {
            case "asked": return Refusal.NotPermitted.Because($"Mailing {mailing.Id} waits for the approval of a second person");
            case "refused": return Refusal.NotPermitted.Because($"Mailing {mailing.Id} was refused by {own.DecidedBy}: {own.Reason}");
        }
        return Changed(own, Content(read, mailing, composer.Course), readers) is { Count: > 0 } changed
            ? Refusal.NotPermitted.Because($"Mailing {mailing.Id} has changed since it was approved ({string.Join(", ", changed)}); ask again with: cbamail mailing ask {mailing.Id}") : null;
    }

    /// <summary>The same of a mailing as things are now.</summary>
    public static Refusal? Refuses(PressRoom press, Store store, long mailing)
    {
        var made = press.ComposerOf(mailing, withFiles: false);
        if (!made.Ok) return made.Refusal;
        using var read = store.Read();
        var reached = press.Reached(read, made.Value);
        return reached.Ok ? Refuses(read, made.Value, reached.Value.People.Count) : reached.Refusal;
    }

    /// <summary>The parts that are not what was approved. A tenth more readers, and five, are no other mailing: people join.</summary>
    public static List<string> Changed(Approval approval, SortedDictionary<string, string> now, int readers)
    {
        if (approval.Content.Count == 0) return [];
        var changed = now.Where(part => approval.Content.GetValueOrDefault(part.Key) != part.Value).Select(part => part.Key).ToList();
        if (readers > approval.Readers + approval.Readers / 10 + 5) changed.Add("readers");
        return changed;
    }

    /// <summary>What a decision is about: each part by its SHA-256.</summary>
    public static SortedDictionary<string, string> Content(ReadTransaction read, Mailing mailing, Course course)
    {
        var files = new StringBuilder();
        foreach (var file in MailingTable.Files(read, mailing.Id)) files.Append(CultureInfo.InvariantCulture, $"{file.Name}\n{file.Type}\n{file.ContentId}\n{file.Hash}\n");
        return new(StringComparer.Ordinal)
        {
            ["subject"] = Digest(mailing.Subject),
            ["html"] = Digest(mailing.Html ?? ""),
            ["text"] = Digest(mailing.Text ?? ""),
            ["files"] = Digest(files.ToString()),
            ["from"] = Digest($"{mailing.FromName}\n{mailing.FromAddress}"),
            ["reply-to"] = Digest(mailing.ReplyTo ?? ""),
            ["class"] = Digest(ClassRules.Of(mailing.Class).Word),
            ["tracking"] = Digest($"{mailing.Pixel} {mailing.Clicks}"),
            ["audience"] = Digest(Whole(read, course, AudienceTable.Of(read, mailing.Id)?.Rule ?? "", 0)),
        };
    }

    // with the rules of those that it names: they are kept apart, and can change
    static string Whole(ReadTransaction read, Course course, string text, int depth)
    {
        if (text.Length == 0 || depth > DeepestAudience || Audience.Parse(read, course, text) is not { Ok: true, Value: var rule }) return text;
        var whole = new StringBuilder(rule.ToString());
        foreach (var name in rule.Terms().OfType<AudienceRule.InAudience>().Select(named => named.Name).Distinct(StringComparer.OrdinalIgnoreCase))
            if (AudienceTable.Find(read.Prepare, course.Domain, course.Id, name) is { } saved) whole.Append('\n').Append(name).Append(": ").Append(Whole(read, course, saved.Rule, depth + 1));
        return whole.ToString();
    }

    static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
