using System.Text.RegularExpressions;
using CbaMail.Authorization;

namespace CbaMail.Http;

/// <summary>What the permission of a route is asked for, before it runs.</summary>
enum About
{
    /// <summary>The server: whoever reaches everywhere.</summary>
    Server,
    /// <summary>The domain that {domain} of the path names.</summary>
    Domain,
    /// <summary>The account that {address} of the path names.</summary>
    Account,
    /// <summary>The account, alias or domain that {address} or {subject} of the path names.</summary>
    Name,
    /// <summary>The course that {course} of the path names.</summary>
    Course,
    /// <summary>The course of the mailing that {id} of the path names.</summary>
    Mailing,
    /// <summary>What the body or the query names, or a list of which everybody sees his part: the route itself asks, of who has the permission at all.</summary>
    Asked,
}

/// <summary>A row of the API: one operation with everything that the door, the OpenAPI document and the tests need.</summary>
/// <param name="Path">Below /api/v1.</param>
/// <param name="Permission">Null: anybody, signed in or not.</param>
/// <param name="Summary">One line.</param>
sealed partial record ApiRoute(string Method, string Path, Permission? Permission, About About, string Summary, RequestDelegate Run)
{
    /// <summary>What the body is made from; null: none, or not JSON.</summary>
    public Type? Takes { get; init; }

    /// <summary>The media type of a body that is not JSON.</summary>
    public string? TakesType { get; init; }

    /// <summary>The answer, or one of its list; an array where it is a plain list. Null: see <see cref="GivesType"/> and <see cref="Redirects"/>.</summary>
    public Type? Gives { get; init; }

    /// <summary>The media type of an answer that is neither JSON nor, where it <see cref="Streams"/>, JSON lines.</summary>
    public string? GivesType { get; init; }

    /// <summary>Leads a browser on, and has no body.</summary>
    public bool Redirects { get; init; }

    /// <summary>The answer is a page of a list: limit, cursor and fields are understood.</summary>
    public bool IsList { get; init; }

    /// <summary>What may stand behind "?", a name each.</summary>
    public IReadOnlyList<string> Query { get; init; } = [];

    /// <summary>The one of <see cref="Query"/> that may stand there several times.</summary>
    public string? Repeats { get; init; }

    /// <summary>Lines come as they are made, or the answer may be long: nothing of it is held back.</summary>
    public bool Streams { get; init; }

    /// <summary>Understands ?dry-run=true: says what it would do, and does nothing.</summary>
    public bool CanRehearse { get; init; }

    /// <summary>Open to a session that can do nothing else yet: its owner must set up a second factor, or take a password of his own.</summary>
    public bool IsForNewcomers { get; init; }

    /// <summary>Whether it only looks. POST of a question that changes nothing says so.</summary>
    public bool OnlyReads { get; init; } = Method is "GET";

    Regex? form;

    /// <summary>The parts of a path, where it is one of this route.</summary>
    /// <param name="path">Below the root.</param>
    public RouteValueDictionary? Match(string path)
    {
        form ??= new Regex("^" + Gap().Replace(Regex.Escape(Path).Replace("\\{", "{", StringComparison.Ordinal), gap => gap.Groups[2].Success ? $"(?<{gap.Groups[1]}>[0-9]{{1,18}})" : $"(?<{gap.Groups[1]}>[^/]+)") + "$", RegexOptions.CultureInvariant);
        var match = form.Match(path);
        return match.Success ? new RouteValueDictionary(match.Groups.Values.Where(group => group.Name != "0").Select(group => KeyValuePair.Create(group.Name, (object?)group.Value))) : null;
    }

    [GeneratedRegex(@"\{(\w+)(:\w+)?\}")] private static partial Regex Gap();

    /// <summary>As the audit log and the OpenAPI document call it.</summary>
    public string Name => $"{Method} {ApiRoutes.Root}{Path}";
}
