using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Webhooks;

/// <summary>An address of the web that events are told to.</summary>
/// <param name="Events">Names and patterns (<see cref="WebhookEvents.Fits"/>).</param>
/// <param name="Failing">Since when nothing gets through, or null.</param>
/// <param name="Problem">Why it was switched off by itself, or "".</param>
public sealed record Webhook(long Id, string Url, IReadOnlyList<string> Events, string Description, bool Enabled, DateTimeOffset Created, DateTimeOffset? Failing, string Problem);

/// <summary>What is to be changed; null stays.</summary>
public sealed record WebhookChange(string? Url = null, IReadOnlyList<string>? Events = null, string? Description = null, bool? Enabled = null);

/// <param name="Took">Milliseconds.</param>
/// <param name="Status">Of HTTP; 0: there was no answer.</param>
/// <param name="Error">"" where the event was taken.</param>
public sealed record WebhookAttempt(DateTimeOffset At, long Took, int Status, string Error);

/// <param name="State">waiting, delivered or given-up.</param>
/// <param name="Due">The next attempt of what waits.</param>
public sealed record WebhookDelivery(long Id, string EventId, string Event, DateTimeOffset At, string State, DateTimeOffset? Due, IReadOnlyList<WebhookAttempt> Attempts);

/// <summary>All webhooks: held in memory, written through. Events become rows here.</summary>
public sealed class WebhookBook
{
    const int Most = 50;
    const int MostEvents = 100;
    const int LongestUrl = 2000;
    const int LongestDescription = 200;
    /// <summary>Events that may wait for one webhook; those beyond are lost.</summary>
    internal const int MostWaiting = 100_000;

    readonly Store store;
    readonly Secrets secrets;
    readonly Settings settings;
    readonly TimeProvider time;
    readonly ILogger<WebhookBook> log;
    readonly ConcurrentDictionary<long, long> waiting = new();
    ImmutableSortedDictionary<long, (Webhook Webhook, byte[] Secret)> hooks;
    TaskCompletionSource news = Fresh();

    public WebhookBook(Store store, Secrets secrets, Settings settings, TimeProvider time, ILogger<WebhookBook> log)
    {
        (this.store, this.secrets, this.settings, this.time, this.log) = (store, secrets, settings, time, log);
        using var read = store.Read();
        hooks = WebhookTable.All(read).ToImmutableSortedDictionary(one => one.Webhook.Id, one => one);
        foreach (var id in hooks.Keys) waiting[id] = WebhookTable.CountWaiting(read, id);
    }

    static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when there may be something to post.</summary>
    internal Task News => Volatile.Read(ref news).Task;

    internal void Wake() => Interlocked.Exchange(ref news, Fresh()).TrySetResult();

    // ---- who is told

    public IReadOnlyList<Webhook> List() => [.. hooks.Values.Select(one => one.Webhook)];

    public Result<Webhook> Find(long id) => hooks.TryGetValue(id, out var one) ? one.Webhook : NoWebhook(id);

    static Refusal NoWebhook(long id) => Refusal.NoSuchThing.Because($"There is no webhook {id}; list them with: cbamail webhook list");

    /// <summary>What its events are signed with.</summary>
    internal Result<byte[]> SecretOf(long id) => hooks.TryGetValue(id, out var one) ? secrets.Open(Purpose(id), one.Secret) : NoWebhook(id);

    static string Purpose(long id) => $"webhook {id}";

