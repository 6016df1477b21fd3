using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Mailings;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/templates: texts that mailings are begun with; each is a domain's.</summary>
static class TemplatesApi
{
    /// <param name="Language">ru or en; ru where nothing is said.</param>
    /// <param name="Mjml">What the HTML is to be compiled from.</param>
    /// <param name="Html">With fields, as in <c>{{name}}</c>.</param>
    sealed record NewTemplate(string Domain, string Name, string Subject, string? Language = null, string? Html = null, string? Text = null, string? Mjml = null);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/templates", Permissions.TemplatesRead, About.Asked, "Templates of mailings", ListAsync) { IsList = true, Query = ["domain", "search"], Gives = typeof(MailingTemplate) },
        new("POST", "/templates", Permissions.TemplatesWrite, About.Asked, "Make a template", Requests.With<NewTemplate>(AddAsync)) { Takes = typeof(NewTemplate), Gives = typeof(MailingTemplate), CanRehearse = true },
        new("GET", "/templates/{id:long}", Permissions.TemplatesRead, About.Asked, "One template", context => WithAsync(context, Permissions.TemplatesRead, one => context.JsonAsync(one))) { Gives = typeof(MailingTemplate) },
        new("PATCH", "/templates/{id:long}", Permissions.TemplatesWrite, About.Asked, "Change a template", Requests.With<TemplateWish>((context, wish) => WithAsync(context, Permissions.TemplatesWrite, async one =>
            await context.ResultAsync(await context.Room<TemplateBook>().ChangeAsync(one.Id, wish, context.RequestAborted), now => now)))) { Takes = typeof(TemplateWish), Gives = typeof(MailingTemplate), CanRehearse = true },
        new("DELETE", "/templates/{id:long}", Permissions.TemplatesWrite, About.Asked, "Remove a template; mailings that were begun with it stay", context => WithAsync(context, Permissions.TemplatesWrite, async one =>
        {
            if (await context.Room<TemplateBook>().RemoveAsync(one.Id, context.RequestAborted) is { } refusal) await context.RefuseAsync(refusal);
            else await context.JsonAsync(new NumberDone(one.Id));
        })) { Gives = typeof(NumberDone), CanRehearse = true },
    ];

    /// <summary>Whoever reaches the domain, or has a course in it.</summary>
    internal static bool May(HttpContext context, Permission permission, string domain)
    {
        var (caller, found) = (context.Caller(), context.Room<UserDirectory>().FindDomain(domain));
        return (found is not null && caller.May(permission, found)) || context.Room<CourseRegister>().List().Any(course => course.Domain == domain && caller.MayCourse(permission, course.Id, found));
    }

    static Task ListAsync(HttpContext context)
    {
        var (domain, search) = (context.Asked("domain"), context.Asked("search"));
        var may = new Dictionary<string, bool>(StringComparer.Ordinal);
        var seen = context.Room<TemplateBook>().List().Where(one => (domain is null || one.Domain == domain) && (search is null || one.Name.Contains(search, StringComparison.OrdinalIgnoreCase))
            && (may.TryGetValue(one.Domain, out var known) ? known : may[one.Domain] = May(context, Permissions.TemplatesRead, one.Domain)));
        return context.ListAsync(seen.OrderBy(Key, StringComparer.Ordinal), Key, one => one);
    }

    static string Key(MailingTemplate one) => $"{one.Domain}\u0001{one.Name}\u0001{one.Language}";

    static async Task AddAsync(HttpContext context, NewTemplate wanted)
    {
        if (context.Room<UserDirectory>().FindDomain(wanted.Domain ?? "") is { } domain && !May(context, Permissions.TemplatesWrite, domain.Name)) await context.RefuseAsync(Requests.MayNot(Permissions.TemplatesWrite));
        else await context.ResultAsync(await context.Room<TemplateBook>().AddAsync(wanted.Domain ?? "", new(wanted.Name, wanted.Language, wanted.Subject, wanted.Html, wanted.Text, wanted.Mjml), context.RequestAborted), one => one, 201);
    }

    static async Task WithAsync(HttpContext context, Permission permission, Func<MailingTemplate, Task> deed)
    {
        var found = context.Room<TemplateBook>().Find(long.Parse(context.Part("id"), CultureInfo.InvariantCulture));
        if (!found.Ok) await context.RefuseAsync(found.Refusal);
        else if (!May(context, permission, found.Value.Domain)) await context.RefuseAsync(Requests.MayNot(permission));
        else await deed(found.Value);
    }
}
