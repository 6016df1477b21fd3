using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailings;
using CbaMail.Net;
using CbaMail.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace CbaMail.Http;

/// <summary>
/// The door of the API: every route is run through it, in this order: who asks (<see cref="ApiCallers"/>), not too often, not from a foreign
/// page, may he do this here; then the same request as before under an idempotency key, If-Match, the deed itself, the audit log, and
/// last ETag and the fields that were asked for.
/// </summary>
sealed class ApiDoor
{
    const long LargestBody = 1 << 20;
    readonly PathLocks turns = new();

    readonly ApiCallers callers;
    /// <summary>Of one caller: what slow readers hold in memory is bounded by it.</summary>
    internal const int MostAtOnce = 32;

    readonly TokenBuckets rates;
    readonly TokenBuckets changes; // of users: each leaves a row in the audit log
    readonly ConcurrentDictionary<string, int> underWay = new(StringComparer.Ordinal);
    readonly Dictionary<string, ApiRoute> shown; // path: its GET, which tells what was before

    public ApiDoor(ApiCallers callers, Settings settings, TimeProvider time)
    {
        this.callers = callers;
        rates = new TokenBuckets(settings.Api.Requests(settings.Evaluation), time);
        changes = new TokenBuckets(settings.Api.Changes(settings.Evaluation), time);
        this.time = time;
        shown = ApiRoutes.All.Where(route => route is { Method: "GET", IsList: false, Streams: false }).ToDictionary(route => route.Path);
    }

    public async Task RunAsync(ApiRoute route, HttpContext context)
    {
        Protect(context.Response.Headers);
        if (!route.Streams && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = LargestBody;
        if (route.Permission is not null)
        {
            if (await RefusedAsync(route, context, counted: true)) return;
            // who sends his body slowly keeps nobody waiting, and what was taken away from him meanwhile is gone
            if (!route.Streams && !route.OnlyReads && await ReadAheadAsync(context) && await RefusedAsync(route, context, counted: false)) return;
        }
        // who is nobody yet is counted by where he comes from
        else if (!ControlDoor.Is(context) && Limits(context, $"address {ApiCallers.From(context)}") is { } late) { await context.RefuseAsync(late); return; }
        if (context.Features.Get<Caller>() is not { From: not null } caller) { await ServeAsync(route, context); return; }
        try
        {
            if (underWay.AddOrUpdate(caller.Identity, 1, (_, count) => count + 1) <= MostAtOnce) await ServeAsync(route, context);
            else
            {
                context.Response.Headers.RetryAfter = "1";
                await context.RefuseAsync(Refusal.TooMany.Because($"At most {MostAtOnce} requests at a time; read the answers of those that are under way first"));
            }
        }
        finally
        {
            if (underWay.AddOrUpdate(caller.Identity, 0, (_, count) => count - 1) <= 0) underWay.TryRemove(new(caller.Identity, 0));
        }
    }

    /// <summary>One item of a batch: who asks is known, and has been counted; whether he may is asked for each.</summary>
    public async Task RunWithinAsync(ApiRoute route, HttpContext context)
    {
        var caller = context.Caller();
        if (route.Permission is null || route.Streams) await context.RefuseAsync(Refusal.NotPossible.Because("This cannot be a part of a batch"));
        else if (Limits(context, caller) is { } late) await context.RefuseAsync(late);
        else if (Judge(route, context, caller) is { } refusal) await context.RefuseAsync(refusal);
        else
        {
            var began = time.GetTimestamp();
            await ServeAsync(route, context);
            // what takes long counts as many: two hundred of the longest lists are no two hundred small requests
            if (caller.From is not null) rates.Spend(caller.Identity, time.GetElapsedTime(began) / CostOfOne);
        }
    }

    /// <summary>Work of one request; an item of a batch that takes longer counts as several.</summary>
    static readonly TimeSpan CostOfOne = TimeSpan.FromMilliseconds(10);
    readonly TimeProvider time;

    async Task ServeAsync(ApiRoute route, HttpContext context)
    {
        if (ApiQuery.Wrong(route, context) is { } wrong) { await context.RefuseAsync(wrong); return; }
        if (route.Streams && route.OnlyReads) { await route.Run(context); return; }
        if (route.Streams && route.CanRehearse && context.Asked("dry-run") == "true")
        {
            context.Response.Headers["Dry-Run"] = "true";
            await Rehearsal.RunAsync(() => route.Run(context));
            return;
        }
        if (route.Streams) { await RecordedAsync(route, context, buffered: false); return; }
        await using var answer = new Answer(context);
        if (route.OnlyReads)
        {
            await route.Run(context);
            Narrow(answer, context);
            if (context.Response.StatusCode == 200 && Tagged(answer, context)) return;
        }
        else await ChangeAsync(route, context, answer);
        await answer.SendAsync();
    }

    static void Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        headers.Vary = "Accept-Language";
    }