    // whatever reads secrets in code knows it by its beginning
    static string NewSecret() => "cbaw_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    Refusal? Problem(Webhook hook, IReadOnlyCollection<string> known)
    {
        if (!Uri.TryCreate(hook.Url, UriKind.Absolute, out var url) || hook.Url.Length > LongestUrl) return Refusal.Invalid.Because($"\"{hook.Url}\" is no URL").At("url");
        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0) return Refusal.Invalid.Because("The URL of a webhook names no user and no fragment; what is sent is signed").At("url");
        if (url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && settings.Evaluation && url.IsLoopback)) return Refusal.Invalid.Because("The URL of a webhook begins with https://").At("url");
        if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && !Allows(address)) return Refusal.Invalid.Because($"{address} is no address of the open net").At("url");
        if (hook.Events.Count is 0 or > MostEvents) return Refusal.Invalid.Because($"A webhook has 1 to {MostEvents} events; * is all of them").At("events");
        if (hook.Events.FirstOrDefault(pattern => !known.Any(name => WebhookEvents.Fits(pattern, name))) is { } unknown) return Refusal.Invalid.Because($"There is no event \"{unknown}\"; cbamail webhook events lists them").At("events");
        if (hook.Description.Length > LongestDescription || hook.Description.Any(char.IsControl)) return Refusal.Invalid.Because($"A description has at most {LongestDescription} characters, in one line").At("description");
        return null;
    }

    /// <summary>Whether events may be posted there: to the open net, and in the evaluation profile to this machine alone.</summary>
    internal bool Allows(IPAddress address) => settings.Evaluation && IPAddress.IsLoopback(address) || !Outward.IsPrivate(address);

    /// <param name="known">The names of all events.</param>
    /// <returns>The webhook, and the secret that is shown this once.</returns>
    public async ValueTask<Result<(Webhook Webhook, string Secret)>> AddAsync(string url, IReadOnlyList<string> events, string description, bool enabled, IReadOnlyCollection<string> known, CancellationToken cancel)
    {
        var hook = new Webhook(0, url, [.. events.Distinct()], description, enabled, DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()), null, "");
        if (Problem(hook, known) is { } refusal) return refusal;
        if (secrets.Problem is { } locked) return locked;
        if (hooks.Count >= Most) return Refusal.TooMany.Because($"There are {Most} webhooks already; remove those that nobody uses");
        var secret = NewSecret();
        hook = await store.CommitAsync(write =>
        {
            var made = hook with { Id = WebhookTable.Add(write, hook) };
            Seal(write, made, secret);
            return made;
        }, cancel);
        return (hook, secret);
    }

    void Seal(WriteTransaction write, Webhook hook, string secret)
    {
        var box = secrets.Seal(write, Purpose(hook.Id), Encoding.ASCII.GetBytes(secret));
        WebhookTable.SetSecret(write, hook.Id, box);
        write.OnCommitted(() => hooks = hooks.SetItem(hook.Id, (hook, box)));
    }

    public async ValueTask<Result<Webhook>> ChangeAsync(long id, WebhookChange change, IReadOnlyCollection<string> known, CancellationToken cancel)
    {
        var found = Find(id);
        if (!found.Ok) return found;
        var wanted = Apply(found.Value, change);
        if (Problem(wanted, known) is { } refusal) return refusal;
        return await store.CommitAsync<Result<Webhook>>(write => Find(id) is { Ok: true } now ? Put(write, Apply(now.Value, change)) : NoWebhook(id), cancel);
    }

    static Webhook Apply(Webhook old, WebhookChange change)
    {
        var hook = old with { Url = change.Url ?? old.Url, Events = change.Events is null ? old.Events : [.. change.Events.Distinct()], Description = change.Description ?? old.Description, Enabled = change.Enabled ?? old.Enabled };
        return change.Enabled == true ? hook with { Failing = null, Problem = "" } : hook;
    }

    Webhook Put(WriteTransaction write, Webhook hook)
    {
        WebhookTable.Change(write, hook);
        write.OnCommitted(() =>
        {
            if (hooks.TryGetValue(hook.Id, out var one)) hooks = hooks.SetItem(hook.Id, (hook, one.Secret));
            Wake();
        });
        return hook;
    }

    /// <summary>A new secret; events that wait are signed with it too.</summary>
    public async ValueTask<Result<string>> RenewSecretAsync(long id, CancellationToken cancel)
    {
        if (secrets.Problem is { } locked) return locked;
        var secret = NewSecret();
        return await store.CommitAsync<Result<string>>(write =>
        {
            if (Find(id) is not { Ok: true } now) return NoWebhook(id);
            Seal(write, now.Value, secret);
            return secret;
        }, cancel);
    }

    public async ValueTask<Refusal?> RemoveAsync(long id, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        if (!hooks.ContainsKey(id)) return NoWebhook(id);
        WebhookTable.Remove(write, id);
        write.OnCommitted(() =>
        {
            hooks = hooks.Remove(id);
            waiting.TryRemove(id, out _);
        });
        return null;
    }, cancel);

    public IReadOnlyList<WebhookDelivery> Deliveries(long id, int limit)
    {
        using var read = store.Read();
        return WebhookTable.Deliveries(read, id, limit);
    }

    // ---- events

    /// <summary>Writes an event for everybody who wants it, in the caller's transaction.</summary>
    /// <param name="at">Null: now.</param>
    /// <param name="data">Writes the fields of "data"; asked only where somebody wants the event.</param>
    public void Raise(WriteTransaction write, string name, DateTimeOffset? at, Action<Utf8JsonWriter> data)
    {
        byte[]? body = null;
        var (id, now) = ("", at ?? time.GetUtcNow());
        foreach (var (hook, _) in hooks.Values)
        {
            if (!hook.Enabled || !hook.Events.Any(pattern => WebhookEvents.Fits(pattern, name))) continue;
            if (body is null) body = WebhookEvents.Body(id = "ev_" + Guid.CreateVersion7(now).ToString("N"), name, now, data);
            Add(write, hook.Id, id, name, now, body);
        }
    }

    void Add(WriteTransaction write, long hook, string id, string name, DateTimeOffset at, byte[] body)
    {
        if (waiting.GetValueOrDefault(hook) >= MostWaiting)
        {
            log.Overfull(hook, MostWaiting, name);
            return;
        }
        WebhookTable.AddEvent(write, hook, id, name, at, body);
        write.OnCommitted(() =>
        {
            Count(hook, 1);
            Wake();
        });
    }

    void Count(long hook, int by) => waiting.AddOrUpdate(hook, by, (_, count) => count + by);

    /// <summary>An event for one webhook, wanted or not, to see whether it arrives.</summary>
    /// <returns>The id of the event.</returns>
    public async ValueTask<Result<string>> TestAsync(long id, CancellationToken cancel)
    {
        var found = Find(id);
        if (!found.Ok) return found.Refusal;
        if (!found.Value.Enabled) return Refusal.Conflict.Because($"Webhook {id} is switched off; switch it on with: cbamail webhook set {id} --enable");
        var (name, now) = ("ev_" + Guid.CreateVersion7(time.GetUtcNow()).ToString("N"), time.GetUtcNow());
        var body = WebhookEvents.Body(name, "test", now, json => json.WriteNumber("webhook", id));
        return await store.CommitAsync(write =>
        {
            Add(write, id, name, "test", now, body);
            return name;
        }, cancel);
    }

    // ---- what became of them

    /// <summary>Writes down how an attempt ended, and what that means for the webhook.</summary>
    /// <param name="next">When it is tried again; null: it is over.</param>
    internal async ValueTask AttemptedAsync(WaitingEvent one, DateTimeOffset at, TimeSpan took, int status, string error, DateTimeOffset? next) => await store.CommitAsync(write =>
    {
        if (!WebhookTable.Attempted(write, one, at, took, status, error, next) || !hooks.TryGetValue(one.Webhook, out var held)) return false;
        var hook = held.Webhook;
        if (next is null) write.OnCommitted(() => Count(hook.Id, -1));
        if (error.Length == 0)
        {
            if (hook.Failing is not null) Put(write, hook with { Failing = null });
        }
        else if (hook.Failing is null) Put(write, hook with { Failing = at });
        else if (hook.Enabled && at - hook.Failing >= settings.Webhooks.GiveUp)
        {
            Put(write, hook with { Enabled = false, Problem = $"nothing got through since {hook.Failing:yyyy-MM-dd HH:mm} UTC: {error}" });
            write.OnCommitted(() => log.SwitchedOff(hook.Id, hook.Url, hook.Failing.Value, error));
        }
        return true;
    });

    /// <summary>Forgets what is over: after a week, or beyond the last 1,000 of a webhook.</summary>
    internal async ValueTask PruneAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await store.CommitAsync(write =>
        {
            WebhookTable.Prune(write, hooks.Keys, 1000, now.AddDays(-7), now - settings.Webhooks.Expire - TimeSpan.FromDays(1));
            return true;
        }, cancel);
        using var read = store.Read();
        foreach (var id in hooks.Keys) waiting[id] = WebhookTable.CountWaiting(read, id);
    }
}
