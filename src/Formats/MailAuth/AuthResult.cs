namespace CbaMail.MailAuth;

/// <summary>
/// What a check of SPF, DKIM, ARC or DMARC came to: the words of Authentication-Results (RFC 8601 2.7). Not every method knows every word.
/// </summary>
public enum AuthResult
{
    /// <summary>Nothing to check: no signature, no record.</summary>
    None,
    /// <summary>Something was there, and it says nothing.</summary>
    Neutral,
    Pass,
    Fail,
    /// <summary>SPF alone: the owner doubts, and does not say fail.</summary>
    SoftFail,
    /// <summary>DKIM alone: the signature is right, and our own rules refuse it (RFC 8601 2.4).</summary>
    Policy,
    /// <summary>What was published or sent is malformed: trying again will not help.</summary>
    PermError,
    /// <summary>DNS did not answer: a later attempt may come to a result.</summary>
    TempError,
}

/// <summary>The words themselves.</summary>
public static class AuthResults
{
    /// <summary>As it stands in Authentication-Results: lower case.</summary>
    public static string Word(this AuthResult result) => result switch
    {
        AuthResult.None => "none",
        AuthResult.Neutral => "neutral",
        AuthResult.Pass => "pass",
        AuthResult.Fail => "fail",
        AuthResult.SoftFail => "softfail",
        AuthResult.Policy => "policy",
        AuthResult.PermError => "permerror",
        AuthResult.TempError => "temperror",
        _ => throw new ArgumentOutOfRangeException(nameof(result)),
    };

    /// <summary>The result that a word names, whatever its case; older spellings of other servers are understood too.</summary>
    public static bool TryParse(ReadOnlySpan<char> word, out AuthResult result)
    {
        Span<char> lower = stackalloc char[16];
        var length = word.Length <= lower.Length ? word.ToLowerInvariant(lower) : 0;
        // RFC 5451 2.4.2: "hardfail" was once SPF's word for fail
        var found = (AuthResult?)(lower[..Math.Max(0, length)] switch
        {
            "none" => AuthResult.None,
            "neutral" => AuthResult.Neutral,
            "pass" => AuthResult.Pass,
            "fail" or "hardfail" => AuthResult.Fail,
            "softfail" => AuthResult.SoftFail,
            "policy" => AuthResult.Policy,
            "permerror" => AuthResult.PermError,
            "temperror" => AuthResult.TempError,
            _ => null,
        });
        result = found ?? AuthResult.None;
        return found is not null;
    }
}
