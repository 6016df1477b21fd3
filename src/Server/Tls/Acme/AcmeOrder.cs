using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace CbaMail.Tls.Acme;

/// <summary>
/// One order from names to a certificate (RFC 8555 7.4). It looks at the order's state and does what that state asks for, so it goes on
/// with an order that a crash has interrupted at whatever point.
/// </summary>
/// <param name="types">Of challenges, the one to try first at the beginning.</param>
sealed class AcmeOrder(AcmeClient client, AcmeChallenges challenges, IReadOnlyList<string> types, TimeProvider time)
{
    public const string Http01 = "http-01", TlsAlpn01 = "tls-alpn-01";

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), FirstPause = TimeSpan.FromMilliseconds(500), LongestPause = TimeSpan.FromSeconds(30);

    /// <param name="order">An order that was begun, or null.</param>
    /// <param name="keep">Keeps the address of a new order, durably.</param>
    /// <param name="replaces">The certificate that this one is for (RFC 9773 5), or null.</param>
    /// <returns>The certificate and those above it, in PEM.</returns>
    public async Task<string> RunAsync(IReadOnlyList<string> names, ECDsa key, string? order, Func<string, Task> keep, string? replaces, CancellationToken cancel)
    {
        var (url, state) = order is null ? ("", null) : (order, await ResumeAsync(order, names, cancel));
        if (state is null)
        {
            (url, state) = await BeginAsync(names, replaces, cancel);
            await keep(url);
        }
        var began = time.GetTimestamp();
        var pause = FirstPause;
        var finalized = false;
        while (true)
        {
            switch (state.Body.String("status"))
            {
                case "pending":
                    await AuthorizeAsync(state.Body, cancel);
                    state = await client.ReadAsync(url, cancel);
                    if (state.Body.String("status") != "pending") continue;
                    break;
                case "ready" when !finalized:
                    state = await client.PostAsync(state.Body.String("finalize") ?? throw Odd("an order without a place to finalize it"), Finalization(names, key), cancel);
                    finalized = true;
                    continue;
                case "valid":
                    var certificate = state.Body.String("certificate") ?? throw Odd("a valid order without a certificate");
                    return (await client.ReadAsync(certificate, cancel)).Text; // other chains are offered by Link (RFC 8555 7.4.2): the default one is taken
                case "invalid":
                    throw await WhyInvalidAsync(state.Body, cancel);
            }
            if (time.GetElapsedTime(began) > Patience) throw new AcmeProblem(AcmeProblem.TimedOut, "the authority has not finished the order within 5 minutes");
            pause = await WaitAsync(state.RetryAfter, pause, cancel);
            state = await client.ReadAsync(url, cancel);
        }
    }

    /// <summary>The order as it stands; null where it is of no use any more.</summary>
    async Task<AcmeAnswer?> ResumeAsync(string url, IReadOnlyList<string> names, CancellationToken cancel)
    {
        try
        {
            var state = await client.ReadAsync(url, cancel);
            var ordered = state.Body.List("identifiers").Select(one => one.String("value") ?? "").ToHashSet(StringComparer.OrdinalIgnoreCase);
            return state.Body.String("status") != "invalid" && ordered.SetEquals(names) ? state : null;
        }
        catch (AcmeProblem gone) when (gone.Type is not (AcmeProblem.Unreachable or "rateLimited" or "accountDoesNotExist"))
        {
            return null; // expired, or of another account
        }
    }

    async Task<(string Url, AcmeAnswer State)> BeginAsync(IReadOnlyList<string> names, string? replaces, CancellationToken cancel)
    {
        var payload = Jws.Json(json =>
        {
            json.WriteStartArray("identifiers");
            foreach (var name in names)
            {
                json.WriteStartObject();
                json.WriteString("type", "dns");
                json.WriteString("value", name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (replaces is not null) json.WriteString("replaces", replaces);
        });
        try
        {
            var answer = await client.PostAsync(await client.ResourceAsync("newOrder", cancel), payload, cancel);
            return (answer.Location ?? throw Odd("an order without an address"), answer);
        }
        catch (AcmeProblem refused) when (replaces is not null && refused.Type is "alreadyReplaced" or "malformed" or "conflict")
        {
            return await BeginAsync(names, null, cancel); // RFC 9773 5: it has been replaced already, or is not known
        }
    }

    /// <summary>Shows a challenge for each name that needs one, then waits for all of them.</summary>
    async Task AuthorizeAsync(JsonElement order, CancellationToken cancel)
    {
        var shown = new List<IDisposable>();
        try
        {
            var waiting = new List<(string Url, string Name, string Type)>();
            foreach (var url in order.List("authorizations").Select(one => one.GetString() ?? ""))
            {
                var authorization = (await client.ReadAsync(url, cancel)).Body;
                if (authorization.String("status") == "valid") continue; // from an earlier order
                var name = authorization.Object("identifier")?.String("value")?.ToLowerInvariant() ?? throw Odd("an authorization for nothing");
                if (authorization.String("status") != "pending") throw Failed(authorization, name);
                var challenge = Choose(authorization) ?? throw new AcmeProblem("noChallenge", $"the authority offers none of {string.Join(", ", types)} for {name}", [name]);
                var (type, token) = (challenge.String("type")!, challenge.String("token")!);
                var proof = client.Key!.KeyAuthorization(token);
                shown.Add(type == Http01 ? challenges.ShowAnswer(token, proof) : challenges.ShowHandshake(name, proof));
                await client.PostAsync(challenge.String("url") ?? throw Odd("a challenge without an address"), "{}", cancel); // RFC 8555 7.5.1
                waiting.Add((url, name, type));
            }
            foreach (var (url, name, type) in waiting) await AwaitAsync(url, name, type, cancel);
        }
        finally
        {
            foreach (var one in shown) one.Dispose();
        }
    }

    // a token becomes a part of a path: RFC 8555 8.3 allows base64url in it and nothing else
    JsonElement? Choose(JsonElement authorization) => types
        .SelectMany(type => authorization.List("challenges").Where(one => one.String("type") == type))
        .Where(one => one.String("token") is { Length: > 0 and <= 256 } token && token.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        .Select(one => (JsonElement?)one).FirstOrDefault();

    async Task AwaitAsync(string url, string name, string type, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var pause = FirstPause;
        while (true)
        {
            var answer = await client.ReadAsync(url, cancel);
            switch (answer.Body.String("status"))
            {
                case "valid": return;
                case "pending": break;
                default: throw Failed(answer.Body, name);
            }
            if (time.GetElapsedTime(began) > Patience) throw new AcmeProblem(AcmeProblem.TimedOut, $"the authority has not checked {name} by {type} within 5 minutes", [name]);
            pause = await WaitAsync(answer.RetryAfter, pause, cancel);
        }
    }

    /// <summary>As long as the authority says (RFC 8555 7.5.1), else longer each time.</summary>
    async Task<TimeSpan> WaitAsync(TimeSpan? retryAfter, TimeSpan pause, CancellationToken cancel)
    {
        var wait = retryAfter is { } said ? Least(said > FirstPause ? said : FirstPause) : pause;
        await Task.Delay(wait, time, cancel);
        return Least(pause * 1.5);
    }

    static TimeSpan Least(TimeSpan pause) => pause < LongestPause ? pause : LongestPause;

    async Task<AcmeProblem> WhyInvalidAsync(JsonElement order, CancellationToken cancel)
    {
        foreach (var url in order.List("authorizations").Select(one => one.GetString() ?? ""))
        {
            var authorization = (await client.ReadAsync(url, cancel)).Body;
            if (authorization.String("status") == "invalid") return Failed(authorization, authorization.Object("identifier")?.String("value")?.ToLowerInvariant() ?? "");
        }
        return order.Object("error") is { } error ? AcmeProblem.Of(error, 0) : Odd("an order that is invalid for no reason");
    }

    static AcmeProblem Failed(JsonElement authorization, string name)
    {
        var challenge = authorization.List("challenges").FirstOrDefault(one => one.Object("error") is not null);
        var problem = AcmeProblem.Of(challenge.Object("error") ?? default, 0, name: name);
        var way = challenge.String("type") switch
        {
            Http01 => $"http://{name}{AcmeChallenges.Path}... (port 80)",
            TlsAlpn01 => $"a handshake with {name} (port 443)",
            _ => name,
        };
        return new(problem.Type, $"the authority could not check {name} by {way}: {problem.Message}", [name], problem.RetryAfter);
    }

    static AcmeProblem Odd(string what) => new(AcmeProblem.Odd, "the authority answered with " + what);

    /// <summary>The request for the certificate (RFC 8555 7.4, RFC 2986): the names and nothing else.</summary>
    static string Finalization(IReadOnlyList<string> names, ECDsa key)
    {
        var subject = names.FirstOrDefault(name => name.Length <= 64); // the longest common name
        var request = new CertificateRequest(new X500DistinguishedName(subject is null ? "" : "CN=" + subject), key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternative.AddDnsName(name);
        request.CertificateExtensions.Add(alternative.Build());
        var signed = System.Buffers.Text.Base64Url.EncodeToString(request.CreateSigningRequest());
        return Jws.Json(json => json.WriteString("csr", signed));
    }
}
