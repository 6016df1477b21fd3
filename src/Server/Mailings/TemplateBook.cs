using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>A text that mailings are begun with.</summary>
/// <param name="Domain">Whose courses it is for.</param>
/// <param name="Language">ru or en: a name may have one of each.</param>
public sealed record MailingTemplate(long Id, string Domain, string Name, string Language, string Subject, string? Html, string? Text, DateTimeOffset Created, DateTimeOffset Changed);

/// <summary>What is asked of one; null leaves it as it is.</summary>
public sealed record TemplateWish(string? Name = null, string? Language = null, string? Subject = null, string? Html = null, string? Text = null);

/// <summary>The templates of mailings, kept under names.</summary>
public sealed class TemplateBook(Store store, UserDirectory directory, Settings settings, TimeProvider time)
{
    const int LongestName = 200;

    /// <summary>In the order of domains and names.</summary>
    public IReadOnlyList<MailingTemplate> List()
    {
        using var read = store.Read();
        return TemplateTable.List(read);
    }

    public Result<MailingTemplate> Find(long id)
    {
        using var read = store.Read();
        return TemplateTable.Find(read, id) is { } found ? found : NoTemplate(id);
    }

    public async ValueTask<Result<MailingTemplate>> AddAsync(string domain, TemplateWish wish, CancellationToken cancel)
    {
        if (directory.FindDomain(domain) is not { } found) return Refusal.NoSuchDomain.Because($"There is no domain {domain}; list them with: cbamail domain list");
        var now = time.GetUtcNow();
        return await PutAsync(new(0, found.Name, "", "ru", "", null, null, now, now), wish, cancel);
    }

    public async ValueTask<Result<MailingTemplate>> ChangeAsync(long id, TemplateWish wish, CancellationToken cancel)
    {
        var old = Find(id);
        return old.Ok ? await PutAsync(old.Value with { Changed = time.GetUtcNow() }, wish, cancel) : old;
    }

    async ValueTask<Result<MailingTemplate>> PutAsync(MailingTemplate old, TemplateWish wish, CancellationToken cancel)
    {
        var next = old with { Name = (wish.Name ?? old.Name).Trim(), Language = wish.Language ?? old.Language, Subject = wish.Subject ?? old.Subject, Html = Or(wish.Html, old.Html), Text = Or(wish.Text, old.Text) };
        if (Problem(next) is { } problem) return problem;
        return await store.CommitAsync<Result<MailingTemplate>>(write =>
        {
            if (TemplateTable.IsTaken(write, next)) return Refusal.AlreadyExists.Because($"There is a template \"{next.Name}\" in this language already").At("name");
            if (next.Id == 0) return next with { Id = TemplateTable.Add(write, next) };
            return TemplateTable.Update(write, next) ? next : NoTemplate(next.Id);
        }, cancel);
    }

    public async ValueTask<Refusal?> RemoveAsync(long id, CancellationToken cancel) =>
        await store.CommitAsync(write => TemplateTable.Remove(write, id), cancel) ? null : NoTemplate(id);

    Refusal? Problem(MailingTemplate one) =>
        one.Name.Length is 0 or > LongestName ? Refusal.Invalid.Because($"A template has a name of 1 to {LongestName} characters").At("name")
        : one.Language is not ("ru" or "en") ? Refusal.Invalid.Because("The language is ru or en").At("language")
        : one.Subject.Length == 0 ? Refusal.Invalid.Because("A template has a subject").At("subject")
        : one.Html is null && one.Text is null ? Refusal.Invalid.Because("A template has a text, in HTML or plain").At("html")
        : Faulty("subject", one.Subject, TemplateKind.Text) ?? Faulty("html", one.Html, TemplateKind.Html) ?? Faulty("text", one.Text, TemplateKind.Text);

    Refusal? Faulty(string field, string? text, TemplateKind kind) =>
        text is null ? null
        : text.Length > settings.Mailings.TemplateLength ? Refusal.TooLarge.Because($"It is longer than {settings.Mailings.TemplateLength} characters").At(field)
        : TemplateParser.Parse(text, kind, out var wrong) is null ? Refusal.Invalid.Because($"{field}: {wrong}").At(field) : null;

    static string? Or(string? wish, string? old) => wish is null ? old : wish.Length == 0 ? null : wish;

    static Refusal NoTemplate(long id) => Refusal.NoSuchThing.Because($"There is no template {id}; list them with: cbamail template list");
}