    // ---- who and whether

    /// <summary>Finds who asks.</summary>
    /// <returns>Whether he, or this of him, was refused.</returns>
    async Task<bool> RefusedAsync(ApiRoute route, HttpContext context, bool counted)
    {
        var found = callers.Find(context);
        if (found.Ok) context.Features.Set(found.Value);
        else if (found.Refusal.HttpStatus == 401) context.Response.Headers.WWWAuthenticate = "Bearer realm=\"CBA Mail\"";
        if ((found.Ok ? (counted ? Limits(context, found.Value) : null) ?? Hinders(route, context, found.Value) : found.Refusal) is not { } refusal) return false;
        await context.RefuseAsync(refusal);
        return true;
    }

    Refusal? Hinders(ApiRoute route, HttpContext context, Caller caller) =>
        !route.OnlyReads && caller.Session is { } session && !callers.Proves(context, session) ? Refusal.NotPermitted.Because("A change by a browser's session needs the header X-CSRF-Token, whose value GET /api/v1/session gives")
        : !route.IsForNewcomers && callers.Unfinished(caller) is { } first ? first : Judge(route, context, caller);

    /// <summary>Takes in the body before anything is done with it.</summary>
    /// <returns>Whether there was one.</returns>
    static async Task<bool> ReadAheadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true } || context.Request.ContentLength > LargestBody) return false;
        context.Request.EnableBuffering((int)LargestBody, LargestBody);
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        context.Request.Body.Position = 0;
        return true;
    }

    Refusal? Limits(HttpContext context, Caller caller) => caller.From is null ? null : Limits(context, caller.Identity);

    Refusal? Limits(HttpContext context, string who) => Wait(context, rates, who);

    static Refusal? Wait(HttpContext context, TokenBuckets buckets, string who)
    {
        var wait = buckets.Take(who);
        if (wait <= TimeSpan.Zero) return null;
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return Refusal.TooMany.Because("Too many requests; wait as long as Retry-After says");
    }

    /// <summary>What keeps this caller from this route, or null. What is not there is not there only for those who would have seen it.</summary>
    static Refusal? Judge(ApiRoute route, HttpContext context, Caller caller)
    {
        var permission = route.Permission!;
        var reach = caller.ReachOf(permission);
        if (reach == Reach.None) return Requests.MayNot(permission);
        if (reach == Reach.Server) return Whom(route, context) is not { } whom || caller.May(permission, whom) ? null : Requests.MayNot(permission);
        var directory = context.Room<UserDirectory>();
        return route.About switch
        {
            About.Asked => null,
            About.Domain => directory.FindDomain(context.Part("domain")) is { } domain && caller.May(permission, domain) ? null : Requests.MayNot(permission),
            About.Account => context.FindAccount(context.Part("address")) is { } account ? caller.May(permission, account) ? null : Requests.MayNot(permission) : MissingIn(context.Part("address")),
            About.Name => MayName(context.Request.RouteValues.ContainsKey("subject") ? context.Part("subject") : context.Part("address")),
            About.Course => MayCourse(context.Room<CourseRegister>().Find(context.Part("course"))),
            About.Mailing => MayCourse(context.Room<PressRoom>().CourseOf(long.Parse(context.Part("id"), CultureInfo.InvariantCulture))),
            _ => Requests.MayNot(permission),
        };

        Refusal? MissingIn(string address) =>
            Names.TryAddress(address, out var parsed) && directory.FindDomain(parsed.Domain) is { } domain && caller.May(permission, domain) ? null : Requests.MayNot(permission);

        Refusal? MayName(string name) =>
            directory.FindDomain(name) is { } domain ? caller.May(permission, domain) ? null : Requests.MayNot(permission)
            : context.FindAccount(name) is { } account ? caller.May(permission, account) ? null : Requests.MayNot(permission)
            : MissingIn(name);

        Refusal? MayCourse(Result<Course> course) =>
            course.Ok && caller.MayCourse(permission, course.Value.Id, directory.FindDomain(course.Value.Domain)) ? null : Requests.MayNot(permission);
    }

    static Account? Whom(ApiRoute route, HttpContext context) =>
        route.About is About.Account or About.Name ? context.FindAccount(context.Part(context.Request.RouteValues.ContainsKey("subject") ? "subject" : "address")) : null;

    // ---- changes

    async Task ChangeAsync(ApiRoute route, HttpContext context, Answer answer)
    {
        if (context.Asked("dry-run") is { } dry)
        {
            if (dry is not ("true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("dry-run is true or false").At("dry-run")); return; }
            if (dry == "true" && !route.CanRehearse) { await context.RefuseAsync(Refusal.NotPossible.Because("This cannot be tried without doing it").At("dry-run")); return; }
            if (dry == "true")
            {
                context.Response.Headers["Dry-Run"] = "true";
                await Rehearsal.RunAsync(() => route.Run(context));
                return;
            }
        }
        var caller = context.Features.Get<Caller>();
        if (caller is not null && IsUser(caller) && Wait(context, changes, Whose(caller)) is { } often) { await context.RefuseAsync(often); return; }
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0 || caller is null || route.Method != "POST")
        {
            await ConditionalAsync(route, context, answer);
            return;
        }
        if (key.Length > Idempotency.LongestKey) { await context.RefuseAsync(Refusal.Invalid.Because($"An idempotency key has at most {Idempotency.LongestKey} characters")); return; }
        var kept = context.Room<Idempotency>();
        var request = await DigestAsync(context);
        if (await kept.BeginAsync(Whose(caller), key, request, IsUser(caller) ? Idempotency.MostOfUser : Idempotency.Most, context.RequestAborted) is { } before)
        {
            if (!before.Request.AsSpan().SequenceEqual(request)) await context.RefuseAsync(Refusal.Invalid.Because("This idempotency key was used for another request; take a new one") with { HttpStatus = 422 });
            else if (before.Status == 0) await context.RefuseAsync(Refusal.Conflict.Because("The same request is under way, or was cut off; look what it has done before you send it under a new key"));
            else
            {
                context.Response.Headers["Idempotency-Replayed"] = "true";
                context.Response.StatusCode = before.Status;
                context.Response.ContentType = before.Type;
                await context.Response.Body.WriteAsync(before.Body);
            }
            return;
        }
        var deed = new Deed();
        context.Features.Set(deed);
        try
        {
            await ConditionalAsync(route, context, answer);
        }
        catch
        {
            // of what was cut off in the middle, by a client that waits no longer too, the key tells that it was
            if (!deed.IsDone) await kept.ForgetAsync(Whose(caller), key);
            throw;
        }
        // a refusal that has changed nothing is asked anew, and secrets are shown once
        var counts = deed.IsDone || context.Response.StatusCode is >= 200 and < 300;
        if (counts && answer.Body.Length <= Idempotency.LongestAnswer)
            await kept.FinishAsync(Whose(caller), key, new(request, context.Response.StatusCode, context.Response.ContentType ?? "", Encoding.UTF8.GetBytes(AuditText.WithoutSecrets(answer.Body) ?? "")));
        else if (!counts) await kept.ForgetAsync(Whose(caller), key);
    }

    /// <summary>Whether anything of a request with an idempotency key is on the disk; a batch and its items have one.</summary>
    internal sealed class Deed
    {
        public bool IsDone { get; set; }
    }

    static async Task<byte[]> DigestAsync(HttpContext context)
    {
        context.Request.EnableBuffering((int)LargestBody, LargestBody);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}\n"));
        var buffer = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count) hash.AppendData(buffer, 0, count);
        context.Request.Body.Position = 0;
        return hash.GetHashAndReset();
    }

    async Task ConditionalAsync(ApiRoute route, HttpContext context, Answer answer)
    {
        // one's own things stand at the same path for everybody
        if (LookOf(route) is { } look) await turns.RunAsync(route.Path.StartsWith("/me/", StringComparison.Ordinal) ? $"{context.Features.Get<Caller>()?.Account?.Id} {look.Path}" : PathOf(look, context), InTurnAsync, context.RequestAborted);
        else await InTurnAsync();

        async Task InTurnAsync()
        {
            if (context.Request.Headers.IfMatch.ToString() is not { Length: > 0 } wanted) { await RecordedAsync(route, context, buffered: true, answer); return; }
            var now = await BeforeAsync(route, context, answer);
            if (now is null ? wanted != "*" || LookOf(route) is null : wanted != "*" && !Holds(wanted, Tag(now)))
                await context.RefuseAsync(Refusal.Conflict.Because("It has changed since you looked: get it again") with { HttpStatus = 412 });
            else await RecordedAsync(route, context, buffered: true, answer, now);
        }
    }

    static string PathOf(ApiRoute look, HttpContext context) => string.Join('\n', [look.Path, .. context.Request.RouteValues.Values.Select(value => Uri.UnescapeDataString(value as string ?? ""))]);

    /// <summary>Runs the deed and writes into the audit log what it changed.</summary>
    async Task RecordedAsync(ApiRoute route, HttpContext context, bool buffered, Answer? answer = null, byte[]? before = null)
    {
        var caller = context.Features.Get<Caller>();
        if (answer is not null && caller is not null) before ??= await BeforeAsync(route, context, answer);
        if (caller is null) { await route.Run(context); return; }
        var log = context.Room<AuditLog>();
        var begun = new AuditEntry(log.Time.GetUtcNow(), caller.Name, caller.From?.ToString() ?? "", route.Name, context.Request.Path + context.Request.QueryString, 0, AuditText.Bounded(before, Longest(caller)), null);
        await log.RecordAsync(begun, () => route.Run(context), committed => buffered && context.Response.StatusCode >= 400 && !committed ? null
            : begun with { Status = context.Response.StatusCode, After = route.Method == "DELETE" ? null : AuditText.Bounded(answer?.Body, Longest(caller)) },
            context.Features.Get<Deed>() is { } deed ? () => deed.IsDone = true : null);
    }

    // however many keys a user makes, they are one
    static string Whose(Caller caller) => IsUser(caller) && caller.Account is { } account ? new Caller(account, null, null, null, null).Identity : caller.Identity;

    static bool IsUser(Caller caller) => caller is { From: not null, Role: Role.User };

    // of what somebody changes of his own the log keeps less: there are many of them, and none of them watches the disk
    static int Longest(Caller caller) => IsUser(caller) ? AuditText.LongestOwn : AuditText.Longest;

    /// <summary>The GET that tells of what a change is about: of the same path, and of a deed (POST /accounts/{address}/rename) that of the thing it is done to.</summary>
    ApiRoute? LookOf(ApiRoute route) =>
        route.Method != "POST" ? shown.GetValueOrDefault(route.Path)
        : route.Path.LastIndexOf('/') is > 0 and var at && route.Path[at - 1] == '}' ? shown.GetValueOrDefault(route.Path[..at]) : null;

    /// <summary>What that GET says, or null.</summary>
    async Task<byte[]?> BeforeAsync(ApiRoute route, HttpContext context, Answer answer)
    {
        if (LookOf(route) is not { } look) return null;
        var (body, query) = (context.Request.Body, context.Request.QueryString);
        context.Request.Body = Stream.Null;
        await look.Run(context);
        var found = context.Response.StatusCode == 200 ? answer.Body : null;
        answer.Clear();
        (context.Request.Body, context.Request.QueryString) = (body, query);
        return found;
    }

    // ---- answers

    static string Tag(byte[] body) => $"\"{Convert.ToHexString(SHA256.HashData(body), 0, 12).ToLowerInvariant()}\"";

    static bool Holds(string header, string tag) => header.Split(',').Any(one => one.Trim() is var text && (text == "*" || text == tag || text == "W/" + tag));

    /// <summary>Gives the answer its tag.</summary>
    /// <returns>Whether the client has it already, and is told so.</returns>
    static bool Tagged(Answer answer, HttpContext context)
    {
        var tag = Tag(answer.Body);
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch.ToString() is not { Length: > 0 } had || !Holds(had, tag)) return false;
        context.Response.StatusCode = 304;
        context.Response.ContentType = null;
        return true;
    }

    /// <summary>Of each object, or each item of a list, what ?fields= names.</summary>
    static void Narrow(Answer answer, HttpContext context)
    {
        if (context.Asked("fields") is not { } asked || context.Response.StatusCode != 200 || context.Response.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true) return;
        var fields = ApiQuery.Split(asked).ToHashSet(StringComparer.Ordinal);
        var node = JsonNode.Parse(answer.Body);
        var items = node is JsonArray list ? list : node is JsonObject one && one["items"] is JsonArray page && one.ContainsKey("next") ? page : null;
        if (items is not null)
            foreach (var item in items) Narrow(item, fields);
        else Narrow(node, fields);
        answer.Replace(Encoding.UTF8.GetBytes(node?.ToJsonString(Reply.Json) ?? "null"));
    }

    static void Narrow(JsonNode? node, HashSet<string> fields)
    {
        if (node is not JsonObject one) return;
        foreach (var name in one.Select(pair => pair.Key).Where(name => !fields.Contains(name)).ToList()) one.Remove(name);
    }

    /// <summary>The answer while it is held back.</summary>
    sealed class Answer : IAsyncDisposable
    {
        readonly HttpContext context;
        readonly Stream behind;
        MemoryStream held = new();

        public Answer(HttpContext context)
        {
            (this.context, behind) = (context, context.Response.Body);
            context.Response.Body = held;
        }

        public byte[] Body => held.ToArray();

        public void Clear()
        {
            held.SetLength(0);
            context.Response.StatusCode = 200;
            context.Response.ContentType = null;
            context.Response.ContentLength = null;
        }

        public void Replace(byte[] body)
        {
            held.SetLength(0);
            held.Write(body);
        }

        public async Task SendAsync()
        {
            context.Response.Body = behind;
            if (context.Response.StatusCode is 204 or 304) return;
            context.Response.ContentLength = held.Length;
            await behind.WriteAsync(held.GetBuffer().AsMemory(0, (int)held.Length), context.RequestAborted);
        }

        public ValueTask DisposeAsync()
        {
            context.Response.Body = behind; // of a surprise: its answer goes out as it is
            return held.DisposeAsync();
        }
    }
}
