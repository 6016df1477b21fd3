using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Http;

/// <summary>What routes ask of a request.</summary>
static class Requests
{
    public const int MostOfPage = 5000;
    const int UsualPage = 100;

    /// <summary>Who asks; the door has seen to it that there is somebody.</summary>
    public static Caller Caller(this HttpContext context) => context.Features.Get<Caller>() ?? throw new InvalidOperationException("the door has not said who asks");

    /// <summary>Null where the word behind "?" is missing or empty.</summary>
    public static string? Asked(this HttpContext context, string name) => context.Request.Query[name] is [{ Length: > 0 } value] ? value : null;

    /// <summary>A refusal where this caller may not do this to that domain.</summary>
    public static Refusal? Forbids(this HttpContext context, Permission permission, Domain domain) => context.Caller().May(permission, domain) ? null : MayNot(permission);

    public static Refusal? Forbids(this HttpContext context, Permission permission, Account account) => context.Caller().May(permission, account) ? null : MayNot(permission);

    public static Refusal MayNot(Permission permission) => Refusal.NotPermitted.Because($"You may not do this here: it takes the permission {permission.Name}");

    /// <summary>
    /// A page of a list, as {"items", "next"}: those behind the cursor, ?limit= of them; the control socket gets all where it names no limit.
    /// </summary>
    /// <param name="sorted">In the ordinal order of their keys.</param>
    public static Task ListAsync<T>(this HttpContext context, IEnumerable<T> sorted, Func<T, string> key, Func<T, object> show)
    {
        if (context.Limit() is not { } limit) return context.RefuseAsync(Refusal.Invalid.Because($"limit is a number from 1 to {MostOfPage}").At("limit"));
        var after = "";
        if (context.Asked("cursor") is { } cursor && !TryCursor(cursor, out after)) return context.RefuseAsync(Refusal.Invalid.Because("This cursor is not one of ours: take \"next\" of the page before").At("cursor"));
        var page = new List<object>();
        string? last = null, next = null;
        foreach (var item in sorted)
        {
            var name = key(item);
            if (after.Length > 0 && string.CompareOrdinal(name, after) <= 0) continue;
            if (page.Count == limit) { next = Cursor(last!); break; }
            page.Add(show(item));
            last = name;
        }
        if (next is not null) context.Response.Headers.Link = $"<{context.Request.PathBase}{context.Request.Path}{context.Request.QueryString.WithCursor(next)}>; rel=\"next\"";
        return context.JsonAsync(new { items = page, next });
    }

    /// <summary>?limit=, or null where it is no number that fits.</summary>
    public static int? Limit(this HttpContext context) =>
        context.Asked("limit") is not { } text ? context.Caller().From is null && context.Caller().Account is null ? int.MaxValue : UsualPage
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MostOfPage ? limit : null;

    static string WithCursor(this QueryString query, string cursor) =>
        QueryString.Create([.. Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query.Value).Where(pair => pair.Key != "cursor"), new("cursor", cursor)]).Value!;

    const char OurCursor = '>'; // what begins otherwise is none that we have given

    static string Cursor(string key) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(OurCursor + key)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    static bool TryCursor(string cursor, out string key)
    {
        var bytes = new byte[cursor.Length];
        var padded = cursor.Replace('-', '+').Replace('_', '/') + new string('=', (4 - cursor.Length % 4) % 4);
        var right = Convert.TryFromBase64String(padded, bytes, out var length);
        var text = right ? System.Text.Encoding.UTF8.GetString(bytes, 0, length) : "";
        key = text.Length > 1 ? text[1..] : "";
        return text.Length > 1 && text[0] == OurCursor;
    }

    /// <summary>A route that takes a JSON body and does something with it.</summary>
    public static RequestDelegate With<T>(Func<HttpContext, T, Task> deed) where T : class => async context =>
    {
        if (await context.ReadAsync<T>() is { } body) await deed(context, body);
    };

    public static RequestDelegate WithDomain(Func<HttpContext, Domain, Task> deed) => context =>
    {
        var name = context.Part("domain");
        return context.Room<UserDirectory>().FindDomain(name) is { } domain ? deed(context, domain) : context.RefuseAsync(NoDomain(name));
    };

    public static RequestDelegate WithAccount(Func<HttpContext, Account, Task> deed) => context =>
    {
        var text = context.Part("address");
        return context.FindAccount(text) is { } account ? deed(context, account) : context.RefuseAsync(NoAccount(text));
    };

    public static Account? FindAccount(this HttpContext context, string text) => Names.TryAddress(text, out var address) ? context.Room<UserDirectory>().FindAccount(address) : null;

    public static Refusal NoAccount(string name) => Refusal.NoSuchUser.Because($"There is no account {name}; list them with: cbamail account list");

    public static Refusal NoDomain(string name) => Refusal.NoSuchDomain.Because($"There is no domain {name}; list them with: cbamail domain list");

    /// <summary>The domain that ?domain= names, of those that the caller sees; the first is false where the answer is given already.</summary>
    public static async Task<(bool Go, Domain? Domain)> DomainOfQueryAsync(this HttpContext context, Permission permission)
    {
        if (context.Asked("domain") is not { } name) return (true, null);
        if (context.Room<UserDirectory>().FindDomain(name) is not { } domain) await context.RefuseAsync(NoDomain(name).At("domain"));
        else if (context.Forbids(permission, domain) is { } refusal) await context.RefuseAsync(refusal);
        else return (true, domain);
        return (false, null);
    }
}
