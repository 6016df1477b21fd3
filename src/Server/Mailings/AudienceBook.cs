using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>Audiences kept under names, previews of them, and the audience of a mailing.</summary>
public sealed class AudienceBook(Store store, TimeProvider time)
{
    const int Most = 500;

    /// <summary>Those of a course and of its domain.</summary>
    public IReadOnlyList<SavedAudience> List(Course course)
    {
        using var read = store.Read();
        return AudienceTable.List(read, course.Domain, course.Id);
    }

    public Result<SavedAudience> Find(Course course, string name)
    {
        using var read = store.Read();
        return AudienceTable.Find(read.Prepare, course.Domain, course.Id, name) is { } found ? found : None(course, name);
    }

    /// <summary>Keeps a rule under a name, and takes the place of what is kept under it.</summary>
    /// <param name="wide">For all courses of the domain.</param>
    public async ValueTask<Result<SavedAudience>> SaveAsync(Course course, string name, AudienceRule rule, bool wide, CancellationToken cancel)
    {
        name = ParticipantFile.OneLine(name);
        if (name.Length is 0 or > AudienceText.LongestName) return Refusal.Invalid.Because($"An audience needs a name of at most {AudienceText.LongestName} characters").At("name");
        if (rule.ToString() is var text && text.Length > AudienceText.Longest) return Refusal.Invalid.Because($"An audience has at most {AudienceText.Longest} characters").At("to");
        if (wide && rule.Terms().Any(term => term is AudienceRule.InRun or AudienceRule.Copy)) return Refusal.Invalid.Because("An audience for all courses names no run and no mailing: those are of one course").At("to");
        var now = time.GetUtcNow();
        var refusal = await store.CommitAsync(write =>
        {
            if (AudienceTable.Count(write, course.Domain, wide ? 0 : course.Id) >= Most) return Refusal.Conflict.Because($"There are {Most} audiences, which is the limit");
            AudienceTable.Put(write, course.Domain, wide ? 0 : course.Id, name, text, now);
            return null;
        }, cancel);
        return refusal is null ? Find(course, name) : refusal;
    }

    public async ValueTask<Refusal?> RemoveAsync(Course course, SavedAudience one, CancellationToken cancel) =>
        await store.CommitAsync(write => AudienceTable.Remove(write, one.Id), cancel) ? null : None(course, one.Name);

    /// <summary>A rule of its text, or of the name of one that is kept.</summary>
    public Result<AudienceRule> Parse(Course course, string text)
    {
        using var read = store.Read();
        return Audience.Parse(read, course, text);
    }

    /// <summary>Who is in it now.</summary>
    public Result<AudienceView> Preview(Course course, AudienceRule rule)
    {
        using var read = store.Read();
        return Audience.Evaluate(read, course, rule, time);
    }

    /// <summary>The audience of a mailing, or null: everybody who is in the course.</summary>
    public MailingAudience? Of(long mailing)
    {
        using var read = store.Read();
        return AudienceTable.Of(read, mailing);
    }

    /// <summary>Who gets the mailing as things are now; what is sent later tells the difference from it.</summary>
    public async ValueTask<Result<AudienceView>> PreviewAsync(Course course, long mailing, CancellationToken cancel)
    {
        var rule = Of(mailing) is { } audience ? Parse(course, audience.Rule) : new Result<AudienceRule>(new AudienceRule.Everybody(), null);
        if (!rule.Ok) return rule.Refusal;
        var view = Preview(course, rule.Value);
        if (!view.Ok) return view;
        var people = view.Value.People.Select(person => person.Id).Order().ToArray();
        var now = time.GetUtcNow();
        await store.CommitAsync(write => { AudienceTable.Previewed(write, mailing, people, now); return true; }, cancel);
        return view;
    }

    static Refusal None(Course course, string name) => Refusal.NoSuchThing.Because($"There is no audience \"{ParticipantFile.OneLine(name)}\"; cbamail audience list {course.Slug} shows those there are");
}
