using System.Security.Cryptography;

namespace CbaMail.MailAuth.Dkim;

/// <summary>The steps of RFC 6376 6.1 for the signatures of one message, DKIM's and ARC's: each name is asked of DNS once, all at the same time.</summary>
sealed class SignatureCheck(SignedMessage message, DkimKeys keys, DateTimeOffset now, CancellationToken cancel) : IDisposable
{
    readonly Dictionary<string, Task<DkimKeys.Answer>> asked = [];
    readonly HeaderHash header = new();

    /// <summary>Begins to ask DNS for the key, so that all keys of a message are on their way together.</summary>
    public void Ask(DkimSignature signature)
    {
        if (signature.Problem is null && !Expired(signature) && !asked.ContainsKey(signature.KeyName))
            asked[signature.KeyName] = keys.FindAsync(signature.KeyName, cancel);
    }

    // RFC 6376 6.1.1
    bool Expired(DkimSignature signature) => signature.Expires is { } expires && now.ToUnixTimeSeconds() > expires;

    /// <summary>Verifies a signature over header fields and body.</summary>
    public async ValueTask<DkimVerdict> VerdictAsync(DkimSignature signature)
    {
        if (signature.Problem is { } problem)
            return new(problem == DkimSignature.TooMany ? AuthResult.Policy : AuthResult.PermError, signature, problem);
        if (Expired(signature)) return new(AuthResult.PermError, signature, "the signature has expired");
        return await WithKeyAsync(signature, Content);
    }

    /// <summary>Verifies a signature over what <paramref name="append"/> gathers.</summary>
    public ValueTask<DkimVerdict> VerdictAsync(DkimSignature signature, Action<HeaderHash> append) =>
        WithKeyAsync(signature, (s, key, record) =>
        {
            header.Reset();
            append(header);
            return Signed(s, key) ? new(AuthResult.Pass, s, "", key.Bits, record.Testing) : new(AuthResult.Fail, s, "the signature is not right", key.Bits, record.Testing);
        });

    async ValueTask<DkimVerdict> WithKeyAsync(DkimSignature signature, Func<DkimSignature, DkimPublicKey, DkimRecord, DkimVerdict> verify)
    {
        Ask(signature);
        var answer = await AnswerAsync(signature.KeyName);
        if (answer.Records.Count == 0) return new(answer.Result == AuthResult.None ? AuthResult.PermError : answer.Result, signature, answer.Problem);
        // RFC 6376 6.1.2 step 4: with several records each is tried
        DkimVerdict? best = null;
        foreach (var record in answer.Records)
        {
            var verdict = Try(signature, record, verify);
            if (verdict.Result == AuthResult.Pass) return verdict;
            if (best is null || best.Result == AuthResult.PermError) best = verdict;
        }

        return best!;
    }

    /// <summary>RFC 6376 6.1.2 step 2: a key that does not come in time may be there at a later attempt.</summary>
    async ValueTask<DkimKeys.Answer> AnswerAsync(string name)
    {
        try
        {
            return await asked[name];
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return new(AuthResult.TempError, "the look-up of the key took too long", []);
        }
    }

    DkimVerdict Try(DkimSignature signature, string text, Func<DkimSignature, DkimPublicKey, DkimRecord, DkimVerdict> verify)
    {
        DkimKeys.Candidate candidate;
        try
        {
            candidate = keys.Read(signature.Algorithm, text);
        }
        catch (PlatformNotSupportedException e)
        {
            // RFC 8601 2.7.1: "not otherwise able to be processed"
            return new(AuthResult.Neutral, signature, e.Message);
        }

        var testing = candidate.Record?.Testing ?? false;
        if (candidate.Key is not { } key) return new(AuthResult.PermError, signature, candidate.Problem, 0, testing);
        // RFC 6376 3.6.1, t=s
        if (candidate.Record!.Strict && signature.Identity.Length > 0 && signature.IdentityDomain != signature.AsciiDomain)
            return new(AuthResult.PermError, signature, "the key is not for subdomains", key.Bits, testing);
        return verify(signature, key, candidate.Record);
    }

    /// <summary>RFC 6376 6.1.3.</summary>
    DkimVerdict Content(DkimSignature signature, DkimPublicKey key, DkimRecord record)
    {
        DkimVerdict Say(AuthResult result, string reason) => new(result, signature, reason, key.Bits, record.Testing);

        var body = message.Body(signature.BodyWay);
        // RFC 6376 3.5: l= must not be larger than the body is
        if (signature.Length > body.Length) return Say(AuthResult.PermError, "l= is larger than the body");
        var hash = signature.Length is { } length ? body.Prefix(length) : body.Finish();
        if (!CryptographicOperations.FixedTimeEquals(hash, signature.BodyHash)) return Say(AuthResult.Fail, "the body was changed");
        header.Reset();
        var span = message.Text.Span;
        foreach (var index in message.Names.Pick(signature.Fields, signature.FieldIndex))
        {
            var field = message.Fields[index];
            header.Append(span[field.Start..field.End], field.NameLength, field.ValueStart - field.Start, signature.HeaderWay);
        }

        AppendOwn(header, signature);
        if (!Signed(signature, key)) return Say(AuthResult.Fail, "the signature is not right");
        // RFC 6376 8.2: anybody could have written what l= leaves unsigned, and it is what people would be shown
        if (signature.Length < body.Length) return Say(AuthResult.Policy, "l= leaves a part of the body unsigned");
        return Say(AuthResult.Pass, "");
    }

    /// <summary>The signature's own field, without its value of b=.</summary>
    public void AppendOwn(HeaderHash hash, DkimSignature signature) =>
        hash.AppendSignature(message.Field(signature.Span).Span, signature.Span.NameLength, signature.Span.ValueStart - signature.Span.Start,
            signature.Blank.From, signature.Blank.To, signature.HeaderWay);

    bool Signed(DkimSignature signature, DkimPublicKey key) => key.Verify(header.Hash(), signature.Signature);

    public void Dispose() => header.Dispose();
}
