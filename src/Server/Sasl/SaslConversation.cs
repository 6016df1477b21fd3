using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Net;

namespace CbaMail.Sasl;

/// <summary>What a protocol does next: send the challenge and bring the response, or tell the result.</summary>
/// <param name="Challenge">In base64; may be empty.</param>
/// <param name="Result">Who has signed in, or why nobody has. Without a challenge and a result what the client sent was malformed.</param>
public readonly record struct SaslReply(string? Challenge, Result<Account>? Result)
{
    public bool IsMalformed => Challenge is null && Result is null;
}

/// <summary>
/// A sign-in by SASL from the first response to the result, free of any protocol: SMTP (RFC 4954), IMAP (RFC 9051 6.2.2) and POP3 (RFC 5034) read
/// lines and send challenges. Cancelling by "*" is theirs.
/// </summary>
public sealed class SaslConversation(SaslExchange exchange, SignIn signIn, Connection connection)
{
    Result<Account>? explained;

    /// <param name="initial">In base64, "=" for an empty one; null where the client sent none.</param>
    public ValueTask<SaslReply> BeginAsync(byte[]? initial, CancellationToken cancel) =>
        JudgeAsync(initial is null ? exchange.Begin() : exchange.Initial(initial), cancel);

    /// <param name="response">In base64.</param>
    public ValueTask<SaslReply> RespondAsync(ReadOnlyMemory<byte> response, CancellationToken cancel) =>
        // RFC 7628 3.2.3: the client's ^A (or nothing, of XOAUTH2) says that it has read why
        explained is not null ? new(new SaslReply(null, explained)) : JudgeAsync(exchange.Respond(response.Span), cancel);

    async ValueTask<SaslReply> JudgeAsync(SaslStep step, CancellationToken cancel)
    {
        if (step.Challenge is not null) return new(step.Challenge, null);
        if (step.Problem is { } problem) return new(null, Refusal.SignInFailed.Because(problem));
        if (step.Credentials is not { } credentials) return default;
        var result = await signIn.TryAsync(credentials, connection, cancel);
        if (result.Ok || exchange.Explain(result.Refusal) is not { } why) return new(null, result);
        explained = result;
        return new(why, null);
    }
}
