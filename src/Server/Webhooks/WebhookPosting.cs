using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net;
using CbaMail.Storage;

namespace CbaMail.Webhooks;

/// <summary>
/// Posts events that are due, some at once; who fails is tried again after growing pauses. The signature covers the time of the attempt, so that
/// an event that somebody has seen cannot be sent again by him later.
/// </summary>
public sealed class WebhookPosting : BackgroundService
{
    public const string SignatureField = "X-CBAMail-Signature";
    const int MostOfAnswer = 64 << 10;
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(30);

    readonly Store store;
    readonly WebhookBook book;
    readonly WebhookSettings settings;
    readonly TimeProvider time;
    readonly ILogger<WebhookPosting> log;
    readonly HttpMessageInvoker http;
    readonly ConcurrentDictionary<long, long> underWay = new(); // event: webhook

    public WebhookPosting(Store store, WebhookBook book, IResolver resolver, Settings settings, TimeProvider time, ILogger<WebhookPosting> log)
    {
        (this.store, this.book, this.settings, this.time, this.log) = (store, book, settings.Webhooks, time, log);
        http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = 0,
            ConnectTimeout = Limit,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // so that a change in DNS is noticed
            ConnectCallback = (context, stop) => Outward.ConnectAsync(resolver, context.DnsEndPoint, book.Allows, stop),
        });
    }

    int OfOne => Math.Max(1, settings.Concurrency / 2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var pruned = DateTimeOffset.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var news = book.News;
                var now = time.GetUtcNow();
                if (now - pruned >= Hour)
                {
                    await book.PruneAsync(stoppingToken);
                    pruned = now;
                }
                var next = StartDue(now, stoppingToken);
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                await Task.WhenAny(news, Task.Delay(next < Hour ? next : Hour, time, stop.Token));
                await stop.CancelAsync();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                if (StoreTrouble.Of(error) is null) log.RoundFailed(error); // the store tells of its own
                await Task.WhenAny(Task.Delay(AfterFailure, time, stoppingToken));
            }
        }
    }

    /// <summary>Starts what is due and has a place.</summary>
    /// <returns>How long until the next is due.</returns>
    TimeSpan StartDue(DateTimeOffset now, CancellationToken cancel)
    {
        var next = TimeSpan.MaxValue;
        using var read = store.Read();
        foreach (var hook in book.List().Where(hook => hook.Enabled))
        {
            var busy = underWay.Values.Count(id => id == hook.Id);
            foreach (var one in WebhookTable.Due(read, hook.Id, now, OfOne + busy))
            {
                if (busy >= OfOne || underWay.Count >= settings.Concurrency) break; // looked at again when one is done
                if (!underWay.TryAdd(one.Id, hook.Id)) continue;
                busy++;
                _ = Task.Run(() => RunAsync(hook, one, cancel), CancellationToken.None);
            }
            if (WebhookTable.Next(read, hook.Id, now) is { } due && due - now < next) next = due - now;
        }
        return next;
    }

    async Task RunAsync(Webhook hook, WaitingEvent one, CancellationToken cancel)
    {
        try
        {
            var (at, began) = (time.GetUtcNow(), time.GetTimestamp());
            var (status, error) = await PostAsync(hook, one, cancel);
            DateTimeOffset? next = error.Length == 0 ? null : time.GetUtcNow() + Pause(one.Attempts);
            if (next > one.At + settings.Expire) next = null;
            await book.AttemptedAsync(one, at, time.GetElapsedTime(began), status, error, next);
            if (error.Length == 0) log.Taken(hook.Id, one.Event, status);
            else log.NotTaken(hook.Id, one.Event, error, next is { } again ? $"tried again at {again:HH:mm:ss}" : "given up");
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return; // it is due when the server starts again
        }
        catch (Exception error)
        {
            if (StoreTrouble.Of(error) is null) log.RoundFailed(error);
            await Task.WhenAny(Task.Delay(AfterFailure, time, cancel)); // it is still due, and is not to be posted over and over
        }
        finally
        {
            underWay.TryRemove(one.Id, out _);
            book.Wake();
        }
    }

    // a tenth more or less, so that what failed together does not come together
    TimeSpan Pause(int attempts) => settings.RetryAfter is { Count: > 0 } pauses ? pauses[Math.Min(attempts, pauses.Count - 1)] * (0.9 + 0.2 * Random.Shared.NextDouble()) : TimeSpan.FromMinutes(1);

    async Task<(int Status, string Error)> PostAsync(Webhook hook, WaitingEvent one, CancellationToken cancel)
    {
        var secret = book.SecretOf(hook.Id);
        if (!secret.Ok) return (0, secret.Refusal.Sentence);
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        using var request = new HttpRequestMessage(HttpMethod.Post, hook.Url) { Version = HttpVersion.Version11, Content = new ByteArrayContent(one.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("CbaMail", null));
        request.Headers.Add(SignatureField, Sign(secret.Value!, time.GetUtcNow().ToUnixTimeSeconds(), one.Body));
        try
        {
            using var response = await http.SendAsync(request, both.Token);
            var status = (int)response.StatusCode;
            await DrainAsync(response, both.Token);
            return (status, status is >= 200 and < 300 ? "" : string.Create(CultureInfo.InvariantCulture, $"it answered with status {status}"));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (0, "no answer within 10 seconds");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            var text = error.InnerException?.Message ?? error.Message;
            return (0, "no answer: " + text[..Math.Min(text.Length, 200)]);
        }
    }

    // what is read to its end leaves the connection for the next event; what is longer ends it
    static async Task DrainAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var buffer = new byte[4096];
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        for (int total = 0, count; total < MostOfAnswer && (count = await body.ReadAsync(buffer, cancel)) > 0;) total += count;
    }

    internal static string Sign(byte[] secret, long seconds, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        mac.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seconds}.")));
        mac.AppendData(body);
        return string.Create(CultureInfo.InvariantCulture, $"t={seconds},v1={Convert.ToHexStringLower(mac.GetHashAndReset())}");
    }

    public override void Dispose()
    {
        http.Dispose();
        base.Dispose();
    }
}
