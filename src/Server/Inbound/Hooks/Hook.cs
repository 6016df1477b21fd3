using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;

namespace CbaMail.Inbound.Hooks;

/// <summary>
/// One hook of the settings: posts a question and reads the answer, over connections that are kept, so many at once as allowed, without trying
/// again: the client does that.
/// </summary>
sealed class Hook
{
    /// <summary>t=SECONDS,v1=HEX: HMAC-SHA256 of "SECONDS." and the body; the time keeps old questions from being asked again by somebody else.</summary>
    public const string SignatureField = "X-CBA-Mail-Signature";

    readonly Uri uri;
    readonly byte[] secret;
    readonly SemaphoreSlim places;
    readonly HttpMessageInvoker http;
    readonly TimeProvider time;

    public Hook(HookSettings settings, TimeProvider time, ILogger log)
    {
        if (settings.Problem() is { } problem) throw new InvalidOperationException(problem);
        (Settings, this.time, Log) = (settings, time, log);
        uri = new Uri(settings.Url);
        secret = Encoding.UTF8.GetBytes(settings.Secret);
        places = new SemaphoreSlim(settings.Concurrency);
        http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = settings.Timeout,
            MaxConnectionsPerServer = settings.Concurrency,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // so that a change in DNS is noticed
        });
        Pause = new FilterPause(time, (times, reason, seconds) => HookTelemetry.LeftAlone(log, settings.Title, times, reason, seconds), () => HookTelemetry.Back(log, settings.Title));
    }

    public HookSettings Settings { get; }
    public string Name => Settings.Title;
    public ILogger Log { get; }
    public FilterPause Pause { get; }

    public bool IsAskedAt(Moment moment) => Settings.Moments.Any(wanted => moment == wanted switch
    {
        HookMoment.Connect => Moment.Connect,
        HookMoment.Hello => Moment.Hello,
        HookMoment.Sender => Moment.Sender,
        HookMoment.Recipient => Moment.Recipient,
        _ => Moment.Message,
    });

    /// <summary>Whether it is asked about mail that comes in by the protocol.</summary>
    public bool IsFor(Protocol protocol) => Settings.For.Contains(protocol switch
    {
        Protocol.Lmtp => FilteredMail.Lmtp,
        Protocol.Submission or Protocol.Submissions => FilteredMail.Submission,
        _ => FilteredMail.Smtp,
    });

    /// <exception cref="HookTrouble">There is no answer, or none in time.</exception>
    public async ValueTask<HookAnswer> AskAsync(ReadOnlyMemory<byte> question, CancellationToken cancel)
    {
        using var timeout = new CancellationTokenSource(Settings.Timeout, time);
        using var registration = cancel.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), timeout);
        try
        {
            await places.WaitAsync(timeout.Token);
            try { return await SendAsync(question, timeout.Token); }
            finally { places.Release(); }
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested) { throw new HookTrouble($"no answer within {Settings.Timeout.TotalSeconds:0.#} seconds", e); }
        catch (Exception e) when (e is HttpRequestException or IOException) { throw new HookTrouble("no answer: " + e.Message, e); }
    }

    async Task<HookAnswer> SendAsync(ReadOnlyMemory<byte> question, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new ReadOnlyMemoryContent(question) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("CbaMail", null));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (secret.Length > 0) request.Headers.Add(SignatureField, Sign(secret, time.GetUtcNow().ToUnixTimeSeconds(), question.Span));
        using var response = await http.SendAsync(request, cancel);
        var status = (int)response.StatusCode;
        if (status == 204) return HookAnswer.Accept;
        if (status != 200) throw new HookTrouble($"it answered with status {status}");
        if (response.Content.Headers.ContentLength > HookAnswer.MaxBytes) throw new HookTrouble("its answer is larger than 1 MB");
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        var bytes = new byte[8192];
        var length = 0;
        for (int count; (count = await stream.ReadAsync(bytes.AsMemory(length), cancel)) > 0;)
        {
            if ((length += count) > HookAnswer.MaxBytes) throw new HookTrouble("its answer is larger than 1 MB");
            if (length == bytes.Length) Array.Resize(ref bytes, bytes.Length * 2);
        }
        return HookAnswer.Read(bytes.AsMemory(0, length));
    }

    internal static string Sign(byte[] secret, long seconds, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        mac.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seconds}.")));
        mac.AppendData(body);
        return string.Create(CultureInfo.InvariantCulture, $"t={seconds},v1={Convert.ToHexStringLower(mac.GetHashAndReset())}");
    }
}
