using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mjml;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>A text that mailings are begun with.</summary>
/// <param name="Domain">Whose courses it is for.</param>
/// <param name="Language">ru or en: a name may have one of each.</param>
/// <param name="Html">Compiled, where there is MJML.</param>
/// <param name="Mjml">What the HTML is compiled from, or null.</param>
public sealed record MailingTemplate(long Id, string Domain, string Name, string Language, string Subject, string? Html, string? Text, DateTimeOffset Created, DateTimeOffset Changed, string? Mjml = null);

/// <summary>What is asked of one; null leaves it as it is, "" takes it away.</summary>
/// <param name="Mjml">The HTML is compiled from it.</param>
public sealed record TemplateWish(string? Name = null, string? Language = null, string? Subject = null, string? Html = null, string? Text = null, string? Mjml = null);

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
        if (wish is { Mjml.Length: > 0, Html.Length: > 0 }) return Refusal.Invalid.Because("A text in HTML is written as MJML or as HTML, not both").At("mjml");
        next = next with { Mjml = wish.Html is null ? Or(wish.Mjml, old.Mjml) : null };
        if (wish.Mjml is { Length: 0 } && old.Mjml is not null && wish.Html is null) next = next with { Html = null };
        if (next.Mjml is { } mjml && (wish.Mjml is not null || wish.Language is not null))
        {
            var compiled = Compiled(mjml, next.Language);
            if (!compiled.Ok) return compiled.Refusal;
            next = next with { Html = compiled.Value };
        }
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
        : TemplateParser.Parse(SharedBlocks.Blank(text), kind, out var wrong) is null ? Refusal.Invalid.Because($"{field}: {wrong}").At(field) : null;

    /// <summary>The HTML of a document, or the first mistake.</summary>
    internal static Result<string> Compiled(string mjml, string language)
    {
        var result = MjmlCompiler.Compile(mjml, language);
        return result.Html is { } html ? html : Refusal.Invalid.Because($"The MJML has a mistake at {result.Errors[0]}").At("mjml");
    }

    /// <summary>The text with the shared blocks of the domain's book: of the same language before others.</summary>
    internal static Result<string> WithBlocks(ReadTransaction read, string text, string domain, string language, TemplateKind kind, int most)
    {
        if (!text.Contains("{{", StringComparison.Ordinal)) return text;
        List<MailingTemplate>? book = null;
        var (whole, missing) = SharedBlocks.Expand(text, most, name =>
        {
            book ??= TemplateTable.List(read);
            var block = book.Where(one => one.Domain == domain && string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase)).OrderBy(one => one.Language == language ? 0 : 1).FirstOrDefault();
            return kind == TemplateKind.Html ? block?.Html ?? block?.Text : block?.Text ?? (block?.Html is { } html ? PlainText.Of(html) : null);
        });
        return missing is null ? whole : Refusal.Invalid.Because($"The template book of {domain} has no block \"{missing}\", or it leads to itself; add it with: cbamail template add");
    }

    static string? Or(string? wish, string? old) => wish is null ? old : wish.Length == 0 ? null : wish;

    static Refusal NoTemplate(long id) => Refusal.NoSuchThing.Because($"There is no template {id}; list them with: cbamail template list");
}
